import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { runProgram, type RunResult } from "./run-bin.ts";
import type { Scene } from "./scene.ts";

/** What is published and started. */
export const BUNDLE = fileURLToPath(new URL("../../../dist/rolefresh.cjs", import.meta.url));

/** The reason to skip, or false. */
export const BUNDLE_MISSING = existsSync(BUNDLE) ? false : "dist/rolefresh.cjs is not built: npm run build";

/** Runs the published program in a scene's home. */
export function runBundle(
  scene: Scene,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  return runProgram(process.execPath, [BUNDLE, ...args], { env: { ...scene.env, ...env } });
}

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { runProgram, type RunOptions, type RunResult } from "./run-bin.ts";

/** The artefacts that scripts/test-install packs: `one` is tested, `two` is the same made elsewhere. */
const RELEASES = new URL("../../release/", import.meta.url);

/** The version in package.json. */
export const VERSION = versionOf(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));

/** A packed artefact, or the reason for which it is not there. */
export type Artefact =
  | { readonly path: string; readonly missing?: never }
  | { readonly path?: never; readonly missing: string };

/** Finds an artefact by the end of its name. */
export function artefact(end: string, build: "one" | "two" = "one"): Artefact {
  const folder = new URL(`${build}/`, RELEASES);
  const name = namesIn(folder).find((one) => one.endsWith(end));
  return name === undefined
    ? { missing: `there is no packed ${end} (scripts/test-install makes it, where it can)` }
    : { path: fileURLToPath(new URL(name, folder)) };
}

/** The names and checksums of a build; undefined when it is not there. */
export function checksums(build: "one" | "two"): string | undefined {
  const folder = new URL(`${build}/`, RELEASES);
  return namesIn(folder).includes("SHA256SUMS") ? readFileSync(new URL("SHA256SUMS", folder), "utf8") : undefined;
}

/** Runs a tool that must succeed; returns what it printed. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const result: RunResult = await runProgram(command, args, options);
  if (result.code !== 0) throw new Error(`${command} ${args.join(" ")}: ${JSON.stringify(result)}`);
  return result.stdout;
}

function namesIn(folder: URL): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function versionOf(manifest: string): string {
  const { version } = JSON.parse(manifest) as { readonly version: string };
  return version;
}

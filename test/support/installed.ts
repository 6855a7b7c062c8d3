import assert from "node:assert/strict";

import { runProgram, type RunResult } from "./run-bin.ts";
import { VERSION } from "./release.ts";
import { type Scene, THREE_ROLES, valuesOf } from "./scene.ts";
import { SigningProbe } from "./signing-probe.ts";

/** The configuration of a scene for an installed program: chained roles, and a hook that proves that commands can be run. */
export const INSTALLED_CONFIG = `${THREE_ROLES}on_refresh = echo "$ROLEFRESH_PROFILE" > "$HOME/hooked"\n`;

/** How an installed program is started, and by what words `schedule` should have it started. */
export interface Installed {
  readonly command: readonly string[];
  /** Beside what a scene has; PATH above all. */
  readonly env: Readonly<Record<string, string>>;
  readonly scheduled: readonly string[];
}

/** Runs an installed program in a scene. */
export function runInstalled(scene: Scene, { command, env }: Installed, args: readonly string[]): Promise<RunResult> {
  const [program = "", ...before] = command;
  return runProgram(program, [...before, ...args], { env: { ...scene.env, ...env } });
}

/**
 * Proves an installed program on an empty home: version, a refresh of chained roles whose keys work, a run with nothing
 * due, status, a tool run with the keys, and the command line that a scheduler would be given.
 */
export async function proveInstalled(scene: Scene, installed: Installed): Promise<void> {
  const run = (...args: readonly string[]) => runInstalled(scene, installed, args);
  const silent = { code: 0, signal: null, stdout: "", stderr: "" };
  assert.deepEqual(await run("--version"), { ...silent, stdout: `${VERSION}\n` });
  assert.deepEqual(await run(), silent);
  assert.equal(valuesOf(await scene.credentials(), "prod.admin")["manager"], "rolefresh");
  assert.match(
    await new SigningProbe(scene).callerArn("billing"),
    /^arn:aws:sts::999999999999:assumed-role\/Billing\//,
  );
  assert.equal(await scene.home.read("hooked"), "billing\n");
  const calls = scene.sandbox.calls.length;
  assert.deepEqual(await run(), silent);
  assert.equal(scene.sandbox.calls.length, calls, "nothing was due");
  const status = await run("status", "--json");
  const { profiles } = JSON.parse(status.stdout) as { readonly profiles: readonly { readonly state: string }[] };
  assert.deepEqual(
    profiles.map(({ state }) => state),
    ["fresh", "fresh", "fresh"],
  );
  assert.equal((await run("exec", "billing", "--", "sh", "-c", 'echo "$AWS_PROFILE"; exit 7')).code, 7);
  const doctor = await run("doctor", "--json");
  assert.match(doctor.stdout, /"check": ?"sts/);
  const cron = await run("schedule", "cron");
  assert.ok(cron.stdout.includes(` ${installed.scheduled.join(" ")} refresh `), cron.stdout);
}

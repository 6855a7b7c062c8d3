import { Failure } from "../base/failure.ts";
import { describeEnd, type ProgramContext, runProgram } from "../base/program.ts";

/** Runs `systemctl`, `crontab`, `launchctl` and `getent`. */

/** What a program gets. */
export type ToolContext = Pick<ProgramContext, "env" | "deadline">;

/** How the program ended, and what it printed. */
export interface ToolAnswer {
  readonly status: number;
  readonly stdout: Buffer;
  /** Its stderr on one line; empty when it wrote none. */
  readonly complaint: string;
}

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Runs a program to its end, whatever its exit status.
 *
 * @param input for its standard input; absent: nothing
 * @throws Failure SCHEDULER_MISSING when there is no such program, SCHEDULER_FAILED when it cannot be run, dies of a signal or prints
 *   more than 4 MiB, and the deadline's
 */
export async function runTool(
  file: string,
  args: readonly string[],
  { env, deadline }: ToolContext,
  input?: Buffer,
): Promise<ToolAnswer> {
  // Messages such as "no crontab for" are parsed: they must not depend on $LANG.
  const program = { file, args, name: `'${file}'`, env: { LC_ALL: "C" }, input, maxStdoutBytes: MAX_BYTES };
  const end = await runProgram(program, { env, deadline, cwd: undefined, killGroup: undefined });
  if (end.kind === "exit") return end;
  if (end.kind === "not-started" && end.errno === "ENOENT")
    throw new Failure("SCHEDULER_MISSING", `the program '${file}' is not installed`);
  throw new Failure("SCHEDULER_FAILED", `'${file}' ${describeEnd(end)}`);
}

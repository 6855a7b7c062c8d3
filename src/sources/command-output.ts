import { Failure } from "../base/failure.ts";
import { describeEnd, type ProgramContext, type ProgramEnd, runProgram, shellCommand } from "../base/program.ts";

/**
 * Runs a configured command under `/bin/sh -c`, with nothing on stdin, and returns its stdout. At the deadline it is killed
 * with all its children. Neither the command, which may contain secrets, nor its stdout is ever shown.
 *
 * @param describe names the command in messages: `` `mfa_command` ``
 * @param maxBytes of its stdout; absent: 64 KiB
 * @throws Failure as `outputOf`; TIMEOUT, INTERRUPTED
 */
export async function commandOutput(
  describe: string,
  command: string,
  context: ProgramContext,
  maxBytes?: number,
): Promise<string> {
  const program = { ...shellCommand(command, describe), maxStdoutBytes: maxBytes };
  return outputOf(await runProgram(program, context), describe);
}

/**
 * The stdout of a program that succeeded.
 *
 * @throws Failure IDENTITY_UNAVAILABLE when it cannot be found or run (127 and 126 by POSIX,
 *   https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02), IDENTITY_TEMPORARY for any
 *   other failure, IDENTITY_INVALID_RESPONSE for too much output
 */
export function outputOf(end: ProgramEnd, describe: string): string {
  if (end.kind === "exit" && end.status === 0) return end.stdout.toString();
  const message = `${describe} ${describeEnd(end)}`;
  if (end.kind === "not-started") throw new Failure("IDENTITY_UNAVAILABLE", message);
  if (end.kind === "too-much") throw new Failure("IDENTITY_INVALID_RESPONSE", message);
  if (end.kind === "signal") throw new Failure("IDENTITY_TEMPORARY", message);
  if (end.status === 126 || end.status === 127) {
    throw new Failure("IDENTITY_UNAVAILABLE", message, {
      hint: "use the program's full path: cron and systemd set a short PATH",
    });
  }
  // A broken command and one whose server is down look the same, and the next run may succeed.
  throw new Failure("IDENTITY_TEMPORARY", message, {
    hint: "run it by hand as the same user, with `env -i` as cron does",
  });
}

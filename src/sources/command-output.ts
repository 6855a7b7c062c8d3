import { Failure } from "../base/failure.ts";
import { type ProgramContext, type ProgramEnd, runProgram } from "../base/program.ts";

/**
 * Runs a configured command under `/bin/sh -c`, with nothing on stdin, and returns its stdout. At the deadline it is killed
 * with all its children. Neither the command, which may contain secrets, nor its stdout is ever shown.
 *
 * @param describe names the command in messages: `` `mfa_command` ``
 * @throws Failure as `outputOf`; TIMEOUT, INTERRUPTED
 */
export async function commandOutput(describe: string, command: string, context: ProgramContext): Promise<string> {
  return outputOf(await runProgram("/bin/sh", ["-c", command], context, `${describe} has not ended`), describe);
}

/**
 * The stdout of a program that succeeded.
 *
 * @throws Failure IDENTITY_UNAVAILABLE when it cannot be found or run (127 and 126 by POSIX,
 *   https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02), IDENTITY_TEMPORARY for any
 *   other failure, IDENTITY_INVALID_RESPONSE for too much output
 */
export function outputOf(end: ProgramEnd, describe: string): string {
  switch (end.kind) {
    case "not-started":
      throw new Failure("IDENTITY_UNAVAILABLE", `${describe} cannot be run (${end.errno})`);
    case "too-much":
      throw new Failure("IDENTITY_INVALID_RESPONSE", `${describe} printed too much: over ${end.bytes} bytes`);
    case "signal":
      throw new Failure("IDENTITY_TEMPORARY", `${describe} was ended by ${end.signal}${suffix(end.complaint)}`);
    case "exit":
  }
  const { status, complaint, stdout } = end;
  if (status === 0) return stdout;
  if (status === 126 || status === 127) {
    throw new Failure("IDENTITY_UNAVAILABLE", `${describe} cannot be run (exit ${status})${suffix(complaint)}`, {
      hint: "use the program's full path: cron and systemd set a short PATH",
    });
  }
  // A broken command and one whose server is down look the same, and the next run may succeed.
  throw new Failure("IDENTITY_TEMPORARY", `${describe} failed with exit ${status}${suffix(complaint)}`, {
    hint: "run it by hand as the same user, with `env -i` as cron does",
  });
}

const suffix = (complaint: string): string => (complaint === "" ? "" : `: ${complaint}`);

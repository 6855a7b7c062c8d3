import { Failure } from "../base/failure.ts";
import { type ProgramContext, runProgram } from "../base/program.ts";

/**
 * What a configured shell command prints on stdout.
 *
 * @param key the key that names it, for messages
 * @throws Failure IDENTITY_UNAVAILABLE, IDENTITY_TEMPORARY, IDENTITY_INVALID_RESPONSE (too much); the deadline's
 */
export async function commandOutput(key: string, command: string, context: ProgramContext): Promise<string> {
  const describe = `\`${key}\``;
  const end = await runProgram("/bin/sh", ["-c", command], context, `${describe} has not ended`);
  switch (end.kind) {
    case "not-started":
      throw new Failure("IDENTITY_UNAVAILABLE", `${describe} cannot be run: /bin/sh: ${end.errno}`);
    case "too-much":
      throw new Failure("IDENTITY_INVALID_RESPONSE", `${describe} printed too much: over ${end.bytes} bytes`);
    case "signal":
      throw new Failure("IDENTITY_TEMPORARY", `${describe} was ended by ${end.signal}${said(end.complaint)}`);
    case "exit":
  }
  if (end.status === 126 || end.status === 127) {
    throw new Failure("IDENTITY_UNAVAILABLE", `${describe} cannot be run (exit ${end.status})${said(end.complaint)}`, {
      hint: "give the program's whole path: cron and systemd set a short PATH",
    });
  }
  if (end.status === 0) return end.stdout;
  // Nobody can tell a broken command from one whose server is down, and the next tick may heal it.
  throw new Failure("IDENTITY_TEMPORARY", `${describe} failed with exit ${end.status}${said(end.complaint)}`, {
    hint: "run it by hand as the same user, with `env -i` as cron does",
  });
}

const said = (complaint: string): string => (complaint === "" ? "" : `: ${complaint}`);

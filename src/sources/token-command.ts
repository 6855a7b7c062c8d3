import { Failure } from "../base/failure.ts";
import { checkAnsweredToken } from "./token-response.ts";
import type { IdentityContext } from "./context.ts";
import { runProgram } from "../base/program.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

/**
 * The token that `identity_command` prints. The command runs under `/bin/sh -c` with the run's environment and directory,
 * nothing on stdin, and is killed with all its children at the deadline.
 *
 * @throws Failure IDENTITY_UNAVAILABLE when the shell cannot find or run it (127 and 126 by POSIX,
 *   https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02), IDENTITY_TEMPORARY for any
 *   other failing status (nobody can tell a broken command from one whose server is down, and the next tick may heal it),
 *   IDENTITY_INVALID_RESPONSE when it prints something else, and what `checkToken` throws.
 */
export async function tokenFromCommand(
  source: { readonly command: string; readonly audience: string | undefined },
  context: IdentityContext,
): Promise<IdentityToken> {
  // The command line itself is never shown: people write secrets into it.
  const describe = "`identity_command`";
  const end = await runProgram("/bin/sh", ["-c", source.command], context, `${describe} has not ended`);
  switch (end.kind) {
    case "not-started":
      throw new Failure("IDENTITY_UNAVAILABLE", `${describe} cannot be run: /bin/sh: ${end.errno}`);
    case "too-much":
      throw new Failure("IDENTITY_INVALID_RESPONSE", `${describe} printed more than a token: over ${end.bytes} bytes`, {
        hint: "it must print the token and nothing else on stdout",
      });
    case "signal":
      throw new Failure("IDENTITY_TEMPORARY", `${describe} was ended by ${end.signal}${said(end.complaint)}`);
    case "exit":
      if (end.status === 126 || end.status === 127) {
        throw new Failure(
          "IDENTITY_UNAVAILABLE",
          `${describe} cannot be run (exit ${end.status})${said(end.complaint)}`,
          {
            hint: "give the program's whole path: cron and systemd set a short PATH",
          },
        );
      }
      if (end.status !== 0) {
        throw new Failure("IDENTITY_TEMPORARY", `${describe} failed with exit ${end.status}${said(end.complaint)}`, {
          hint: "run it by hand as the same user, with `env -i` as cron does",
        });
      }
      context.verbose(`identity: ${describe} ended with exit 0`);
      return checkAnsweredToken(end.stdout, `what ${describe} printed`, context.clock, source);
  }
}

const said = (complaint: string): string => (complaint === "" ? "" : `: ${complaint}`);

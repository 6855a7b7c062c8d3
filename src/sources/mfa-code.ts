import { Failure } from "../base/failure.ts";
import type { ProgramContext } from "../base/program.ts";
import { Secret } from "../base/secret.ts";
import type { Mfa } from "../config/config.ts";
import type { MfaCode } from "../sts/mfa-input.ts";
import { commandOutput } from "./command-output.ts";

/**
 * The code that `mfa_command` prints. The command runs under `/bin/sh -c`, with nothing on stdin, and is killed with all its
 * children at the deadline; neither its line nor what it prints on stdout is ever shown.
 *
 * @throws Failure IDENTITY_UNAVAILABLE when the shell cannot find or run it, IDENTITY_TEMPORARY for any other failing
 *   status, IDENTITY_INVALID_RESPONSE when it prints something else than six digits (STS API reference, TokenCode); the deadline's.
 */
export async function askMfaCode(mfa: Mfa, context: ProgramContext): Promise<MfaCode> {
  const text = await commandOutput("mfa_command", mfa.command, context);
  const code = text.trim();
  if (!/^\d{6}$/.test(code)) {
    throw new Failure("IDENTITY_INVALID_RESPONSE", "`mfa_command` did not print a code of six digits", {
      hint: "it must print the code and nothing else on stdout, for example oathtool --totp -b @/path/seed",
    });
  }
  return { serial: mfa.serial, code: new Secret(code) };
}

import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { readSecretFile } from "../safe-file/read-secret-file.ts";
import type { Secret } from "../base/secret.ts";
import type { AssertionSource, RoleArn } from "../config/config.ts";
import type { Clock, Environment } from "../base/world.ts";
import { commandOutput } from "./command-output.ts";
import { parseSamlResponse, type SamlClaims } from "./saml-response.ts";
import { checkSamlClaims } from "./saml-check.ts";

/** A SAML response as STS takes it, and what was read from it. Not verified: STS verifies. */
export interface SamlAssertion extends SamlClaims {
  /** Base64 of the XML; as good as a password for some minutes. */
  readonly response: Secret;
}

/** What an assertion is to let in. */
export interface WantedRole {
  readonly role: RoleArn;
  readonly principalArn: string | undefined;
}

interface Context {
  readonly env: Environment;
  readonly clock: Pick<Clock, "now">;
  readonly deadline: Deadline;
  readonly cwd: string | undefined;
}

/** STS: AssumeRoleWithSAML, SAMLAssertion has 100,000 characters at most. */
const MAX_LENGTH = 100_000;

/**
 * Reads the SAML response anew from its file or command, and checks what a person could have got wrong before STS is asked:
 * its time, its audience, and whether it offers the role at all.
 *
 * @returns the assertion and the provider to name: the configured one, else the one that the assertion has beside the role
 * @throws Failure TOKEN_MISSING, TOKEN_UNREADABLE, IDENTITY_UNAVAILABLE, IDENTITY_TEMPORARY; TOKEN_MALFORMED for a file
 *   (IDENTITY_INVALID_RESPONSE for a command) that holds something else; IDENTITY_DENIED for a response that is a refusal;
 *   TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, TOKEN_AUDIENCE
 */
export async function readSamlAssertion(
  source: AssertionSource,
  wanted: WantedRole,
  context: Context,
): Promise<{ readonly assertion: SamlAssertion; readonly principalArn: string }> {
  const isFile = source.kind === "file";
  const describe = isFile ? `the SAML response in ${source.path}` : "the SAML response of `saml_command`";
  const text = isFile
    ? await readAssertionFile(source.path, context.deadline)
    : await commandOutput("saml_command", source.command, { ...context, maxStdoutBytes: MAX_LENGTH + 1024 });
  const assertion = await parseSamlResponse(text.trim(), MAX_LENGTH, (why, hint) => {
    throw new Failure(isFile ? "TOKEN_MALFORMED" : "IDENTITY_INVALID_RESPONSE", `${describe} is not one: ${why}`, {
      hint,
    });
  });
  return { assertion, principalArn: checkSamlClaims(assertion, wanted, context.clock.now(), describe) };
}

async function readAssertionFile(path: string, deadline: Deadline): Promise<string> {
  const file = {
    path,
    what: "SAML response",
    key: "saml_assertion_file",
    maxBytes: MAX_LENGTH * 2,
    tooLong: (size: number) =>
      new Failure("TOKEN_MALFORMED", `the SAML response in ${path} is too long: ${size} bytes`, {
        hint: `STS takes ${MAX_LENGTH} characters at most`,
      }),
  };
  const bytes = await readSecretFile(file, { interrupted: deadline.signal });
  return bytes.toString("utf8");
}

import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { ProgramContext } from "../base/program.ts";
import type { Secret } from "../base/secret.ts";
import type { Clock } from "../base/world.ts";
import type { AssertionSource, RoleArn } from "../config/config.ts";
import { readSecretFile } from "./read-secret-file.ts";
import { commandOutput } from "./command-output.ts";
import { parseSamlResponse, type SamlClaims } from "./saml-response.ts";

/** The role to assume with an assertion, and the configured provider. */
interface WantedRole {
  readonly role: RoleArn;
  readonly principalArn: string | undefined;
}

/** STS: AssumeRoleWithSAML, SAMLAssertion has 100,000 characters at most. */
const MAX_LENGTH = 100_000;

/**
 * The audiences of AWS's sign-in: `https://signin.aws.amazon.com/saml`, those of regions and other partitions, those of one
 * provider (`…/saml/acs/SAMLSP…`), and `urn:amazon:webservices`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html).
 */
const AWS_AUDIENCE =
  /^(https:\/\/([\w.-]+\.)?signin\.(aws\.amazon\.com|amazonaws(-us-gov|-eusc)?\.(com|cn|eu))\/saml|urn:amazon:webservices)\b/;

/** STS judges by its own clock and allows some minutes; a minute of ours must not reject what STS accepts. */
const GRACE_MS = 60_000;

/**
 * Reads the SAML response from its file or command, and checks its status, times, audience and roles before STS is called.
 * Nothing is verified: STS verifies.
 *
 * @returns the assertion, its base64 as a secret, and the ARN of the SAML provider: the configured one, else the one that
 *   the assertion pairs with the role
 * @throws Failure TOKEN_MISSING, TOKEN_UNREADABLE, IDENTITY_UNAVAILABLE, IDENTITY_TEMPORARY; TOKEN_MALFORMED for a file
 *   (IDENTITY_INVALID_RESPONSE for a command) that holds no SAML response; those of `checkSamlClaims`
 */
export async function readSamlAssertion(
  source: AssertionSource,
  wanted: WantedRole,
  context: ProgramContext & { readonly clock: Pick<Clock, "now"> },
): Promise<{ readonly assertion: SamlClaims & { readonly response: Secret }; readonly principalArn: string }> {
  const isFile = source.kind === "file";
  const describe = isFile ? `the SAML response in ${source.path}` : "the SAML response of `saml_command`";
  const text = isFile
    ? await readAssertionFile(source.path, context)
    : await commandOutput("`saml_command`", source.command, context, MAX_LENGTH + 1024);
  const assertion = await parseSamlResponse(text.trim(), MAX_LENGTH, (why, hint) => {
    throw new Failure(isFile ? "TOKEN_MALFORMED" : "IDENTITY_INVALID_RESPONSE", `${describe} is invalid: ${why}`, {
      hint,
    });
  });
  return { assertion, principalArn: checkSamlClaims(assertion, wanted, context.clock.now(), describe) };
}

async function readAssertionFile(path: string, { deadline }: ProgramContext): Promise<string> {
  const file = {
    path,
    what: "SAML response",
    key: "saml_assertion_file",
    maxBytes: MAX_LENGTH * 2,
    tooLong: (size: number) =>
      new Failure("TOKEN_MALFORMED", `the SAML response in ${path} is too long: ${size} bytes`, {
        hint: `STS accepts at most ${MAX_LENGTH} characters`,
      }),
  };
  return (await readSecretFile(file, { interrupted: deadline.signal })).toString("utf8");
}

/**
 * Checks what a person could have got wrong, before STS is called.
 *
 * @param describe names the assertion in messages
 * @returns the ARN of the SAML provider
 * @throws Failure IDENTITY_DENIED, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, TOKEN_AUDIENCE, CONFIG_INVALID for an encrypted
 *   assertion without a configured provider
 */
export function checkSamlClaims(claims: SamlClaims, wanted: WantedRole, now: Date, describe: string): string {
  if (claims.status !== "Success") {
    throw new Failure("IDENTITY_DENIED", `${describe} reports a failed login: ${printable(claims.status, 60)}`, {
      hint: "log in to the identity provider again",
    });
  }
  if (claims.isEncrypted) {
    // Only AWS can read it.
    if (wanted.principalArn !== undefined) return wanted.principalArn;
    throw new Failure("CONFIG_INVALID", `${describe} is encrypted, and principal_arn is not set`, {
      hint: "add 'principal_arn = arn:aws:iam::ACCOUNT:saml-provider/NAME'",
    });
  }
  checkTime(claims, now, describe);
  const { audiences } = claims;
  if (audiences.length > 0 && !audiences.some((audience) => AWS_AUDIENCE.test(audience))) {
    const given = printable(audiences.join(", "), 200);
    throw new Failure("TOKEN_AUDIENCE", `the audience of ${describe} is ${given}, not AWS`, {
      hint: "use the response of the identity provider's AWS application: its audience is https://signin.aws.amazon.com/saml",
    });
  }
  const offered = claims.roles.find(
    ({ roleArn, principalArn }) =>
      roleArn === wanted.role.arn && (wanted.principalArn === undefined || principalArn === wanted.principalArn),
  );
  if (!offered) throw notOffered(claims, wanted, describe);
  return wanted.principalArn ?? offered.principalArn;
}

function checkTime({ notBefore, notOnOrAfter }: SamlClaims, now: Date, describe: string): void {
  if (notOnOrAfter && notOnOrAfter.getTime() + GRACE_MS <= now.getTime()) {
    throw new Failure("TOKEN_EXPIRED", `${describe} expired at ${renderInstant(notOnOrAfter)}`, {
      hint: "log in to the identity provider again: a response is valid for a few minutes",
    });
  }
  if (notBefore && notBefore.getTime() - 5 * GRACE_MS > now.getTime()) {
    throw new Failure("TOKEN_NOT_YET_VALID", `${describe} is not valid before ${renderInstant(notBefore)}`, {
      hint: "check this machine's clock with `timedatectl`",
    });
  }
}

function notOffered({ roles }: SamlClaims, { role, principalArn }: WantedRole, describe: string): Failure {
  const other = roles.find(({ roleArn }) => roleArn === role.arn);
  if (other) {
    return new Failure("IDENTITY_DENIED", `${describe} does not offer ${role.arn} through ${principalArn}`, {
      hint: `set principal_arn = ${printable(other.principalArn, 200)}`,
    });
  }
  const names = roles.map(({ roleArn }) => roleArn);
  const some = `${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
  return new Failure("IDENTITY_DENIED", `${describe} does not offer ${role.arn}`, {
    hint:
      names.length === 0
        ? "ask the identity provider's administrator: the response offers no role"
        : `use one of the offered roles: ${printable(some, 600)}`,
  });
}

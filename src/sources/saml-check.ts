import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { SamlClaims } from "./saml-response.ts";
import type { WantedRole } from "./saml-assertion.ts";

/**
 * The audiences of AWS's sign-in: `https://signin.aws.amazon.com/saml`, those of regions and other partitions, those of one
 * provider (`…/saml/acs/SAMLSP…`), and `urn:amazon:webservices`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html).
 */
const AWS_AUDIENCE =
  /^(https:\/\/([\w.-]+\.)?signin\.(aws\.amazon\.com|amazonaws(-us-gov|-eusc)?\.(com|cn|eu))\/saml|urn:amazon:webservices)\b/;

/**
 * What a person could have got wrong, pointed out before STS is called.
 *
 * @param describe what the assertion is, for messages
 * @returns the ARN of the SAML provider to name
 * @throws Failure IDENTITY_DENIED, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, TOKEN_AUDIENCE, TOKEN_MALFORMED
 */
export function checkSamlClaims(claims: SamlClaims, wanted: WantedRole, now: Date, describe: string): string {
  if (claims.status !== "Success") {
    throw new Failure("IDENTITY_DENIED", `${describe} is a refusal: ${printable(claims.status, 60)}`, {
      hint: "log in to the identity provider anew",
    });
  }
  // Nobody but AWS can read an encrypted one.
  if (claims.isEncrypted) return providerOf(undefined, wanted, describe);
  checkTime(claims, now, describe);
  const { audiences } = claims;
  if (audiences.length > 0 && !audiences.some((audience) => AWS_AUDIENCE.test(audience))) {
    throw new Failure("TOKEN_AUDIENCE", `${describe} is for ${printable(audiences.join(", "), 200)} and not for AWS`, {
      hint: "take the response of the identity provider's AWS application: its audience is https://signin.aws.amazon.com/saml",
    });
  }
  const offered = claims.roles.find(
    ({ roleArn, principalArn }) =>
      roleArn === wanted.role.arn && (wanted.principalArn === undefined || principalArn === wanted.principalArn),
  );
  if (!offered) throw notOffered(claims, wanted, describe);
  return providerOf(offered.principalArn, wanted, describe);
}

function providerOf(offered: string | undefined, wanted: WantedRole, describe: string): string {
  const arn = wanted.principalArn ?? offered;
  if (arn !== undefined) return arn;
  throw new Failure(
    "CONFIG_INVALID",
    `${describe} is encrypted: principal_arn must say which SAML provider it is for`,
    {
      hint: "add 'principal_arn = arn:aws:iam::ACCOUNT:saml-provider/NAME'",
    },
  );
}

/** STS judges by its own clock, with some minutes of grace; a minute of ours must not stand in its way. */
const GRACE_MS = 60_000;

function checkTime({ notBefore, notOnOrAfter }: SamlClaims, now: Date, describe: string): void {
  if (notOnOrAfter && notOnOrAfter.getTime() + GRACE_MS <= now.getTime()) {
    throw new Failure("TOKEN_EXPIRED", `${describe} expired at ${renderInstant(notOnOrAfter)}`, {
      hint: "log in to the identity provider anew: a response is good for some minutes",
    });
  }
  if (notBefore && notBefore.getTime() - 5 * GRACE_MS > now.getTime()) {
    throw new Failure("TOKEN_NOT_YET_VALID", `${describe} is not valid before ${renderInstant(notBefore)}`, {
      hint: "check this machine's clock with `timedatectl`",
    });
  }
}

function notOffered({ roles }: SamlClaims, { role, principalArn }: WantedRole, describe: string): Failure {
  const same = roles.filter(({ roleArn }) => roleArn === role.arn);
  if (same.length > 0) {
    return new Failure(
      "IDENTITY_DENIED",
      `${describe} offers ${role.arn} through another provider than ${principalArn}`,
      {
        hint: `set principal_arn = ${printable(same[0]?.principalArn ?? "", 200)}`,
      },
    );
  }
  const names = roles.map(({ roleArn }) => roleArn);
  const some = `${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
  return new Failure("IDENTITY_DENIED", `${describe} does not offer ${role.arn}`, {
    hint:
      names.length === 0
        ? "it offers no role at all: ask the identity provider's administrator"
        : `it offers ${printable(some, 600)}`,
  });
}

import { Failure } from "../base/failure.ts";
import { renderDuration, renderInstant } from "../base/duration.ts";
import { Secret } from "../base/secret.ts";
import { printable } from "../base/printable.ts";
import type { Clock } from "../base/world.ts";
import { parseRecord } from "../net/json-response.ts";
import type { IdentityToken, TokenClaims } from "../sts/identity-token.ts";

/**
 * The longest `WebIdentityToken` that STS takes, in characters
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html: 4 to 20000).
 */
export const MAX_TOKEN_LENGTH = 20_000;

/** A token that expired less than this ago is still sent: AWS judges by its own clock, which may be behind ours. */
const EXPIRED_LEEWAY_MS = 60_000;
/** A token that becomes valid within this time is sent: the usual allowance for clock skew. */
const EARLY_LEEWAY_MS = 300_000;

const CLOCK_HINT = "check this machine's clock with `timedatectl`";

/**
 * Decodes a JWT's claims without verifying anything (STS verifies).
 *
 * @param describe names the token in messages: `the token in /run/token`
 * @throws Failure TOKEN_MALFORMED: empty, too long for STS, not three base64url parts, or claims that are not a JSON
 *   object. The message gives the length and never the content.
 */
export function decodeClaims(token: string, describe = "the identity token"): TokenClaims {
  if (token === "") throw new Failure("TOKEN_MALFORMED", `${describe} is empty`);
  if (token.length > MAX_TOKEN_LENGTH) throw tooLong(describe, token.length);
  const [, header, payload] = /^([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(token) ?? [];
  if (header === undefined || payload === undefined)
    throw malformed(describe, `is not a JWT of three base64url parts (${token.length} bytes)`);
  if (parseRecord(decoded(header)) === undefined)
    throw malformed(describe, `has a header that is not JSON (${token.length} bytes)`);
  const claims = parseRecord(decoded(payload));
  if (claims === undefined) throw malformed(describe, `has claims that are not a JSON object (${token.length} bytes)`);
  return {
    issuer: textOf(claims["iss"]),
    subject: textOf(claims["sub"]),
    audience: audienceOf(claims["aud"]),
    authorizedParty: textOf(claims["azp"]),
    issuedAt: instantOf(claims["iat"], "iat", describe),
    notBefore: instantOf(claims["nbf"], "nbf", describe),
    expiresAt: instantOf(claims["exp"], "exp", describe),
    email: textOf(claims["email"]),
  };
}

interface ExpectedAudience {
  /** When given, it must be one of the token's `aud`. */
  readonly audience?: string | undefined;
  /** Other spellings that are accepted: Microsoft Entra ID puts `api://ID` or `ID` into the token. */
  readonly otherAudiences?: readonly string[] | undefined;
}

interface TokenCheck extends ExpectedAudience {
  /** The time to judge by: this machine's, or the issuer's own where it sent one. */
  readonly now: Date;
  /** Names the token in messages. */
  readonly describe?: string;
}

/**
 * Decodes a token and checks its times and audience before it is sent, so that the message says what is wrong. A token
 * that expired up to 60 s ago or becomes valid within 300 s passes, and so does one without times: STS decides.
 *
 * @throws Failure TOKEN_MALFORMED, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID or TOKEN_AUDIENCE; the message shows `iss`,
 *   `aud`, `azp`, `sub` and `exp`, never the token.
 */
export function checkToken(token: string, check: TokenCheck): IdentityToken {
  const { describe = "the identity token" } = check;
  const claims = decodeClaims(token, describe);
  const now = check.now.getTime();
  const summary = describeClaims(claims);
  if (claims.expiresAt !== undefined && claims.expiresAt.getTime() + EXPIRED_LEEWAY_MS <= now) {
    const ago = renderDuration(now - claims.expiresAt.getTime());
    throw new Failure("TOKEN_EXPIRED", `${describe} expired ${ago} ago (now ${renderInstant(check.now)}; ${summary})`, {
      hint: `get a new token from its issuer; if it is new, ${CLOCK_HINT}`,
    });
  }
  const begins = claims.notBefore ?? claims.issuedAt;
  if (begins !== undefined && begins.getTime() - EARLY_LEEWAY_MS > now) {
    const ahead = renderDuration(begins.getTime() - now);
    throw new Failure(
      "TOKEN_NOT_YET_VALID",
      `${describe} is not valid for another ${ahead} (now ${renderInstant(check.now)}; ${summary})`,
      { hint: `${CLOCK_HINT}: it is probably behind` },
    );
  }
  const wanted = check.audience === undefined ? [] : [check.audience, ...(check.otherAudiences ?? [])];
  if (check.audience !== undefined && !wanted.some((one) => claims.audience.includes(one))) {
    throw new Failure(
      "TOKEN_AUDIENCE",
      `${describe} is not for the audience ${printable(check.audience)} (${summary})`,
      {
        hint: "set `audience` to what the token was issued for, or have it issued for this audience",
      },
    );
  }
  return { token: new Secret(token), claims };
}

/**
 * Checks a token that a server or a program responded with: text that is not a JWT is an invalid response there, not a
 * broken file.
 *
 * @param expected with the server's own time, the token's times are judged by it, so that a wrong clock does no harm
 * @throws Failure IDENTITY_INVALID_RESPONSE instead of TOKEN_MALFORMED, otherwise as `checkToken`
 */
export function checkResponseToken(
  text: string,
  describe: string,
  clock: Pick<Clock, "now">,
  { serverTime, ...expected }: ExpectedAudience & { readonly serverTime?: Date | undefined },
): IdentityToken {
  const ours = clock.now();
  try {
    const token = checkToken(text.trim(), { now: serverTime ?? ours, describe, ...expected });
    return serverTime === undefined ? token : { ...token, clockAheadMs: ours.getTime() - serverTime.getTime() };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TOKEN_MALFORMED") throw error;
    throw new Failure("IDENTITY_INVALID_RESPONSE", error.message, { hint: error.hint, cause: error });
  }
}

/** The claims on one line: `iss=… aud=… azp=… sub=… exp=…`. */
export function describeClaims(claims: TokenClaims): string {
  const audience = claims.audience.length === 0 ? undefined : claims.audience.join(",");
  const expiry = claims.expiresAt === undefined ? "none" : renderInstant(claims.expiresAt);
  return (
    `iss=${formatted(claims.issuer)} aud=${formatted(audience)} azp=${formatted(claims.authorizedParty)} ` +
    `sub=${formatted(claims.subject)} exp=${expiry}`
  );
}

const formatted = (value: string | undefined): string => (value === undefined ? "none" : printable(value));

/** The failure for a token that STS would reject for its length. */
export function tooLong(describe: string, bytes: number): Failure {
  return malformed(describe, `is ${bytes} bytes long, and STS accepts at most ${MAX_TOKEN_LENGTH}`);
}

function malformed(describe: string, what: string): Failure {
  return new Failure("TOKEN_MALFORMED", `${describe} ${what}`, {
    hint: "provide one line `header.claims.signature` from an OpenID Connect issuer",
  });
}

const decoded = (part: string): string => Buffer.from(part, "base64url").toString("utf8");

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** RFC 7519 4.1.3: one string or an array of them. */
function audienceOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

/** RFC 7519 2: a NumericDate is seconds since the epoch, with or without a fraction. */
function instantOf(value: unknown, name: string, describe: string): Date | undefined {
  if (value === undefined) return undefined;
  const instant = new Date(typeof value === "number" ? value * 1000 : Number.NaN);
  // A year of five digits comes from milliseconds taken for seconds.
  if (Number.isNaN(instant.getTime()) || Math.abs(instant.getTime()) > 253_402_300_799_000) {
    throw malformed(describe, `has an \`${name}\` that is not a time in seconds`);
  }
  return instant;
}

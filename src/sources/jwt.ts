import { Failure } from "../base/failure.ts";
import { renderDuration, renderInstant } from "../base/duration.ts";
import { Secret } from "../base/secret.ts";
import { printable } from "../base/printable.ts";
import { isRecord } from "../net/json-response.ts";
import type { IdentityToken, TokenClaims } from "../sts/identity-token.ts";

/**
 * The longest `WebIdentityToken` that STS takes, in characters
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html: 4 to 20000).
 */
export const MAX_TOKEN_LENGTH = 20_000;

/** A token that ended less than this ago is still sent: AWS judges by its own clock, which may be behind ours. */
const EXPIRED_LEEWAY_MS = 60_000;
/** A token that begins within this time is sent: the usual allowance for skew between issuer and reader. */
const EARLY_LEEWAY_MS = 300_000;

const CLOCK_HINT = "check this machine's clock with `timedatectl`";

/**
 * Decodes a JWT's claims without verifying anything (STS verifies).
 *
 * @param describe what is read, for messages: `the token in /run/token`.
 * @throws Failure TOKEN_MALFORMED: empty, too long for STS, not three base64url parts, or claims that are not a JSON
 *   object. The message says how long the text is and never what it holds.
 */
export function decodeClaims(token: string, describe = "the identity token"): TokenClaims {
  if (token === "") throw new Failure("TOKEN_MALFORMED", `${describe} is empty`);
  if (token.length > MAX_TOKEN_LENGTH) {
    throw tooLong(describe, token.length);
  }
  const parts = token.split(".");
  const [header, payload, signature] = parts;
  const shaped = parts.length === 3 && parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part));
  if (!shaped || header === undefined || payload === undefined || signature === undefined) {
    throw malformed(describe, `is not a JWT of three base64url parts (${token.length} bytes)`);
  }
  if (parseObject(header) === undefined)
    throw malformed(describe, `has a header that is not JSON (${token.length} bytes)`);
  const claims = parseObject(payload);
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

/** What a token's claims are held against before STS sees it. */
export interface TokenCheck {
  /** The time to judge by: this machine's, or the issuer's own where it sent one. */
  readonly now: Date;
  /** When given, it must be one of the token's `aud`. */
  readonly audience?: string | undefined;
  /** Other spellings of it that are as good: Microsoft Entra ID puts `api://ID` or `ID` into the token. */
  readonly otherAudiences?: readonly string[] | undefined;
  /** What is checked, for messages. */
  readonly describe?: string | undefined;
}

/**
 * Decodes a token and looks at its times and audience before it is sent, so that the reason is told in words. A token
 * that ended up to 60 s ago or begins within 300 s passes, and so does one without times: STS has the last word.
 *
 * @throws Failure TOKEN_MALFORMED, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID or TOKEN_AUDIENCE; the message shows `iss`,
 *   `aud`, `azp`, `sub` and `exp`, never the token.
 */
export function checkToken(token: string, check: TokenCheck): IdentityToken {
  const describe = check.describe ?? "the identity token";
  const claims = decodeClaims(token, describe);
  const now = check.now.getTime();
  const told = describeClaims(claims);
  if (claims.expiresAt !== undefined && claims.expiresAt.getTime() + EXPIRED_LEEWAY_MS <= now) {
    const ago = renderDuration(now - claims.expiresAt.getTime());
    throw new Failure("TOKEN_EXPIRED", `${describe} expired ${ago} ago (now ${renderInstant(check.now)}; ${told})`, {
      hint: `get a new token from its issuer; when it is new, ${CLOCK_HINT}`,
    });
  }
  const begins = claims.notBefore ?? claims.issuedAt;
  if (begins !== undefined && begins.getTime() - EARLY_LEEWAY_MS > now) {
    const ahead = renderDuration(begins.getTime() - now);
    throw new Failure(
      "TOKEN_NOT_YET_VALID",
      `${describe} is not valid for another ${ahead} (now ${renderInstant(check.now)}; ${told})`,
      { hint: `this machine's clock is probably behind: ${CLOCK_HINT}` },
    );
  }
  const wanted = check.audience === undefined ? [] : [check.audience, ...(check.otherAudiences ?? [])];
  if (check.audience !== undefined && !wanted.some((one) => claims.audience.includes(one))) {
    throw new Failure("TOKEN_AUDIENCE", `${describe} is not for the audience ${printable(check.audience)} (${told})`, {
      hint: "set `audience` to what the token was issued for, or have it issued for this audience",
    });
  }
  return { token: new Secret(token), claims };
}

/** The claims that people need to see, on one line: `iss=… aud=… azp=… sub=… exp=…`. */
export function describeClaims(claims: TokenClaims): string {
  const audience = claims.audience.length === 0 ? undefined : claims.audience.join(",");
  const expiry = claims.expiresAt === undefined ? "none" : renderInstant(claims.expiresAt);
  return (
    `iss=${shown(claims.issuer)} aud=${shown(audience)} azp=${shown(claims.authorizedParty)} ` +
    `sub=${shown(claims.subject)} exp=${expiry}`
  );
}

const shown = (value: string | undefined): string => (value === undefined ? "none" : printable(value));

/** What to throw for a token that STS would refuse for its length. */
export function tooLong(describe: string, bytes: number): Failure {
  return malformed(describe, `is ${bytes} bytes long and STS takes ${MAX_TOKEN_LENGTH} at most`);
}

function malformed(describe: string, what: string): Failure {
  return new Failure("TOKEN_MALFORMED", `${describe} ${what}`, {
    hint: "an identity token is one line `header.claims.signature` from an OpenID Connect issuer",
  });
}

function parseObject(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

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
  // Years of five digits come from milliseconds taken for seconds; no issuer means them.
  if (Number.isNaN(instant.getTime()) || Math.abs(instant.getTime()) > 253_402_300_799_000) {
    throw malformed(describe, `has an \`${name}\` that is not a time in seconds`);
  }
  return instant;
}

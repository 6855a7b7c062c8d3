import type { Credentials } from "@aws-sdk/client-sts";
import { Failure } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import type { RoleArn } from "../config/config.ts";
import { redact } from "../base/printable.ts";
import type { IssuedSession } from "./session.ts";

/** An unvalidated STS response. */
export interface RawSession {
  readonly credentials: Credentials | undefined;
  readonly assumedRoleArn: string | undefined;
  readonly stsTime: Date | undefined;
  readonly receivedAt: Date;
}

/** Whose session a response must hold. */
interface ExpectedSession {
  /** What was requested, for messages: the role's ARN. */
  readonly subject: string;
  /** Undefined where the response names no principal (GetSessionToken). */
  readonly principal: { readonly role: RoleArn; readonly sessionName: string } | undefined;
}

/** Temporary keys begin with ASIA (IAM User Guide, "Unique identifiers"); the rest by STS's API reference: `\w`, 16 to 128. */
const ACCESS_KEY_ID = /^ASIA\w{12,124}$/;
/**
 * Printable ASCII without blanks, and without the characters at which some reader of the credentials file cuts or strips
 * a value (quotes, `#`, `;`, `\`). AWS's are base64.
 */
const VALUE = /^[\x21\x24-\x26\x28-\x3a\x3c-\x5b\x5d-\x7e]+$/;
const SECRET_LENGTH = { min: 16, max: 256 };
/** AWS gives no maximum ("we strongly recommend that you make no assumptions"); a line of 64 KiB is still readable by all. */
const TOKEN_LENGTH = { min: 16, max: 64 * 1024 };
/** No STS session lives longer than 36 h (GetFederationToken); a role's lives 12 h at most. */
const LONGEST_MS = 36 * 3_600_000;

/**
 * Checks every field of a response. The expiry is compared with STS's own clock where the response has a `Date`, so that a machine
 * with a wrong clock still gets its session.
 *
 * @throws Failure STS_INVALID_RESPONSE that names the field and never shows a key or token
 */
export function validateSession(raw: RawSession, expected: ExpectedSession): IssuedSession {
  const { credentials } = raw;
  const { subject, principal } = expected;
  if (credentials === undefined) throw invalidResponse(subject, "it has no credentials");
  const { AccessKeyId: accessKeyId, SecretAccessKey: secret, SessionToken: token, Expiration: expiresAt } = credentials;
  if (accessKeyId === undefined || !ACCESS_KEY_ID.test(accessKeyId)) {
    throw invalidResponse(subject, "the access key ID is not that of temporary credentials (ASIA…)");
  }
  if (!isValue(secret, SECRET_LENGTH)) throw invalidResponse(subject, "the secret access key is missing or malformed");
  if (!isValue(token, TOKEN_LENGTH)) throw invalidResponse(subject, "the session token is missing or malformed");
  checkExpiry(expiresAt, raw, subject);
  const principalArn = principal && checkPrincipal(raw.assumedRoleArn, subject, principal.role, principal.sessionName);
  return {
    accessKeyId,
    secretAccessKey: new Secret(secret),
    sessionToken: new Secret(token),
    expiresAt,
    principalArn,
    clockAheadMs: raw.stsTime === undefined ? undefined : raw.receivedAt.getTime() - raw.stsTime.getTime(),
  };
}

/** Whether every reader of the credentials file reads a value as it is written. */
export function isPlainValue(text: string): boolean {
  return text.length <= TOKEN_LENGTH.max && VALUE.test(text);
}

function isValue(text: string | undefined, length: { min: number; max: number }): text is string {
  return text !== undefined && text.length >= length.min && text.length <= length.max && isPlainValue(text);
}

function checkExpiry(expiresAt: Date | undefined, raw: RawSession, subject: string): asserts expiresAt is Date {
  if (!(expiresAt instanceof Date) || Number.isNaN(expiresAt.getTime())) {
    throw invalidResponse(subject, "the expiry is missing or invalid");
  }
  const leftMs = expiresAt.getTime() - (raw.stsTime ?? raw.receivedAt).getTime();
  if (leftMs <= 0) throw invalidResponse(subject, `the expiry ${expiresAt.toISOString()} is in the past`);
  if (leftMs > LONGEST_MS) throw invalidResponse(subject, `the expiry ${expiresAt.toISOString()} is too far away`);
}

/** `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`; IAM compares role names without case. */
function checkPrincipal(arn: string | undefined, subject: string, role: RoleArn, sessionName: string): string {
  const expected = `arn:${role.partition}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`;
  if (arn === undefined) throw invalidResponse(subject, "it names no role");
  if (arn.toLowerCase() !== expected.toLowerCase() || !arn.endsWith(`/${sessionName}`)) {
    throw invalidResponse(subject, `it is for ${redact(arn, 200)}, not for ${expected}`);
  }
  return arn;
}

function invalidResponse(subject: string, what: string): Failure {
  return new Failure("STS_INVALID_RESPONSE", `STS returned an invalid response for ${subject}: ${what}`, {
    hint: "check `endpoint_url`, AWS_ENDPOINT_URL_STS and any proxy in between; nothing was written",
  });
}

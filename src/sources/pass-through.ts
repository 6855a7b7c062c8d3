import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { RoleSession, SigningKeys } from "../sts/session.ts";
import { isPlainValue } from "../sts/validate-session.ts";

/** Credentials from another provider: they sign a call to STS, or are passed through unchanged. */
export interface ProvidedCredentials extends SigningKeys {
  /** Undefined where the provider does not say. */
  readonly expiresAt: Date | undefined;
}

/**
 * Makes a profile's session of another provider's credentials, unchanged.
 *
 * @param describe names the provider in messages
 * @throws Failure SOURCE_KEYS_MISSING for long-lived keys, which are never copied; TOKEN_EXPIRED; IDENTITY_INVALID_RESPONSE for
 *   values that not every reader of the credentials file would read back
 */
export function passThrough(credentials: ProvidedCredentials, describe: string, now: Date): RoleSession {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credentials;
  if (sessionToken === undefined) {
    throw new Failure("SOURCE_KEYS_MISSING", `${describe} provides long-lived keys, which are not copied`, {
      hint: "add a role_arn to assume with them, or use 'identity = session'",
    });
  }
  if (expiresAt && expiresAt <= now) {
    throw new Failure("TOKEN_EXPIRED", `the credentials of ${describe} expired at ${renderInstant(expiresAt)}`, {
      hint: "log in again, and check this machine's clock with `timedatectl`",
    });
  }
  if (![accessKeyId, secretAccessKey.reveal(), sessionToken.reveal()].every(isPlainValue))
    throw new Failure("IDENTITY_INVALID_RESPONSE", `the credentials file cannot hold the credentials of ${describe}`);
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt, principalArn: undefined, clockAheadMs: undefined };
}

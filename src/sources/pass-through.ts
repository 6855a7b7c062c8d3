import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { isPlainValue } from "../sts/validate-session.ts";
import type { RoleSession, SigningKeys } from "../sts/session.ts";

/** Keys that another provider gave: they may sign a call, or be handed on as they are. */
export interface ProvidedKeys extends SigningKeys {
  /** Undefined where the provider does not tell. */
  readonly expiresAt: Date | undefined;
}

/** As the SDK's providers give them. */
export interface SdkKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/**
 * Makes a profile's session of keys that are handed on as they are.
 *
 * @param describe whose they are, for messages
 * @throws Failure SOURCE_KEYS_MISSING for long-lived keys, which are never copied; TOKEN_EXPIRED; IDENTITY_INVALID_RESPONSE for
 *   values that not every reader of the credentials file would read back
 */
export function handOn(keys: ProvidedKeys, describe: string, now: Date): RoleSession {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = keys;
  if (sessionToken === undefined) {
    throw new Failure("SOURCE_KEYS_MISSING", `${describe} gives long-lived keys, which are not copied`, {
      hint: "add a role_arn to assume with them, or use 'identity = session'",
    });
  }
  if (expiresAt && expiresAt <= now) {
    throw new Failure("TOKEN_EXPIRED", `the keys of ${describe} expired at ${renderInstant(expiresAt)}`, {
      hint: "log in again, and check this machine's clock with `timedatectl`",
    });
  }
  for (const value of [accessKeyId, secretAccessKey.reveal(), sessionToken.reveal()]) {
    if (!isPlainValue(value))
      throw new Failure(
        "IDENTITY_INVALID_RESPONSE",
        `the keys of ${describe} are no values that a credentials file can hold`,
      );
  }
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt, principalArn: undefined, clockAheadMs: undefined };
}

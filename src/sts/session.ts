import type { Secret } from "../base/secret.ts";

/** Keys that sign a request: of an earlier role session, or long-lived ones. */
export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret | undefined;
}

/** Temporary keys that go into the credentials file, every field checked. */
export interface RoleSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  /** Undefined where the source does not tell (a `credential_process` need not). */
  readonly expiresAt: Date | undefined;
  /** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`; undefined where nobody says whose keys these are. */
  readonly principalArn: string | undefined;
  /** How far this machine's clock is ahead of STS's (its `Date` header), in milliseconds; undefined when it had none. */
  readonly clockAheadMs: number | undefined;
}

/** What STS itself gave: it always tells when it ends. */
export interface IssuedSession extends RoleSession {
  readonly expiresAt: Date;
}

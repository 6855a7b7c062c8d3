import type { Secret } from "../base/secret.ts";

/** Keys that sign a request: of an earlier role session, or long-lived ones. */
export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret | undefined;
}

/** What STS gave for a role, every field checked. */
export interface RoleSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  readonly expiresAt: Date;
  /** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` */
  readonly principalArn: string;
  /** How far this machine's clock is ahead of STS's (its `Date` header), in milliseconds; undefined when it had none. */
  readonly clockAheadMs: number | undefined;
}

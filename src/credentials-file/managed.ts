/** The managed keys: the only ones that rolefresh writes or removes, in the order in which a new section holds them. */
export const MANAGED_KEYS = [
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
  // The token again: boto2 reads only this key, and botocore tries it before `aws_session_token`, so a stale one left by
  // another tool would win over the fresh token (botocore credentials.py, SharedCredentialProvider.TOKENS).
  "aws_security_token",
  "x_principal_arn",
  "x_security_token_expires",
  "manager",
] as const;

/** A key that rolefresh writes, and may take out. */
export type ManagedKey = (typeof MANAGED_KEYS)[number];

/** The value of `manager` in the sections that are ours. */
export const MANAGER = "rolefresh";

const KEYS: ReadonlySet<string> = new Set(MANAGED_KEYS);

/** Whether a key, already in lower case, is managed. */
export function isManagedKey(key: string): key is ManagedKey {
  return KEYS.has(key);
}

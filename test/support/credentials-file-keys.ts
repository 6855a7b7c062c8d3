import { Secret } from "../../src/base/secret.ts";
import type { Edit, ManagedKeys } from "../../src/credentials-file/edit.ts";
import { type CredentialsDocument, parseDocument } from "../../src/credentials-file/document.ts";

/** The keys that the vectors write. */
export const NEW_KEYS: ManagedKeys = {
  accessKeyId: "ASIANEW",
  secretAccessKey: new Secret("new/secret+key="),
  sessionToken: new Secret("new/token+=="),
  principalArn: "arn:aws:sts::123412341234:assumed-role/R/s",
  expiresAt: new Date("2026-11-23T10:00:00Z"),
};

/** What a reader is to find for `NEW_KEYS`. */
export const NEW_VALUES: Readonly<Record<string, string>> = {
  aws_access_key_id: "ASIANEW",
  aws_secret_access_key: "new/secret+key=",
  aws_session_token: "new/token+==",
  aws_security_token: "new/token+==",
  x_principal_arn: "arn:aws:sts::123412341234:assumed-role/R/s",
  x_security_token_expires: "2026-11-23T10:00:00Z",
  manager: "rolefresh",
};

export const WRITE: Edit = { kind: "write", keys: NEW_KEYS };
export const REMOVE: Edit = { kind: "remove" };

export function documentOf(content: string | Buffer): CredentialsDocument {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return parseDocument({ file: { path: "credentials" }, bytes });
}

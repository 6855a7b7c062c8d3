import type { RoleArn } from "./config.ts";

/**
 * `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`; the name has 1 to 64 of `\w+=,.@-` (IAM API reference, CreateRole), the
 * path any printable ASCII between slashes. STS shows the name without the path.
 */
const ROLE_ARN = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):role\/(?:[\x21-\x7e]*\/)?([\w+=,.@-]{1,64})$/;

/**
 * Takes the ARN of an IAM role apart, in any partition and with any path; undefined for anything else (IAM User Guide,
 * "IAM identifiers").
 */
export function parseRoleArn(text: string): RoleArn | undefined {
  const match = ROLE_ARN.exec(text);
  const [, partition, account, name] = match ?? [];
  if (partition === undefined || account === undefined || name === undefined || text.length > 2048) return undefined;
  return { arn: text, partition, account, name };
}

/** What to write instead, for the ARNs that people paste by mistake. */
export function roleArnHint(text: string): string {
  if (/:assumed-role\//.test(text)) return "this is the ARN of a session; write arn:aws:iam::ACCOUNT:role/NAME";
  if (/:instance-profile\//.test(text)) return "this is the ARN of an instance profile; write the role's own ARN";
  if (/:(user|root)/.test(text)) return "this is not a role; write arn:aws:iam::ACCOUNT:role/NAME";
  return "write arn:aws:iam::ACCOUNT:role/NAME, the account with 12 digits";
}

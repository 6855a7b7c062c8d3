import { createHash, randomBytes } from "node:crypto";
import type { TrustPolicy } from "./trust-policy.ts";

/** What the sandbox's AWS knows: roles, users, identity providers, and the sessions that it has issued. */

export interface SandboxRole {
  /** `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` */
  readonly arn: string;
  readonly trustPolicy: TrustPolicy;
  /** Seconds; 3600 when absent, as IAM has it. */
  readonly maxSessionDuration?: number;
}

/** An IAM user with a long-lived access key. */
export interface SandboxUser {
  /** `arn:aws:iam::ACCOUNT:user/NAME` */
  readonly arn: string;
  /** `AKIA…` */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A second factor, with the codes that it will show. */
  readonly mfa?: { readonly serial: string; readonly codes: readonly string[] };
}

/** An OpenID Connect provider as created in IAM, in every account. `accounts.google.com` is built in and needs none. */
export interface SandboxOidcProvider {
  /** `https://…`, or the sandbox's own `http://127.0.0.1:…`. */
  readonly issuer: string;
  readonly clientIds: readonly string[];
}

/** Whoever holds an access key. */
export interface Principal {
  /** What GetCallerIdentity shows: a user's ARN or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  readonly userId: string;
  readonly account: string;
  /** The role behind a session; undefined for a user. Assuming another role with it is role chaining. */
  readonly roleArn: string | undefined;
  readonly sourceIdentity: string | undefined;
  /** Session tags that travel along a chain. */
  readonly transitiveTags: ReadonlyMap<string, string>;
  /** Whether a second factor was given (GetSessionToken). */
  readonly hasMfa?: boolean;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly expiresAt: Date | undefined;
  readonly principal: Principal;
}

export interface Realm {
  /** The servers' clock. */
  readonly now: () => Date;
  readonly roles: Map<string, SandboxRole>;
  readonly providers: readonly SandboxOidcProvider[];
  readonly keys: Map<string, AccessKey>;
  /** By serial number. A code that was used is deleted. */
  readonly mfaDevices: Map<string, { readonly userArn: string; readonly codes: Set<string> }>;
}

export interface ArnParts {
  readonly partition: string;
  readonly account: string;
  /** What stands after `role/`, without its path. */
  readonly name: string;
}

/** Takes the ARN of an IAM role or user apart. */
export function splitArn(arn: string): ArnParts | undefined {
  const parts = /^arn:([a-z0-9-]+):iam::(\d{12}):(?:role|user)\/(?:[!-~]*\/)?([\w+=,.@-]{1,128})$/.exec(arn);
  if (parts === null) return undefined;
  const [, partition = "", account = "", name = ""] = parts;
  return { partition, account, name };
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const toBase32 = (bytes: Buffer, length: number): string =>
  Array.from(bytes.subarray(0, length), (byte) => BASE32[byte % 32]).join("");

/** The unique ID of a role (`AROA…`) or user (`AIDA…`): 21 characters, always the same for the same ARN. */
export function uniqueId(prefix: "AROA" | "AIDA", arn: string): string {
  return prefix + toBase32(createHash("sha256").update(arn).digest(), 17);
}

export function addUser(realm: Realm, user: SandboxUser): void {
  const parts = splitArn(user.arn);
  if (parts === undefined) throw new TypeError(`not the ARN of an IAM user: ${user.arn}`);
  if (user.mfa) realm.mfaDevices.set(user.mfa.serial, { userArn: user.arn, codes: new Set(user.mfa.codes) });
  realm.keys.set(user.accessKeyId, {
    accessKeyId: user.accessKeyId,
    secretAccessKey: user.secretAccessKey,
    sessionToken: undefined,
    expiresAt: undefined,
    principal: {
      arn: user.arn,
      userId: uniqueId("AIDA", user.arn),
      account: parts.account,
      roleArn: undefined,
      sourceIdentity: undefined,
      transitiveTags: new Map(),
    },
  });
}

/**
 * Bytes that today's real tokens start with in base64 (`IQoJb3JpZ2luX2Vj`, seen in public bug reports). AWS promises
 * neither a length nor a shape ("we strongly recommend that you make no assumptions", STS API reference, Credentials).
 */
const TOKEN_PREFIX = Buffer.from("IQoJb3JpZ2luX2Vj", "base64");

/** About 1000 characters that hold `/`, `+` and a final `=`, so that a reader which stumbles over one is noticed. */
function makeSessionToken(): string {
  for (;;) {
    const token = Buffer.concat([TOKEN_PREFIX, randomBytes(725)]).toString("base64");
    if (token.includes("/") && token.includes("+") && token.endsWith("=")) return token;
  }
}

/** Issues `ASIA…` keys for a principal and remembers them. */
export function issueKeys(
  realm: Realm,
  principal: Principal,
  durationSeconds: number,
): AccessKey & {
  readonly sessionToken: string;
  readonly expiresAt: Date;
} {
  const issuedAt = Math.floor(realm.now().getTime() / 1000);
  const keys = {
    accessKeyId: `ASIA${toBase32(randomBytes(16), 16)}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: makeSessionToken(),
    expiresAt: new Date((issuedAt + durationSeconds) * 1000),
    principal,
  };
  realm.keys.set(keys.accessKeyId, keys);
  return keys;
}

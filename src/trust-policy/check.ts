// oxlint-disable-next-line no-restricted-imports -- a policy may come through a pipe, as standard input or <(aws iam …)
import { createReadStream } from "node:fs";

import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import { errnoOf, Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { World } from "../base/world.ts";
import type { ProfileSpec, RoleArn } from "../config/config.ts";
import { withinLimit } from "../safe-file/time-limit.ts";
import { parseTrustPolicy } from "./document.ts";
import { evaluate, type Verdict } from "./evaluate.ts";
import type { TrustSubject } from "./subject.ts";
import { assumeRoleRequest, type TrustRequest, webIdentityRequest } from "./trust-request.ts";

/** A profile that has a role. */
export type RoleSpec = ProfileSpec & { readonly role: RoleArn };

/**
 * Whether a policy lets the subject assume the profile's role.
 *
 * @throws Failure POLICY_MALFORMED
 */
export function checkPolicy(spec: RoleSpec, subject: TrustSubject, policy: PolicyText): Verdict {
  return evaluate(parseTrustPolicy(policy.text, policy.describe), requestOf(spec, subject));
}

function requestOf(spec: RoleSpec, subject: TrustSubject): TrustRequest {
  return subject.kind === "token"
    ? webIdentityRequest(subject.claims, spec.role, subject.sessionName)
    : assumeRoleRequest(subject.source, subject.parameters);
}

/** The verdict for people: one line if accepted, else the findings by statement. */
export function verdictText({ accepted, findings }: Verdict, who: string, spec: RoleSpec): string {
  if (accepted) return `accepted: the policy lets ${printable(who, 2048)} assume ${spec.role.arn}\n`;
  let text = "not accepted\n";
  let last: string | undefined;
  for (const { statement, sid, effect, message } of findings) {
    const head = `statement ${statement}${sid === undefined ? "" : ` '${sid}'`} (${effect}):`;
    if (head !== last) text += `${printable(head, 200)}\n`;
    last = head;
    text += `  ${printable(message, 2000)}\n`;
  }
  return text;
}

/** The verdict for `--json`. */
export function verdictJson(spec: RoleSpec, { accepted, findings }: Verdict): unknown {
  return {
    profile: spec.profile,
    role_arn: spec.role.arn,
    accepted,
    findings: findings.map(({ statement, sid, effect, element, operator, key, expected, actual, message }) => ({
      statement,
      sid: sid ?? null,
      effect,
      element,
      operator: operator ?? null,
      key: key ?? null,
      expected,
      actual: actual ?? null,
      message,
    })),
  };
}

/** A policy to be checked. */
export interface PolicyText {
  readonly text: string;
  /** For messages: `the trust policy in /home/u/trust.json`. */
  readonly describe: string;
}

/** IAM's quota is 2048 to 8192 characters; URL-encoded and in a response it is a few times that. */
const MAX_BYTES = 1024 * 1024;

/** At most one byte more than is allowed. */
async function readStream(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: MAX_BYTES })) if (chunk instanceof Buffer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Reads the policy of `--check`: a file, a pipe, or `-` for standard input.
 *
 * @throws Failure POLICY_MISSING, POLICY_UNREADABLE, POLICY_MALFORMED when it is larger than 1 MiB, TIMEOUT
 */
export async function readPolicy(name: string, world: World): Promise<PolicyText> {
  const path = name === "-" ? "/dev/stdin" : pathOrThrow("--check", expandPath(name, world, world.cwd));
  const described = name === "-" ? "the trust policy on standard input" : `the trust policy in ${path}`;
  try {
    const bytes = await withinLimit(path, readStream(path), world);
    if (bytes.length > MAX_BYTES) throw new Failure("POLICY_MALFORMED", `${described} is larger than 1 MiB`);
    return { text: bytes.toString("utf8"), describe: described };
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof Failure || errno === undefined) throw error;
    if (errno === "ENOENT" || errno === "ENOTDIR") {
      throw new Failure("POLICY_MISSING", `the trust policy ${path} does not exist`, {
        hint: "save one with 'aws iam get-role --role-name NAME' and pass that file",
        cause: error,
      });
    }
    throw new Failure("POLICY_UNREADABLE", `${described} cannot be read (${errno})`, { cause: error });
  }
}

// oxlint-disable-next-line no-restricted-imports -- a policy may come through a pipe, as standard input or <(aws iam …)
import { createReadStream } from "node:fs";

import { startDeadline } from "../base/deadline.ts";
import { errnoOf, Failure } from "../base/failure.ts";
import type { TrustPolicyInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import { shellWord } from "../base/shell-word.ts";
import type { Config, ProfileSpec, RoleArn } from "../config/config.ts";
import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { readConfig } from "../config/read.ts";
import { withProfile } from "../refresh/outcome.ts";
import { printable } from "../base/printable.ts";
import { parseTrustPolicy } from "../trust-policy/document.ts";
import { evaluate, type Verdict } from "../trust-policy/evaluate.ts";
import { policyForSource, policyForToken } from "../trust-policy/generate.ts";
import { noteForDuration, notesForSource, notesForToken } from "../trust-policy/notes.ts";
import { renderPolicy } from "../trust-policy/render.ts";
import { assumeRoleRequest, type TrustRequest, webIdentityRequest } from "../trust-policy/trust-request.ts";
import { withinLimit } from "../safe-file/time-limit.ts";
import type { World } from "../base/world.ts";
import { findSubject, type TrustSubject } from "../trust-policy/subject.ts";

/**
 * Prints the trust policy that the role of a profile needs to let this machine's identity in, or says what of an existing
 * one keeps it out. Notes go to standard error, so that standard output is a valid document.
 *
 * @returns 0
 * @throws Failure TRUST_REFUSED (77) with `--check` when the policy does not let the identity in; POLICY_*, CONFIG_*,
 *   what `findSubject` throws
 */
export async function trustPolicy(invocation: TrustPolicyInvocation, world: World): Promise<number> {
  const { global } = invocation;
  const config = await readConfig(invocation.config, world);
  const spec = withRole(chooseProfile(config, invocation.profile));
  // Read before the network is asked: a mistyped name is told at once.
  const check = invocation.check === undefined ? undefined : await readPolicy(invocation.check, world);
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  let subject: TrustSubject;
  try {
    const verbose = (message: string) => openReporter(world, global).detail(message);
    const needsSessionName = check?.text.toLowerCase().includes("sts:rolesessionname") ?? false;
    const context = { config, claims: invocation.claims, world, deadline, verbose, needsSessionName };
    subject = await findSubject(spec, context);
  } catch (error) {
    throw error instanceof Failure ? withProfile(error, spec.profile) : error;
  } finally {
    deadline.clear();
  }
  return check === undefined ? print(spec, subject, invocation, world) : judge(spec, subject, check, invocation, world);
}

/** A profile that has a role, whose trust policy there is something to say about. */
type RoleSpec = ProfileSpec & { readonly role: RoleArn };

function withRole(spec: ProfileSpec): RoleSpec {
  const { role } = spec;
  if (role) return { ...spec, role };
  throw new Failure("USAGE", `profile '${spec.profile}' has no role_arn: there is no trust policy to write`);
}

function chooseProfile(config: Config, name: string | undefined): ProfileSpec {
  const names = config.profiles.map((spec) => spec.profile);
  const [only] = config.profiles;
  if (name === undefined) {
    if (only !== undefined && names.length === 1) return only;
    throw new Failure("USAGE", "trust-policy needs the name of a profile", { hint: `configured are: ${some(names)}` });
  }
  const spec = config.profiles.find(({ profile }) => profile === name);
  if (spec) return spec;
  const where = config.file === undefined ? "" : ` in ${config.file}`;
  throw new Failure("USAGE", `no profile '${name}' is configured${where}`, {
    hint: didYouMean(name, names) ?? `configured are: ${some(names)}`,
  });
}

function some(names: readonly string[]): string {
  return `${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}`;
}

function print(spec: RoleSpec, subject: TrustSubject, invocation: TrustPolicyInvocation, world: World): number {
  const { role, durationSeconds } = spec;
  const web = subject.kind === "token";
  const policy = web ? policyForToken(subject.claims, role) : policyForSource(subject.source, subject.parameters);
  const maxSessionSeconds = durationSeconds !== undefined && durationSeconds > 3600 ? durationSeconds : undefined;
  world.out.write(renderPolicy(policy, { role, maxSessionSeconds }, invocation.format));
  tell(invocation, world, [
    ...(web ? notesForToken(subject.claims, role) : notesForSource(subject.source, subject.parameters, role)),
    ...subject.notes,
    ...(invocation.format === "json" ? noteForDuration(role, durationSeconds) : []),
  ]);
  return 0;
}

function tell({ global }: TrustPolicyInvocation, world: World, notes: readonly string[]): void {
  const reporter = openReporter(world, global);
  for (const note of notes) reporter.info(printable(note, 2000));
}

function judge(
  spec: RoleSpec,
  subject: TrustSubject,
  check: PolicyText,
  invocation: TrustPolicyInvocation,
  world: World,
): number {
  const { global } = invocation;
  const verdict = evaluate(parseTrustPolicy(check.text, check.describe), requestOf(spec, subject));
  const token = invocation.claims === undefined ? "this machine's token" : "a token with these claims";
  const who = subject.kind === "token" ? token : subject.source.arn;
  if (global.json) world.out.write(`${JSON.stringify(toJson(spec, verdict))}\n`);
  else if (!global.quiet) world.out.write(toText(verdict, who, spec));
  tell(invocation, world, subject.notes);
  if (verdict.accepted) return 0;
  const message = `profile '${spec.profile}': ${check.describe} does not let ${who} assume ${spec.role.arn}`;
  const hint =
    `print one that does with '${sameCommand(invocation, spec.profile)}', put it on the role with ` +
    `'aws iam update-assume-role-policy --role-name ${spec.role.name} --policy-document file://POLICY'`;
  throw new Failure("TRUST_REFUSED", message, { hint });
}

/** This command without `--check`, as it is to be typed. */
function sameCommand({ config }: TrustPolicyInvocation, profile: string): string {
  const where =
    config.inline === undefined
      ? [...(config.configFile === undefined ? [] : ["--config", config.configFile]), profile]
      : ["--role-arn", config.inline.values.get("role_arn") ?? ""];
  return ["rolefresh", "trust-policy", ...where.map(shellWord)].join(" ");
}

function requestOf(spec: RoleSpec, subject: TrustSubject): TrustRequest {
  return subject.kind === "token"
    ? webIdentityRequest(subject.claims, spec.role, subject.sessionName)
    : assumeRoleRequest(subject.source, subject.parameters);
}

function toText({ accepted, findings }: Verdict, who: string, spec: RoleSpec): string {
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

function toJson(spec: RoleSpec, { accepted, findings }: Verdict): unknown {
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

interface PolicyText {
  readonly text: string;
  /** For messages: `the trust policy in /home/u/trust.json`. */
  readonly describe: string;
}

/** No trust policy is larger: IAM's quota is 2048 to 8192 characters, URL-encoded and in an answer a few times that. */
const MAX_BYTES = 1024 * 1024;

/** As much as tells that there is too much. */
async function readStream(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: MAX_BYTES })) if (chunk instanceof Buffer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readPolicy(name: string, world: World): Promise<PolicyText> {
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
      throw new Failure("POLICY_MISSING", `there is no trust policy ${path}`, {
        hint: "get one with 'aws iam get-role --role-name NAME', and name the file it was saved in",
        cause: error,
      });
    }
    throw new Failure("POLICY_UNREADABLE", `${described} cannot be read (${errno})`, { cause: error });
  }
}

import { startDeadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { shellWord } from "../base/shell-word.ts";
import type { World } from "../base/world.ts";
import type { TrustPolicyInvocation } from "../command-line/invocation.ts";
import type { Config } from "../config/config.ts";
import { readConfig } from "../config/read.ts";
import { openReporter } from "../output/report.ts";
import { listOf, refuseUnknown } from "../refresh/load.ts";
import { withProfile } from "../refresh/outcome.ts";
import {
  checkPolicy,
  type PolicyText,
  readPolicy,
  type RoleSpec,
  verdictJson,
  verdictText,
} from "../trust-policy/check.ts";
import { policyForSource, policyForToken } from "../trust-policy/generate.ts";
import { noteForDuration, notesForSource, notesForToken } from "../trust-policy/notes.ts";
import { renderPolicy } from "../trust-policy/render.ts";
import { findSubject, type TrustSubject } from "../trust-policy/subject.ts";

/**
 * Prints the trust policy that the role of a profile needs to let this machine's identity in, or checks an existing one.
 * Notes go to standard error, so that standard output is a valid document.
 *
 * @returns 0
 * @throws Failure TRUST_REFUSED (77) with `--check` when the policy does not let the identity in; POLICY_*, CONFIG_*,
 *   what `findSubject` throws
 */
export async function trustPolicy(invocation: TrustPolicyInvocation, world: World): Promise<number> {
  const { global, claims } = invocation;
  const config = await readConfig(invocation.config, world);
  const spec = chooseProfile(config, invocation.profile);
  // Before any network call, so that a mistyped name is reported at once.
  const policy = invocation.check === undefined ? undefined : await readPolicy(invocation.check, world);
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  const verbose = (message: string) => openReporter(world, global).detail(message);
  const needsSessionName = policy?.text.toLowerCase().includes("sts:rolesessionname") ?? false;
  let subject: TrustSubject;
  try {
    subject = await findSubject(spec, { config, claims, world, deadline, verbose, needsSessionName });
  } catch (error) {
    throw error instanceof Failure ? withProfile(error, spec.profile) : error;
  } finally {
    deadline.clear();
  }
  if (policy === undefined) print(spec, subject, invocation, world);
  else check({ spec, subject, policy }, invocation, world);
  return 0;
}

function chooseProfile(config: Config, name: string | undefined): RoleSpec {
  const names = config.profiles.map(({ profile }) => profile);
  if (name === undefined && names.length !== 1)
    throw new Failure("USAGE", "trust-policy needs the name of a profile", { hint: `choose one of: ${listOf(names)}` });
  if (name !== undefined) refuseUnknown(config, [name]);
  const found = config.profiles.find(({ profile }) => name === undefined || profile === name);
  if (found?.role) return { ...found, role: found.role };
  throw new Failure("USAGE", `profile '${found?.profile}' has no role_arn, so it needs no trust policy`);
}

function print(spec: RoleSpec, subject: TrustSubject, invocation: TrustPolicyInvocation, world: World): void {
  const { role, durationSeconds } = spec;
  const isToken = subject.kind === "token";
  const policy = isToken ? policyForToken(subject.claims, role) : policyForSource(subject.source, subject.parameters);
  const maxSessionSeconds = durationSeconds !== undefined && durationSeconds > 3600 ? durationSeconds : undefined;
  world.out.write(renderPolicy(policy, { role, maxSessionSeconds }, invocation.format));
  inform(invocation, world, [
    ...(isToken ? notesForToken(subject.claims, role) : notesForSource(subject.source, subject.parameters, role)),
    ...subject.notes,
    ...(invocation.format === "json" ? noteForDuration(role, durationSeconds) : []),
  ]);
}

function inform({ global }: TrustPolicyInvocation, world: World, notes: readonly string[]): void {
  const reporter = openReporter(world, global);
  for (const note of notes) reporter.info(printable(note, 2000));
}

interface Checked {
  readonly spec: RoleSpec;
  readonly subject: TrustSubject;
  readonly policy: PolicyText;
}

function check({ spec, subject, policy }: Checked, invocation: TrustPolicyInvocation, world: World): void {
  const { global } = invocation;
  const verdict = checkPolicy(spec, subject, policy);
  const token = invocation.claims === undefined ? "this machine's token" : "a token with these claims";
  const who = subject.kind === "token" ? token : subject.source.arn;
  if (global.json) world.out.write(`${JSON.stringify(verdictJson(spec, verdict))}\n`);
  else if (!global.quiet) world.out.write(verdictText(verdict, who, spec));
  inform(invocation, world, subject.notes);
  if (verdict.accepted) return;
  const message = `profile '${spec.profile}': ${policy.describe} does not let ${who} assume ${spec.role.arn}`;
  const hint =
    `print one that does with '${sameCommand(invocation, spec.profile)}', put it on the role with ` +
    `'aws iam update-assume-role-policy --role-name ${spec.role.name} --policy-document file://POLICY'`;
  throw new Failure("TRUST_REFUSED", message, { hint });
}

/** This command without `--check`. */
function sameCommand({ config }: TrustPolicyInvocation, profile: string): string {
  const where =
    config.inline === undefined
      ? [...(config.configFile === undefined ? [] : ["--config", config.configFile]), profile]
      : ["--role-arn", config.inline.values.get("role_arn") ?? ""];
  return ["rolefresh", "trust-policy", ...where.map(shellWord)].join(" ");
}

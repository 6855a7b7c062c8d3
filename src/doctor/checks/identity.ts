import { renderInstant } from "../../base/duration.ts";
import { printable } from "../../base/printable.ts";
import type { ProfileSpec } from "../../config/config.ts";
import { withOutbound } from "../../net/outbound.ts";
import { shellWord } from "../../base/shell-word.ts";
import { sourceKeysOf } from "../../refresh/source-keys.ts";
import { passThrough, type ProvidedCredentials } from "../../sources/pass-through.ts";
import { type DoctorContext, NETWORK_MS, within } from "../context.ts";
import type { Evidence, ExaminedIdentity } from "../evidence.ts";
import { examine, finding, type Finding } from "../finding.ts";
import { callerArn } from "../caller-arn.ts";
import type { Target } from "../setup.ts";

/**
 * Tries each source: an identity token, an AWS profile, the machine's own credentials, a SAML response in a file. Nothing
 * prompts: a `saml_command` and the code of a second factor are skipped, and reported so.
 */
export async function identityFindings({ setup, identities, context }: Evidence): Promise<readonly Finding[]> {
  const all = await Promise.all([
    ...identities.map(async (identity) => [await identityFinding(identity)]),
    ...setup.targets.map((target) =>
      examine(async () => {
        const message = await tryProvider(target, context);
        return message === undefined ? [] : [finding("ok", message, { profile: target.profile })];
      }, target.profile),
    ),
  ]);
  return all.flat();
}

async function identityFinding({ source, profiles, profile, token }: ExaminedIdentity): Promise<Finding> {
  const result = await token();
  if ("failed" in result) return result.failed;
  const forWhom = profile === undefined ? ` for ${printable(profiles.join(", "), 200)}` : "";
  return finding("ok", `${source.kind} returns a token${forWhom}`, { profile });
}

/** What the source of a profile's keys returned; undefined when it is an identity token, or another profile of the config. */
async function tryProvider({ step, view, profile }: Target, context: DoctorContext): Promise<string | undefined> {
  if (!step) return undefined;
  const { spec } = step;
  const { source } = spec;
  const { world } = context;
  switch (source.kind) {
    case "web-identity":
    case "source-profile":
      return undefined;
    case "session": {
      const keys = sourceKeysOf(step, undefined, view, world.now());
      return `the keys of [${source.sourceProfile}] work: ${await callerArn(keys, spec.endpoint, context)}`;
    }
    case "saml":
      if (source.assertion.kind !== "file")
        return `saml_command is skipped because it may prompt; to test it: rolefresh refresh --force ${shellWord(profile)}`;
      return `the SAML response offers the role through ${await samlProviderOf(spec, context)}`;
    case "credential-source": {
      const { ambientCredentials } = await import("../../sources/ambient-credentials.ts");
      const keys = await within(context, NETWORK_MS, (deadline) =>
        ambientCredentials(source.credentialSource, { env: world.env, deadline }),
      );
      return describeKeys(spec, keys, `credential_source = ${source.credentialSource}`, world.now());
    }
    case "aws-profile": {
      const { env, cwd, home, uid, killGroup } = world;
      const { awsProfileCredentials } = await import("../../sources/aws-profile.ts");
      const keys = await within(context, NETWORK_MS, (deadline) =>
        withOutbound({ env, uid, signal: deadline.signal }, (outbound) =>
          awsProfileCredentials(
            { name: source.awsProfile, endpoint: spec.endpoint, writes: [profile] },
            { env, cwd, home, uid, killGroup, deadline, outbound, clock: world },
          ),
        ),
      );
      return describeKeys(spec, keys, `the AWS profile '${source.awsProfile}'`, world.now());
    }
  }
}

async function samlProviderOf({ source, role }: ProfileSpec, context: DoctorContext): Promise<string> {
  if (source.kind !== "saml" || !role) throw new Error("no SAML profile");
  const { env, cwd, killGroup } = context.world;
  const { readSamlAssertion } = await import("../../sources/saml-assertion.ts");
  const wanted = { role, principalArn: source.principalArn };
  const { principalArn } = await within(context, NETWORK_MS, (deadline) =>
    readSamlAssertion(source.assertion, wanted, { env, cwd, deadline, killGroup, clock: context.world }),
  );
  return principalArn;
}

/** Without a role the keys themselves are written, which not all may be. */
function describeKeys(spec: ProfileSpec, keys: ProvidedCredentials, source: string, now: Date): string {
  if (!spec.role) passThrough(keys, source, now);
  return `${source} returns keys${keys.expiresAt ? `, valid until ${renderInstant(keys.expiresAt)}` : ""}`;
}

import { renderInstant } from "../base/duration.ts";
import { withOutbound } from "../net/outbound.ts";
import type { ProfileSpec } from "../config/config.ts";
import { handOn, type ProvidedKeys } from "../sources/pass-through.ts";
import { sourceKeysOf } from "../refresh/source-keys.ts";
import { type DoctorContext, NETWORK_MS, within } from "./context.ts";
import { examine, finding, type Finding, typed } from "./finding.ts";
import type { Target } from "./setup.ts";
import { ownerOf } from "./sts-checks.ts";

/**
 * Tries where a profile's keys come from when that is no identity token: an AWS profile, what AWS gives the machine, a SAML
 * response in a file. Nobody is asked for anything: a `saml_command` and a code of a second factor are left alone, and said
 * to be.
 */
export async function providerFindings(
  targets: readonly Target[],
  context: DoctorContext,
): Promise<readonly Finding[]> {
  const all = await Promise.all(
    targets.map((target) => examine("identity", () => examineProvider(target, context), target.profile)),
  );
  return all.flat();
}

async function examineProvider({ step, view, profile }: Target, context: DoctorContext): Promise<readonly Finding[]> {
  if (!step) return [];
  const { spec } = step;
  const { source } = spec;
  const ok = (message: string) => [finding("identity", "ok", message, { profile })];
  switch (source.kind) {
    case "web-identity":
    case "source-profile":
      return [];
    case "session": {
      const keys = sourceKeysOf(step, undefined, view, context.world.now());
      const arn = await ownerOf(keys, spec.endpoint, context);
      return ok(`the keys of [${source.sourceProfile}] work: ${arn}`);
    }
    case "saml":
      if (source.assertion.kind !== "file")
        return ok(`saml_command is not run, as it may ask somebody: rolefresh refresh --force ${typed(profile)}`);
      return ok(await triedAssertion(spec, context));
    case "credential-source": {
      const describe = `credential_source = ${source.credentialSource}`;
      const { keysOfMachine } = await import("../sources/ambient-credentials.ts");
      const keys = await within(context, NETWORK_MS, (deadline) =>
        keysOfMachine(source.credentialSource, { env: context.world.env, deadline }),
      );
      return ok(told(spec, keys, describe, context));
    }
    case "aws-profile": {
      const { env, cwd, home, uid } = context.world;
      const { keysOfAwsProfile } = await import("../sources/aws-profile.ts");
      const keys = await within(context, NETWORK_MS, (deadline) =>
        withOutbound({ env, uid, signal: deadline.signal }, (outbound) =>
          keysOfAwsProfile(source.awsProfile, spec.endpoint, [profile], {
            env,
            cwd,
            home,
            uid,
            deadline,
            outbound,
            clock: context.world,
          }),
        ),
      );
      return ok(told(spec, keys, `the AWS profile '${source.awsProfile}'`, context));
    }
  }
}

async function triedAssertion({ source, role }: ProfileSpec, context: DoctorContext): Promise<string> {
  if (source.kind !== "saml" || !role) throw new Error("no SAML profile");
  const { env, cwd } = context.world;
  const { readSamlAssertion } = await import("../sources/saml-assertion.ts");
  const wanted = { role, principalArn: source.principalArn };
  const { principalArn } = await within(context, NETWORK_MS, (deadline) =>
    readSamlAssertion(source.assertion, wanted, { env, cwd, deadline, clock: context.world }),
  );
  return `the SAML response offers the role, by ${principalArn}`;
}

/** Without a role the keys themselves are written, which not all may be. */
function told(spec: ProfileSpec, keys: ProvidedKeys, describe: string, { world }: DoctorContext): string {
  if (!spec.role) handOn(keys, describe, world.now());
  const until = keys.expiresAt ? `, good until ${renderInstant(keys.expiresAt)}` : "";
  return `${describe} gives keys${until}`;
}

import type { Outbound } from "../net/outbound.ts";
import { Failure } from "../base/failure.ts";
import type { Deadline } from "../base/deadline.ts";
import type { AssumeRoleOptions, Mfa, ProfileSpec, RoleArn } from "../config/config.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentitySource } from "../config/config.ts";
import type { StsClients } from "../sts/client.ts";
import type { ProvidedKeys } from "./pass-through.ts";
import type { RoleSession, SigningKeys } from "../sts/session.ts";
import type { World } from "../base/world.ts";
import { retryTemporary } from "../net/retry-policy.ts";

/** What a run has in common for all of its sessions; everything is opened when it is first asked for. */
export interface SessionContext {
  readonly world: World;
  readonly deadline: Deadline;
  readonly outbound: () => Promise<Outbound>;
  readonly sts: () => Promise<StsClients>;
  readonly token: (source: IdentitySource) => Promise<IdentityToken>;
  readonly sessionName: (spec: ProfileSpec) => Promise<string>;
  readonly policy: (spec: ProfileSpec) => Promise<string | undefined>;
}

/**
 * One profile's keys, by the way that its configuration says. Only the modules of that way are loaded.
 *
 * @param sourceKeys asked only where the profile calls with another section's keys
 * @throws Failure IDENTITY_*, TOKEN_*, SOURCE_KEYS_MISSING, STS_*, ENDPOINT_REFUSED, CONFIG_INVALID, TIMEOUT, INTERRUPTED
 */
export async function obtainSession(
  spec: ProfileSpec,
  sourceKeys: () => SigningKeys,
  context: SessionContext,
): Promise<RoleSession> {
  const { source } = spec;
  const program = { env: context.world.env, cwd: context.world.cwd, deadline: context.deadline };
  switch (source.kind) {
    case "web-identity": {
      const [request, token] = await Promise.all([roleRequest(spec, context), context.token(source.identity)]);
      const sts = await context.sts();
      const { assumeRoleWithWebIdentity } = await import("../sts/assume-role-with-web-identity.ts");
      return assumeRoleWithWebIdentity(sts, request, token);
    }
    case "saml": {
      const role = roleOf(spec);
      const { readSamlAssertion } = await import("./saml-assertion.ts");
      const wanted = { role, principalArn: source.principalArn };
      const samlContext = { ...program, clock: context.world };
      const { assertion, principalArn } = await readSamlAssertion(source.assertion, wanted, samlContext);
      const { assumeRoleWithSaml } = await import("../sts/assume-role-with-saml.ts");
      const request = { ...common(spec), role, policy: await context.policy(spec) };
      return assumeRoleWithSaml(await context.sts(), request, assertion, principalArn);
    }
    case "session": {
      const keys = sourceKeys();
      if (keys.sessionToken) {
        throw new Failure("SOURCE_KEYS_MISSING", `its source_profile '${source.sourceProfile}' holds temporary keys`, {
          hint: "GetSessionToken takes a user's long-lived keys alone: keep them in a section of their own",
        });
      }
      const mfa = await askMfa(source.mfa, program);
      const { getSessionToken } = await import("../sts/get-session-token.ts");
      return getSessionToken(await context.sts(), { ...common(spec), mfa }, keys);
    }
    case "source-profile":
      return assume(spec, source, sourceKeys(), context);
    case "credential-source": {
      const { keysOfMachine } = await import("./ambient-credentials.ts");
      const ask = () => keysOfMachine(source.credentialSource, program);
      const keys = await retryTemporary(ask, context.world, context.deadline);
      return assumeOrHandOn(spec, source, keys, `credential_source = ${source.credentialSource}`, context);
    }
    case "aws-profile": {
      const { keysOfAwsProfile } = await import("./aws-profile.ts");
      const { world } = context;
      const outbound = await context.outbound();
      const profileContext = { ...program, clock: world, home: world.home, uid: world.uid, outbound };
      const keys = await keysOfAwsProfile(source.awsProfile, spec.endpoint, [spec.profile], profileContext);
      return assumeOrHandOn(spec, source, keys, `profile '${source.awsProfile}'`, context);
    }
  }
}

async function assumeOrHandOn(
  spec: ProfileSpec,
  options: AssumeRoleOptions,
  keys: ProvidedKeys,
  describe: string,
  context: SessionContext,
): Promise<RoleSession> {
  if (spec.role) return assume(spec, options, keys, context);
  const { handOn } = await import("./pass-through.ts");
  return handOn(keys, describe, context.world.now());
}

async function assume(
  spec: ProfileSpec,
  options: AssumeRoleOptions,
  keys: SigningKeys,
  context: SessionContext,
): Promise<RoleSession> {
  const { world, deadline } = context;
  const [sts, request] = await Promise.all([context.sts(), roleRequest(spec, context)]);
  const { externalId, tags, transitiveTagKeys, sourceIdentity } = options;
  // Asked for last: a code is good for some seconds.
  const mfa = await askMfa(options.mfa, { env: world.env, cwd: world.cwd, deadline });
  const { assumeRole } = await import("../sts/assume-role.ts");
  return assumeRole(sts, { ...request, externalId, tags, transitiveTagKeys, sourceIdentity, mfa }, keys);
}

async function askMfa(mfa: Mfa | undefined, program: Pick<World, "env" | "cwd"> & { readonly deadline: Deadline }) {
  if (!mfa) return undefined;
  const { askMfaCode } = await import("./mfa-code.ts");
  return askMfaCode(mfa, program);
}

async function roleRequest(spec: ProfileSpec, context: SessionContext) {
  const [sessionName, policy] = await Promise.all([context.sessionName(spec), context.policy(spec)]);
  return { ...common(spec), role: roleOf(spec), sessionName, policy };
}

function common({ durationSeconds, policyArns, endpoint }: ProfileSpec) {
  return { durationSeconds, policyArns, endpoint };
}

function roleOf(spec: ProfileSpec): RoleArn {
  if (spec.role) return spec.role;
  throw new Error(`profile ${spec.profile} has no role`);
}

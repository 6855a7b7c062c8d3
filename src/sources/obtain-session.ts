import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { ProgramContext } from "../base/program.ts";
import { Secret } from "../base/secret.ts";
import type { World } from "../base/world.ts";
import type { AssumeRoleOptions, IdentitySource, Mfa, ProfileSpec, RoleArn } from "../config/config.ts";
import type { Outbound } from "../net/outbound.ts";
import { retryTemporary } from "../net/retry-policy.ts";
import type { StsClients } from "../sts/client.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { MfaCode } from "../sts/role-request.ts";
import type { RoleSession, SigningKeys } from "../sts/session.ts";
import type { ProvidedCredentials } from "./pass-through.ts";

/** What all sessions of a run share; each part is opened at its first use. */
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
 * Obtains one profile's credentials in the way that its config says. Only the modules of that way are loaded.
 *
 * @param sourceKeys called only where another section's credentials sign the call
 * @throws Failure IDENTITY_*, TOKEN_*, SOURCE_KEYS_MISSING, STS_*, ENDPOINT_REFUSED, CONFIG_INVALID, TIMEOUT, INTERRUPTED
 */
export async function obtainSession(
  spec: ProfileSpec,
  sourceKeys: () => SigningKeys,
  context: SessionContext,
): Promise<RoleSession> {
  const { source } = spec;
  const { world, deadline } = context;
  const program = programContext(context);
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
      const { assertion, principalArn } = await readSamlAssertion(source.assertion, wanted, {
        ...program,
        clock: world,
      });
      const { assumeRoleWithSaml } = await import("../sts/assume-role-with-saml.ts");
      const request = { ...commonRequest(spec), role, policy: await context.policy(spec) };
      return assumeRoleWithSaml(await context.sts(), request, assertion, principalArn);
    }
    case "session": {
      const keys = sourceKeys();
      if (keys.sessionToken) {
        throw new Failure("SOURCE_KEYS_MISSING", `source_profile '${source.sourceProfile}' holds temporary keys`, {
          hint: "use a section with a user's long-lived keys: GetSessionToken accepts no others",
        });
      }
      const mfa = await mfaCode(source.mfa, program);
      const { getSessionToken } = await import("../sts/get-session-token.ts");
      return getSessionToken(await context.sts(), { ...commonRequest(spec), mfa }, keys);
    }
    case "source-profile":
      return assume(spec, source, sourceKeys(), context);
    case "credential-source": {
      const { ambientCredentials } = await import("./ambient-credentials.ts");
      const obtain = () => ambientCredentials(source.credentialSource, program);
      const credentials = await retryTemporary(obtain, world, deadline);
      if (spec.role) return assume(spec, source, credentials, context);
      return pass(credentials, `credential_source = ${source.credentialSource}`, context);
    }
    case "aws-profile": {
      const { awsProfileCredentials } = await import("./aws-profile.ts");
      const { home, uid } = world;
      const profileContext = { ...program, clock: world, home, uid, outbound: await context.outbound() };
      const profile = { name: source.awsProfile, endpoint: spec.endpoint, writes: [spec.profile] };
      const credentials = await awsProfileCredentials(profile, profileContext);
      if (spec.role) return assume(spec, source, credentials, context);
      return pass(credentials, `profile '${source.awsProfile}'`, context);
    }
  }
}

async function pass(credentials: ProvidedCredentials, describe: string, { world }: SessionContext) {
  const { passThrough } = await import("./pass-through.ts");
  return passThrough(credentials, describe, world.now());
}

async function assume(
  spec: ProfileSpec,
  options: AssumeRoleOptions,
  keys: SigningKeys,
  context: SessionContext,
): Promise<RoleSession> {
  const [sts, request] = await Promise.all([context.sts(), roleRequest(spec, context)]);
  const { externalId, tags, transitiveTagKeys, sourceIdentity } = options;
  // Last: a code is valid for some seconds.
  const mfa = await mfaCode(options.mfa, programContext(context));
  const { assumeRole } = await import("../sts/assume-role.ts");
  return assumeRole(sts, { ...request, externalId, tags, transitiveTagKeys, sourceIdentity, mfa }, keys);
}

/** The code that `mfa_command` prints: six digits (STS API reference, TokenCode). */
async function mfaCode(mfa: Mfa | undefined, program: ProgramContext): Promise<MfaCode | undefined> {
  if (!mfa) return undefined;
  const { commandOutput } = await import("./command-output.ts");
  const code = (await commandOutput("`mfa_command`", mfa.command, program)).trim();
  if (/^\d{6}$/.test(code)) return { serial: mfa.serial, code: new Secret(code) };
  throw new Failure("IDENTITY_INVALID_RESPONSE", "`mfa_command` did not print a code of six digits", {
    hint: "print the code and nothing else on stdout, for example with oathtool --totp -b @/path/seed",
  });
}

function programContext({ world: { env, cwd, killGroup }, deadline }: SessionContext): ProgramContext {
  return { env, cwd, deadline, killGroup };
}

async function roleRequest(spec: ProfileSpec, context: SessionContext) {
  const [sessionName, policy] = await Promise.all([context.sessionName(spec), context.policy(spec)]);
  return { ...commonRequest(spec), role: roleOf(spec), sessionName, policy };
}

function commonRequest({ durationSeconds, policyArns, endpoint }: ProfileSpec) {
  return { durationSeconds, policyArns, endpoint };
}

function roleOf(spec: ProfileSpec): RoleArn {
  if (spec.role) return spec.role;
  throw new Error(`profile ${spec.profile} has no role`);
}

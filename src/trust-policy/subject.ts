import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { withOutbound } from "../net/outbound.ts";
import type { TokenFlags } from "./token-flags.ts";
import type { Config, IdentitySource, ProfileSpec, RoleSource } from "../config/config.ts";
import type { IdentityContext } from "../sources/context.ts";
import type { TokenClaims } from "../sts/identity-token.ts";
import { needsInstance, renderSessionName, sessionNameTemplate } from "../plan/session-name.ts";
import { type AssumeRoleParameters, type CertainClaims, certainClaims, type SourcePrincipal } from "./trust-request.ts";
import type { World } from "../base/world.ts";
import { findSourcePrincipal } from "./source-principal.ts";

/** Who assumes a profile's role: a token, or another profile's credentials. */
export type TrustSubject =
  | {
      readonly kind: "token";
      readonly claims: CertainClaims;
      readonly sessionName: string | undefined;
      readonly notes: readonly string[];
    }
  | {
      readonly kind: "source";
      readonly source: SourcePrincipal;
      readonly parameters: AssumeRoleParameters;
      readonly notes: readonly string[];
    };

/** What is needed to find out whose identity a trust policy is about. */
export interface SubjectContext {
  readonly config: Config;
  /** Claims from the command line: then no token is asked for. */
  readonly claims: TokenFlags | undefined;
  readonly world: World;
  readonly deadline: Deadline;
  readonly verbose: (message: string) => void;
  /** The session's name costs two questions to the metadata server: asked for only when a policy looks at it. */
  readonly needsSessionName: boolean;
}

type SourceProfile = Extract<RoleSource, { kind: "source-profile" }>;

/**
 * Finds out who asks: from a live token, from the claims on the command line, or from the source profile.
 *
 * @throws Failure IDENTITY_*, TOKEN_*, STS_*, SOURCE_KEYS_MISSING, TIMEOUT, INTERRUPTED; USAGE for claims that do not fit
 */
export async function findSubject(spec: ProfileSpec, context: SubjectContext): Promise<TrustSubject> {
  switch (spec.source.kind) {
    case "web-identity":
      return tokenSubject(spec, spec.source.identity, context);
    case "source-profile": {
      if (context.claims !== undefined) {
        throw new Failure(
          "USAGE",
          `--sub describes a token, but '${spec.profile}' uses the credentials of a source_profile`,
          {
            hint: `remove --sub: rolefresh trust-policy ${spec.profile}`,
          },
        );
      }
      const { source, notes } = await findSourcePrincipal(spec, spec.source.sourceProfile, context);
      return { kind: "source", source, parameters: parametersOf(spec, spec.source, context), notes };
    }
    case "saml":
      throw new Failure(
        "USAGE",
        `profile '${spec.profile}' uses a SAML assertion, which trust-policy does not support`,
        {
          hint: `allow sts:AssumeRoleWithSAML to ${spec.source.principalArn ?? "the SAML provider"}; 'saml:aud' is compared with the assertion's recipient`,
        },
      );
    case "aws-profile":
    case "credential-source":
    case "session":
      throw new Failure("USAGE", `the principal of profile '${spec.profile}' is only known at the call`, {
        hint: "find it with 'aws sts get-caller-identity', and let the role trust that principal",
      });
  }
}

async function tokenSubject(
  spec: ProfileSpec,
  identity: IdentitySource,
  context: SubjectContext,
): Promise<TrustSubject> {
  const { claims: flags } = context;
  const claims = flags === undefined ? await liveClaims(identity, context) : offlineClaims(identity, flags);
  const certain = certainClaims(claims);
  if ("missing" in certain) {
    throw flags === undefined
      ? new Failure("TOKEN_MALFORMED", `the identity token has no ${certain.missing}, which AWS requires`)
      : new Failure("USAGE", `--${certain.missing} is missing`, {
          hint:
            certain.missing === "iss"
              ? `${identity.kind} may have any issuer: add --iss https://ISSUER`
              : "the profile sets no audience: add --aud AUDIENCE",
        });
  }
  const sessionName = context.needsSessionName ? await sessionNameOf(spec, context) : undefined;
  return { kind: "token", claims: certain, sessionName, notes: assumed(identity, flags) };
}

async function liveClaims(identity: IdentitySource, context: SubjectContext): Promise<TokenClaims> {
  const { obtainIdentityToken } = await import("../sources/obtain-token.ts");
  const { world, deadline } = context;
  const token = await withOutbound({ env: world.env, uid: world.uid, signal: deadline.signal }, (outbound) =>
    obtainIdentityToken(identity, { ...identityContext(context), outbound }),
  );
  return token.claims;
}

/** What the token would hold: the metadata server puts the account's unique ID into both `sub` and `azp`. */
function offlineClaims(identity: IdentitySource, flags: TokenFlags): TokenClaims {
  const audience = flags.audience ?? ("audience" in identity ? identity.audience : undefined);
  return {
    issuer: flags.issuer ?? issuerOf(identity),
    subject: flags.subject,
    audience: audience === undefined ? [] : [audience],
    authorizedParty: flags.authorizedParty ?? (azpIsSubject(identity, flags) ? flags.subject : undefined),
    issuedAt: undefined,
    notBefore: undefined,
    expiresAt: undefined,
    email: undefined,
  };
}

/** Whose tokens a source hands out, where it can only be one; Google was the first, and is the default of those that run anything. */
function issuerOf(identity: IdentitySource): string | undefined {
  switch (identity.kind) {
    case "github-actions":
      return "https://token.actions.githubusercontent.com";
    // Each tenant, cluster and GitLab has an issuer of its own.
    case "gitlab":
    case "azure":
    case "kubernetes":
    case "url":
      return undefined;
    case "gcp-metadata":
    case "gcp-adc":
    case "gcloud":
    case "file":
    case "env":
    case "command":
      return "https://accounts.google.com";
  }
}

function azpIsSubject(identity: IdentitySource, flags: TokenFlags): boolean {
  return identity.kind === "gcp-metadata" && flags.issuer === undefined;
}

function assumed(identity: IdentitySource, flags: TokenFlags | undefined): readonly string[] {
  if (flags === undefined || flags.authorizedParty !== undefined || !azpIsSubject(identity, flags)) return [];
  return ["azp is assumed to be the subject, as in the metadata server's tokens; override it with --azp"];
}

function identityContext({ world, deadline, verbose }: SubjectContext): IdentityContext {
  const { env, cwd, home, uid, killGroup } = world;
  return { env, clock: world, deadline, cwd, home, uid, killGroup, verbose };
}

async function sessionNameOf(spec: ProfileSpec, context: SubjectContext): Promise<string | undefined> {
  const template = sessionNameTemplate(spec);
  const local = { profile: spec.profile, hostname: context.world.hostname };
  if (!needsInstance(template)) return renderSessionName(template, local);
  // Offline the metadata server is not asked: a condition on the session's name cannot be met.
  if (context.claims !== undefined) return undefined;
  const { instancePlaceholders } = await import("../sources/gcp-metadata.ts");
  return renderSessionName(template, { ...local, ...(await instancePlaceholders(identityContext(context))) });
}

function parametersOf(spec: ProfileSpec, source: SourceProfile, context: SubjectContext): AssumeRoleParameters {
  const inherited = inheritedBy(source, context.config);
  const own = new Set(source.tags.map(({ key }) => key.toLowerCase()));
  return {
    externalId: source.externalId,
    tags: [...inherited.tags.filter(({ key }) => !own.has(key.toLowerCase())), ...source.tags],
    transitiveTagKeys: source.transitiveTagKeys,
    sourceIdentity: inherited.sourceIdentity ?? source.sourceIdentity,
    sessionName: renderLocalSessionName(spec, context.world),
  };
}

function renderLocalSessionName(spec: ProfileSpec, world: World): string | undefined {
  const template = sessionNameTemplate(spec);
  const local = { profile: spec.profile, hostname: world.hostname };
  return needsInstance(template) ? undefined : renderSessionName(template, local);
}

type Inherited = Pick<AssumeRoleParameters, "tags" | "sourceIdentity">;

/** What the source's own session passes to the next role: its transitive tags and its source identity (IAM User Guide, "Role chaining"). */
function inheritedBy(source: SourceProfile, config: Config): Inherited {
  const before = config.profiles.find(({ profile }) => profile === source.sourceProfile)?.source;
  if (before?.kind !== "source-profile") return { tags: [], sourceIdentity: undefined };
  const further = inheritedBy(before, config);
  const inherited = before.tags.filter(({ key }) => before.transitiveTagKeys.includes(key));
  return {
    tags: [...further.tags, ...inherited],
    sourceIdentity: further.sourceIdentity ?? before.sourceIdentity,
  };
}

import type { RoleArn } from "../config/config.ts";
import type { TokenClaims } from "../sts/identity-token.ts";

/** A call as a trust policy sees it: who calls, which actions it needs, and the context keys that AWS fills in. */
export interface TrustRequest {
  /** The type of `Principal` that can name this caller. */
  readonly kind: "Federated" | "AWS";
  /** Every string by which that `Principal` may name it; the first is the one to write. */
  readonly names: readonly string[];
  /** Every one of them must be allowed. */
  readonly actions: readonly string[];
  /** By key name in lower case: IAM compares key names without case. */
  readonly context: ReadonlyMap<string, readonly string[]>;
}

/** Google as an identity provider: built into IAM by this name, without `https://`. */
export const GOOGLE = "accounts.google.com";

/** The identity provider of a token as IAM names it. */
export interface Provider {
  /** The prefix of its condition keys: the issuer without its scheme, path and final slash kept. */
  readonly name: string;
  /** What stands under `"Federated"`. */
  readonly principal: string;
  readonly isGoogle: boolean;
}

/**
 * Google is built in and named by its host; every other issuer is an OIDC provider of the role's account
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html, "OIDC federated
 * principals"). Azure's v1 issuer `https://sts.windows.net/TENANT/` ends with a slash, which belongs to the name.
 */
export function providerOf(issuer: string, role: Pick<RoleArn, "partition" | "account">): Provider {
  const name = issuer.replace(/^https?:\/\//, "");
  const isGoogle = name === GOOGLE;
  const principal = isGoogle ? GOOGLE : `arn:${role.partition}:iam::${role.account}:oidc-provider/${name}`;
  return { name, principal, isGoogle };
}

/** What is certain of a token's claims before a policy can be made for it or compared with it. */
export interface CertainClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  readonly authorizedParty: string | undefined;
}

/** The claims that a policy needs, or the name of the one that is missing. */
export function certainClaims(claims: TokenClaims): CertainClaims | { readonly missing: "iss" | "sub" | "aud" } {
  const { issuer, subject, audience, authorizedParty } = claims;
  if (issuer === undefined) return { missing: "iss" };
  if (subject === undefined) return { missing: "sub" };
  if (audience.length === 0) return { missing: "aud" };
  return { issuer, subject, audience, authorizedParty };
}

/**
 * `AssumeRoleWithWebIdentity` with a token. AWS fills `:aud` from the token's `azp` and from `aud` only where there is no
 * `azp`; Google's `aud` arrives as `:oaud` (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html,
 * "Available keys for AWS OIDC federation").
 *
 * @param sessionName undefined where it is not known here
 */
export function webIdentityRequest(
  claims: CertainClaims,
  role: Pick<RoleArn, "partition" | "account">,
  sessionName: string | undefined,
): TrustRequest {
  const { name, principal, isGoogle } = providerOf(claims.issuer, role);
  const context = new Map<string, readonly string[]>([
    [`${name}:aud`, claims.authorizedParty === undefined ? claims.audience : [claims.authorizedParty]],
    [`${name}:sub`, [claims.subject]],
    ["aws:federatedprovider", [name]],
  ]);
  if (isGoogle) context.set(`${name}:oaud`, claims.audience);
  if (sessionName !== undefined) context.set("sts:rolesessionname", [sessionName]);
  return {
    kind: "Federated",
    names: [principal],
    actions: ["sts:AssumeRoleWithWebIdentity"],
    context: new Map([...context].map(([key, values]) => [key.toLowerCase(), values])),
  };
}

/** Whose keys call `AssumeRole`. */
export interface SourcePrincipal {
  readonly account: string;
  readonly partition: string;
  /** The role's or user's own ARN, which a policy names. */
  readonly arn: string;
  /** `arn:…:assumed-role/ROLE/SESSION` of a role session, where it is known. */
  readonly sessionArn: string | undefined;
}

/** What a profile says in its `AssumeRole` call and a policy may look at. */
export interface AssumeRoleParameters {
  readonly externalId: string | undefined;
  /** The profile's own session tags and those that it inherits from its source. */
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly transitiveTagKeys: readonly string[];
  /** The profile's own, or the one that its source's session carries. */
  readonly sourceIdentity: string | undefined;
  readonly sessionName: string | undefined;
}

/**
 * `AssumeRole` with another profile's keys. Session tags need `sts:TagSession` and a source identity needs
 * `sts:SetSourceIdentity` in the trust policy too, also where the source's session hands them on
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html).
 */
export function assumeRoleRequest(source: SourcePrincipal, parameters: AssumeRoleParameters): TrustRequest {
  const { externalId, tags, transitiveTagKeys, sourceIdentity, sessionName } = parameters;
  const context = new Map<string, readonly string[]>([
    ["aws:principalarn", [source.arn]],
    ["aws:principalaccount", [source.account]],
  ]);
  if (externalId !== undefined) context.set("sts:externalid", [externalId]);
  if (sourceIdentity !== undefined) context.set("sts:sourceidentity", [sourceIdentity]);
  if (sessionName !== undefined) context.set("sts:rolesessionname", [sessionName]);
  if (tags.length > 0)
    context.set(
      "aws:tagkeys",
      tags.map(({ key }) => key),
    );
  if (transitiveTagKeys.length > 0) context.set("sts:transitivetagkeys", [...transitiveTagKeys]);
  for (const { key, value } of tags) context.set(`aws:requesttag/${key.toLowerCase()}`, [value]);
  const account = `arn:${source.partition}:iam::${source.account}:root`;
  return {
    kind: "AWS",
    names: [source.arn, ...(source.sessionArn === undefined ? [] : [source.sessionArn]), source.account, account],
    actions: [
      "sts:AssumeRole",
      ...(sourceIdentity === undefined ? [] : ["sts:SetSourceIdentity"]),
      ...(tags.length === 0 ? [] : ["sts:TagSession"]),
    ],
    context,
  };
}

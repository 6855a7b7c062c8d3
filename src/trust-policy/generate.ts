import type { RoleArn } from "../config/config.ts";
import {
  type AssumeRoleParameters,
  assumeRoleRequest,
  type CertainClaims,
  providerOf,
  type SourcePrincipal,
} from "./trust-request.ts";

/**
 * A value or a list of them: IAM takes both wherever it takes one (IAM User Guide, "Grammar of the IAM JSON policy
 * language").
 */
type OneOrMore = string | readonly string[];

/** One statement of such a policy; keys in IAM's own order and spelling, because it is printed so. */
export interface PolicyStatement {
  readonly Effect: "Allow";
  readonly Principal: { readonly Federated: string } | { readonly AWS: string };
  readonly Action: OneOrMore;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMore>>>>;
}

/** A policy as IAM accepts it. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/** A single value is not written as a list. */
function oneOrMore(values: readonly string[]): OneOrMore {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

/** The values of either form. */
export function listOf(values: OneOrMore): readonly string[] {
  return typeof values === "string" ? [values] : values;
}

/**
 * The narrowest trust policy that lets this token in. `:sub` is always pinned: an audience alone proves only that some
 * account of the issuer requested a token, and the requester chooses it. For Google `:aud` is the service account's
 * unique ID and `:oaud` the audience that was asked for.
 */
export function policyForToken(claims: CertainClaims, role: Pick<RoleArn, "partition" | "account">): PolicyDocument {
  const { name, principal, isGoogle } = providerOf(claims.issuer, role);
  const { audience, authorizedParty, subject } = claims;
  const equals = {
    [`${name}:aud`]: authorizedParty ?? oneOrMore(audience),
    ...(isGoogle && authorizedParty !== undefined ? { [`${name}:oaud`]: oneOrMore(audience) } : {}),
    [`${name}:sub`]: subject,
  };
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: principal },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringEquals: equals },
      },
    ],
  };
}

/**
 * The narrowest trust policy that lets these keys assume the role. Session tags and the source identity are allowed, not
 * pinned: they describe a session, not its identity.
 */
export function policyForSource(source: SourcePrincipal, parameters: AssumeRoleParameters): PolicyDocument {
  const { externalId } = parameters;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: source.arn },
        Action: oneOrMore(assumeRoleRequest(source, parameters).actions),
        ...(externalId === undefined ? {} : { Condition: { StringEquals: { "sts:ExternalId": externalId } } }),
      },
    ],
  };
}

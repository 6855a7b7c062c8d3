import type { RoleArn } from "../config/config.ts";
import { oneOrMore, type PolicyDocument } from "./policy.ts";
import {
  type AssumeRoleParameters,
  assumeRoleRequest,
  type CertainClaims,
  providerOf,
  type SourcePrincipal,
} from "./trust-request.ts";

/**
 * The narrowest trust policy that lets this token in. `:sub` is always pinned: an audience alone proves only that some
 * account of the issuer asked for a token, and whoever asks chooses it. For Google `:aud` is the service account's
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
 * pinned: they say something about a session and not who it is.
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

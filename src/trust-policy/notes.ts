import type { RoleArn } from "../config/config.ts";
import {
  type AssumeRoleParameters,
  type CertainClaims,
  GOOGLE,
  providerOf,
  type SourcePrincipal,
} from "./trust-request.ts";

/** Notes on a generated policy for standard error: sentences without capital and period. */

/** For a token's policy: which claim is pinned where, and whether IAM needs a provider. */
export function notesForToken(claims: CertainClaims, role: RoleArn): readonly string[] {
  const provider = providerOf(claims.issuer, role);
  return provider.isGoogle ? notesForGoogle(claims) : notesForProvider(claims, provider.name, role);
}

/**
 * Google's `azp` depends on how the same account got its token (googleapis/google-auth-library-python issue 746 and pull
 * request 1258): its unique ID from the metadata server and `generateIdToken`, its e-mail address from a key file and
 * from `generateIdToken` with `useEmailAzp`. `sub` is the unique ID always. An IAM OIDC provider for Google gets in the
 * way of the built-in one (terraform-aws-modules/terraform-aws-iam pull request 429).
 */
function notesForGoogle({ authorizedParty, audience, subject }: CertainClaims): readonly string[] {
  const azp = authorizedParty ?? "";
  return [
    authorizedParty === undefined
      ? `the token has no azp: AWS compares ${GOOGLE}:aud with its aud '${audience.join(", ")}'`
      : `AWS compares ${GOOGLE}:aud with the token's azp '${azp}', and ${GOOGLE}:oaud with its aud '${audience.join(", ")}'`,
    azp.includes("@")
      ? `this azp is the service account's e-mail address, as a key file or impersonation with useEmailAzp gives it; ` +
        `the same account's tokens from the metadata server have its unique ID instead: then leave ${GOOGLE}:aud out or list both`
      : `azp is the unique ID from the metadata server and the e-mail address from a key file or impersonation with useEmailAzp`,
    `${GOOGLE}:sub '${subject}' is pinned too: it is the account's unique ID however the token was obtained; ` +
      "it changes when the account is deleted and created again",
    `${GOOGLE} is built into IAM: create no OIDC provider for it`,
  ];
}

function notesForProvider(claims: CertainClaims, name: string, role: RoleArn): readonly string[] {
  const clientId = claims.authorizedParty ?? claims.audience[0] ?? "";
  const notes = [
    `account ${role.account} needs an IAM OIDC provider for this issuer: aws iam create-open-id-connect-provider ` +
      `--url ${claims.issuer} --client-id-list ${clientId}`,
  ];
  if (claims.authorizedParty !== undefined) {
    notes.push(`AWS compares ${name}:aud with the token's azp '${claims.authorizedParty}' and not with its aud`);
  }
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
  const shared = name === "token.actions.githubusercontent.com" || name === "gitlab.com";
  notes.push(
    `${name}:sub '${claims.subject}' is pinned too: any account of this issuer can request a token of the same audience` +
      (shared ? "; to allow other branches use StringLike with a pattern that still names your repository" : ""),
  );
  return notes;
}

/** For an AssumeRole policy: the other half of the permission, and what a chain carries along. */
export function notesForSource(
  source: SourcePrincipal,
  parameters: AssumeRoleParameters,
  role: RoleArn,
): readonly string[] {
  const notes = [
    `the policies of ${source.arn} must allow sts:AssumeRole on ${role.arn} as well` +
      (source.account === role.account
        ? ", unless this trust policy names it, as it does"
        : ": it is in another account"),
  ];
  if (parameters.sourceIdentity !== undefined) {
    notes.push(`sts:SetSourceIdentity is needed for the source identity '${parameters.sourceIdentity}'`);
  }
  if (parameters.tags.length > 0) {
    notes.push(`sts:TagSession is needed for the session tags ${parameters.tags.map(({ key }) => key).join(", ")}`);
  }
  return notes;
}

/** For a lifetime above the role's default maximum of 3600 s. */
export function noteForDuration(role: RoleArn, durationSeconds: number | undefined): readonly string[] {
  if (durationSeconds === undefined || durationSeconds <= 3600) return [];
  return [
    `duration_seconds = ${durationSeconds} needs that as the role's maximum session duration: aws iam update-role ` +
      `--role-name ${role.name} --max-session-duration ${durationSeconds}`,
  ];
}

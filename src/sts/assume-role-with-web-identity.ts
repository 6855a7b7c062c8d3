import type { IdentityToken } from "./identity-token.ts";
import { validateSession } from "./validate-session.ts";
import type { StsClients } from "./client.ts";
import { printable } from "../base/printable.ts";
import { commonInput, type RoleRequest } from "./role-request.ts";
import type { IssuedSession } from "./session.ts";

/**
 * Turns an identity token into a role session
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html). The call is unsigned; it reads
 * neither `AWS_PROFILE`, keys nor `~/.aws`. `ProviderId` is never sent: it is for OAuth 2.0 access tokens alone.
 *
 * @throws Failure STS_*, ENDPOINT_REFUSED, TIMEOUT or INTERRUPTED.
 */
export async function assumeRoleWithWebIdentity(
  clients: StsClients,
  request: RoleRequest,
  token: IdentityToken,
): Promise<IssuedSession> {
  const { output, ...times } = await clients.call({
    action: "AssumeRoleWithWebIdentity",
    subject: request.role.arn,
    endpoint: request.endpoint,
    keys: undefined,
    deniedHint: trustHint(request, token),
    tokenHint: providerHint(request, token),
    send: (sdk, client, options) =>
      client.send(
        new sdk.AssumeRoleWithWebIdentityCommand({ ...commonInput(request), WebIdentityToken: token.token.reveal() }),
        options,
      ),
  });
  const raw = { credentials: output.Credentials, assumedRoleArn: output.AssumedRoleUser?.Arn, ...times };
  return validateSession(raw, { subject: request.role.arn, principal: request });
}

/**
 * `:aud` is the token's `azp` when it has one; Google's `aud` arrives as `:oaud`
 * (IAM User Guide, "Available keys for AWS web identity federation").
 */
function trustHint(request: RoleRequest, token: IdentityToken): string {
  const { issuer, subject, audience, authorizedParty } = token.claims;
  const host = issuer?.replace(/^https:\/\//, "") ?? "the issuer";
  const aud = audience.join(",");
  const google = host === "accounts.google.com";
  const keys = google
    ? [`${host}:sub = ${subject ?? "none"}`, `${host}:oaud = ${aud}`, `${host}:aud = ${authorizedParty ?? aud}`]
    : [`${host}:sub = ${subject ?? "none"}`, `${host}:aud = ${authorizedParty ?? aud}`];
  // The claims are the issuer's words; the role's name is ours, and may be long.
  return (
    `compare the role's trust policy with 'rolefresh trust-policy PROFILE': ${request.role.name} must allow ` +
    `sts:AssumeRoleWithWebIdentity to ${printable(host, 200)}; its conditions are compared with ` +
    `${printable(keys.join(", "), 400)}; check \`role_arn\` too: STS says the same of a role or account that does not exist`
  );
}

/**
 * An issuer other than Google needs an IAM OIDC provider that lists what AWS takes for the audience: the token's `azp`, and
 * `aud` only where there is none. Microsoft Entra ID's version 2 tokens have one (aws/aws-sdk-net#3071).
 */
function providerHint(request: RoleRequest, token: IdentityToken): string | undefined {
  const { issuer, audience, authorizedParty } = token.claims;
  if (issuer === undefined || issuer === "https://accounts.google.com") return undefined;
  const clientId = authorizedParty ?? audience[0] ?? "AUDIENCE";
  // They go into lines to type.
  if (![issuer, clientId].every((claim) => /^[\w.:/@+-]{1,255}$/.test(claim))) return undefined;
  const { partition, account } = request.role;
  const provider = `arn:${partition}:iam::${account}:oidc-provider/${issuer.replace(/^https:\/\//, "")}`;
  const which = authorizedParty === undefined ? "aud" : "azp, which counts instead of aud";
  return (
    `register the token's issuer and its ${which}: aws iam create-open-id-connect-provider --url ${issuer} ` +
    `--client-id-list ${clientId}; if ${provider} exists: aws iam add-client-id-to-open-id-connect-provider ` +
    `--open-id-connect-provider-arn ${provider} --client-id ${clientId}`
  );
}

import { validateSession } from "./validate-session.ts";
import type { StsClients } from "./client.ts";
import { commonInput, type MfaCode, mfaInput, type RoleRequest } from "./role-request.ts";
import type { IssuedSession, SigningKeys } from "./session.ts";

/** The parameters of AssumeRole that other calls do not have (STS API reference, AssumeRole). */
export interface AssumeRoleRequest extends RoleRequest {
  readonly externalId: string | undefined;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
  /** A second factor's device and its current code, which works once. */
  readonly mfa?: MfaCode | undefined;
}

/**
 * Assumes a role with other credentials (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html), signed with
 * these and no others. The SDK corrects a wrong clock from STS's `Date` header and repeats the call.
 *
 * @throws Failure STS_*, ENDPOINT_REFUSED, TIMEOUT or INTERRUPTED.
 */
export async function assumeRole(
  clients: StsClients,
  request: AssumeRoleRequest,
  keys: SigningKeys,
): Promise<IssuedSession> {
  const { externalId, sourceIdentity, tags, transitiveTagKeys } = request;
  const input = {
    ...commonInput(request),
    ...mfaInput(request.mfa),
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
    ...(tags.length === 0 ? {} : { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) }),
    ...(transitiveTagKeys.length === 0 ? {} : { TransitiveTagKeys: [...transitiveTagKeys] }),
  };
  const { output, ...times } = await clients.call({
    action: "AssumeRole",
    subject: request.role.arn,
    endpoint: request.endpoint,
    keys,
    deniedHint:
      `compare the role's trust policy with 'rolefresh trust-policy PROFILE': ${request.role.name} must allow ` +
      `sts:AssumeRole to the source's principal` +
      `${externalId === undefined ? "" : " with this `external_id`"}, and the source's own policy must allow it too; ` +
      "check `role_arn` too: STS says the same of a role or account that does not exist",
    send: (sdk, client, options) => client.send(new sdk.AssumeRoleCommand(input), options),
  });
  const raw = { credentials: output.Credentials, assumedRoleArn: output.AssumedRoleUser?.Arn, ...times };
  return validateSession(raw, { subject: request.role.arn, principal: request });
}

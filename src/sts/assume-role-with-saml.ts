import { believe } from "./answer.ts";
import type { StsClients } from "./client.ts";
import { commonInput, type RoleRequest } from "./role-request.ts";
import type { SamlAssertion } from "./saml-assertion.ts";
import type { IssuedSession } from "./session.ts";

/** No `sessionName`: STS takes it from the assertion (attribute `RoleSessionName`). */
export type SamlRequest = Omit<RoleRequest, "sessionName">;

/**
 * Turns a SAML response into a role session
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html). The call is unsigned. Without a
 * configured duration the assertion's `SessionDuration` is asked for; STS itself ends the session no later than the
 * assertion's `SessionNotOnOrAfter`.
 *
 * @throws Failure STS_*, ENDPOINT_REFUSED, TIMEOUT or INTERRUPTED.
 */
export async function assumeRoleWithSaml(
  clients: StsClients,
  request: SamlRequest,
  assertion: SamlAssertion,
  principalArn: string,
): Promise<IssuedSession> {
  const { role } = request;
  const durationSeconds = request.durationSeconds ?? assertion.durationSeconds;
  const { RoleSessionName: _, ...common } = commonInput({ ...request, durationSeconds, sessionName: "" });
  const input = { ...common, PrincipalArn: principalArn, SAMLAssertion: assertion.response.reveal() };
  const { output, ...times } = await clients.call({
    action: "AssumeRoleWithSAML",
    subject: role.arn,
    endpoint: request.endpoint,
    keys: undefined,
    deniedHint:
      `the trust policy of ${role.name} must allow sts:AssumeRoleWithSAML to ${principalArn}, ` +
      "and its conditions must match the assertion (SAML:aud is the assertion's recipient)",
    send: (sdk, client, options) => client.send(new sdk.AssumeRoleWithSAMLCommand(input), options),
  });
  const assumedRoleArn = output.AssumedRoleUser?.Arn;
  // The name of the session is the identity provider's to choose.
  const sessionName = assumedRoleArn?.split("/").at(-1) ?? "";
  const claimed = { credentials: output.Credentials, assumedRoleArn, ...times };
  return believe(claimed, { subject: role.arn, principal: { role, sessionName } });
}

import { Failure } from "../base/failure.ts";
import { validateSession } from "./validate-session.ts";
import type { StsClients } from "./client.ts";
import { commonInput, type RoleRequest } from "./role-request.ts";
import type { Secret } from "../base/secret.ts";
import type { IssuedSession } from "./session.ts";

/** A SAML response, and what it says of the session. */
interface SamlProof {
  /** Base64 of the XML. */
  readonly response: Secret;
  /** The assertion's `SessionDuration`. */
  readonly durationSeconds: number | undefined;
}

/** No `sessionName`: STS reads it from the assertion (attribute `RoleSessionName`). */
type SamlRequest = Omit<RoleRequest, "sessionName">;

/**
 * Turns a SAML response into a role session
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html). The call is unsigned. Without a
 * configured duration the assertion's `SessionDuration` is requested, and STS's default where the role does not allow a session
 * that long (identity providers set it for the console: prolane/samltoawsstskeys#61). STS itself ends the session no later
 * than the assertion's `SessionNotOnOrAfter`.
 *
 * @throws Failure STS_*, ENDPOINT_REFUSED, TIMEOUT or INTERRUPTED.
 */
export async function assumeRoleWithSaml(
  clients: StsClients,
  request: SamlRequest,
  assertion: SamlProof,
  principalArn: string,
): Promise<IssuedSession> {
  const call = (durationSeconds: number | undefined) =>
    assumeFor({ ...request, durationSeconds }, clients, assertion, principalArn);
  const asserted = request.durationSeconds === undefined ? assertion.durationSeconds : undefined;
  if (asserted === undefined) return call(request.durationSeconds);
  try {
    return await call(asserted);
  } catch (error) {
    if (!isLongerThanAllowed(error)) throw error;
    clients.context.verbose(`sts: the role does not allow the ${asserted} s of the assertion: requesting the default`);
    return call(undefined);
  }
}

async function assumeFor(
  request: SamlRequest,
  clients: StsClients,
  assertion: SamlProof,
  principalArn: string,
): Promise<IssuedSession> {
  const { role } = request;
  const { RoleSessionName: _, ...common } = commonInput({ ...request, sessionName: "" });
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
  // The identity provider chooses the session name.
  const sessionName = assumedRoleArn?.split("/").at(-1) ?? "";
  const raw = { credentials: output.Credentials, assumedRoleArn, ...times };
  return validateSession(raw, { subject: role.arn, principal: { role, sessionName } });
}

function isLongerThanAllowed(error: unknown): boolean {
  return error instanceof Failure && error.code === "STS_REQUEST_REFUSED" && /MaxSessionDuration/.test(error.message);
}

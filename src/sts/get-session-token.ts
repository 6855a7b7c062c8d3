import type { StsEndpoint } from "../config/config.ts";
import { validateSession } from "./validate-session.ts";
import type { StsClients } from "./client.ts";
import { type MfaCode, mfaInput } from "./role-request.ts";
import type { IssuedSession, SigningKeys } from "./session.ts";

/** The parameters of GetSessionToken (STS API reference). */
interface SessionTokenRequest {
  /** Absent: STS's own default of 12 h. */
  readonly durationSeconds: number | undefined;
  readonly mfa: MfaCode | undefined;
  readonly endpoint: StsEndpoint;
}

/**
 * Temporary credentials of the user (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html), signed
 * with the long-lived ones, for tools whose policies require a second factor. The response names no principal.
 *
 * @throws Failure STS_*, ENDPOINT_REFUSED, TIMEOUT or INTERRUPTED.
 */
export async function getSessionToken(
  clients: StsClients,
  request: SessionTokenRequest,
  keys: SigningKeys,
): Promise<IssuedSession> {
  const { durationSeconds, mfa, endpoint } = request;
  const input = { ...mfaInput(mfa), ...(durationSeconds === undefined ? {} : { DurationSeconds: durationSeconds }) };
  const subject = mfa === undefined ? "the source profile's user" : mfa.serial;
  const { output, ...times } = await clients.call({
    action: "GetSessionToken",
    subject,
    endpoint,
    keys,
    deniedHint: "the keys of `source_profile` must be a user's long-lived ones: GetSessionToken takes no session's",
    send: (sdk, client, options) => client.send(new sdk.GetSessionTokenCommand(input), options),
  });
  const raw = { credentials: output.Credentials, assumedRoleArn: undefined, ...times };
  return validateSession(raw, { subject, principal: undefined });
}

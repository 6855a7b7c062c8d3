import type { Fault } from "./fault.ts";
import { StsError, type XmlTree } from "./query-protocol.ts";
import { type AccessKey, issueKeys, type Realm } from "./realm.ts";
import { renderRoleAnswer, toExpiration } from "./role-answer.ts";

/**
 * Checks the second factor of a request, if it has one: each code of a device counts once, as STS has it ("you must wait
 * until the next code").
 *
 * @returns whether there was one
 * @throws StsError
 */
export function checkMfa(realm: Realm, userArn: string, parameters: ReadonlyMap<string, string>): boolean {
  const serial = parameters.get("SerialNumber");
  const code = parameters.get("TokenCode");
  if (serial === undefined && code === undefined) return false;
  const device = realm.mfaDevices.get(serial ?? "");
  // aws/aws-cli issue 6325
  if (device?.userArn !== userArn) {
    throw new StsError(
      "AccessDenied",
      "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
    );
  }
  // lonelyplanet/aws-mfa issue 20
  if (code === undefined || !device.codes.delete(code)) {
    throw new StsError("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ");
  }
  return true;
}

/** GetSessionToken: the user himself, with or without a second factor. */
export function getSessionToken(
  realm: Realm,
  key: AccessKey,
  parameters: ReadonlyMap<string, string>,
  fault: Fault | undefined,
): XmlTree {
  if (key.sessionToken !== undefined) {
    throw new StsError("AccessDenied", "Cannot call GetSessionToken with session credentials");
  }
  const seconds = Number(parameters.get("DurationSeconds") ?? "43200");
  if (!(seconds >= 900 && seconds <= 129_600)) {
    throw new StsError("ValidationError", "1 validation error detected: Value at 'durationSeconds' failed");
  }
  const hasMfa = checkMfa(realm, key.principal.arn, parameters);
  const keys = issueKeys(realm, { ...key.principal, hasMfa }, seconds);
  const answer = { ...keys, expiration: toExpiration(keys.expiresAt), assumedRoleId: "", arn: "" };
  return { Credentials: renderRoleAnswer(answer, fault, realm.now()).Credentials };
}

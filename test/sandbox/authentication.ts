import { StsError, USUAL_MESSAGE } from "./query-protocol.ts";
import type { AccessKey, Realm } from "./realm.ts";
import { fromAmzDate, isSignedWith, parseAuthorization, toAmzDate, type SignedRequest } from "./sigv4.ts";

/** How far a signature's date may be off. STS says "- 15 min." in its refusals (aws/aws-cli issue 6676). */
const SKEW_MS = 15 * 60_000;

function headerOf(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** The key that the request claims, with the token that belongs to it and not yet expired. */
function findKey(realm: Realm, accessKeyId: string, token: string | undefined): AccessKey {
  const key = realm.keys.get(accessKeyId);
  // A missing token and one of another session are refused before the signature is looked at.
  if (key === undefined || key.sessionToken !== token) {
    throw new StsError("InvalidClientTokenId", USUAL_MESSAGE.InvalidClientTokenId);
  }
  if (key.expiresAt !== undefined && key.expiresAt <= realm.now()) {
    throw new StsError("ExpiredToken", USUAL_MESSAGE.ExpiredToken);
  }
  return key;
}

function checkDate(amzDate: string, now: Date): void {
  const signedAt = fromAmzDate(amzDate);
  if (signedAt === undefined) {
    throw new StsError("IncompleteSignature", "Date must be in ISO-8601 'basic format'.");
  }
  const earliest = new Date(now.getTime() - SKEW_MS);
  const latest = new Date(now.getTime() + SKEW_MS);
  if (signedAt < earliest) {
    throw new StsError(
      "SignatureDoesNotMatch",
      `Signature expired: ${amzDate} is now earlier than ${toAmzDate(earliest)} (${toAmzDate(now)} - 15 min.)`,
    );
  }
  if (signedAt > latest) {
    throw new StsError(
      "SignatureDoesNotMatch",
      `Signature not yet current: ${amzDate} is still later than ${toAmzDate(latest)} (${toAmzDate(now)} + 15 min.)`,
    );
  }
}

/**
 * Proves by SigV4 who sent the request. Any region will do in the scope: a loopback endpoint is in none.
 *
 * @throws StsError
 */
export function authenticate(realm: Realm, request: SignedRequest): AccessKey {
  const header = headerOf(request, "authorization");
  if (header === undefined) {
    throw new StsError("MissingAuthenticationToken", USUAL_MESSAGE.MissingAuthenticationToken);
  }
  const authorization = parseAuthorization(header);
  const amzDate = headerOf(request, "x-amz-date");
  if (authorization === undefined || amzDate === undefined) {
    throw new StsError("IncompleteSignature", USUAL_MESSAGE.IncompleteSignature);
  }
  const token = headerOf(request, "x-amz-security-token");
  const key = findKey(realm, authorization.accessKeyId, token);
  if (authorization.service !== "sts") {
    throw new StsError("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ");
  }
  if (authorization.terminator !== "aws4_request" || !/^[a-z]{2}(-[a-z]+)+-\d$/.test(authorization.region)) {
    throw new StsError("SignatureDoesNotMatch", "Credential should be scoped to a valid region. ");
  }
  checkDate(amzDate, realm.now());
  const mustSign = ["host", "x-amz-date", ...(token === undefined ? [] : ["x-amz-security-token"])];
  const isComplete =
    amzDate.startsWith(authorization.day) && mustSign.every((name) => authorization.signedHeaders.includes(name));
  if (!isComplete || !isSignedWith(key.secretAccessKey, request, authorization, amzDate)) {
    throw new StsError("SignatureDoesNotMatch", USUAL_MESSAGE.SignatureDoesNotMatch);
  }
  return key;
}

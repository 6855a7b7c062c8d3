import { errors, jwtVerify, type JWTPayload } from "jose";
import { openSession } from "./assume-role.ts";
import type { Fault } from "./fault.ts";
import { keyFinder } from "./google-token.ts";
import { StsError, USUAL_MESSAGE, type XmlTree } from "./query-protocol.ts";
import type { Realm } from "./realm.ts";
import { checkDuration, readRoleRequest } from "./role-request.ts";
import { allows, type RequestContext } from "./trust-policy.ts";

/** AssumeRoleWithWebIdentity: unsigned; the token is the proof. */

const GOOGLE = "accounts.google.com";

const NOT_A_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";

interface VerifiedToken {
  /** The provider's name in condition keys: `accounts.google.com`, or the issuer without its scheme. */
  readonly provider: string;
  readonly audience: readonly string[];
  readonly authorizedParty: string | undefined;
  readonly subject: string;
  readonly expiresAt: number;
  readonly notBefore: number | undefined;
}

function peek(token: string): JWTPayload {
  const part = token.split(".");
  try {
    const payload: unknown = JSON.parse(Buffer.from(part[1] ?? "", "base64url").toString("utf8"));
    if (part.length === 3 && typeof payload === "object" && payload !== null) return payload as JWTPayload;
  } catch {
    // The refusal below serves for broken JSON too.
  }
  throw new StsError("InvalidIdentityToken", NOT_A_JWT);
}

function findProvider(realm: Realm, issuer: string): { readonly name: string; readonly clientIds?: readonly string[] } {
  // Google has signed tokens with and without the scheme (OpenID Connect page, "iss: … either https:// or without").
  if (issuer === `https://${GOOGLE}` || issuer === GOOGLE) return { name: GOOGLE };
  const provider = realm.providers.find((candidate) => candidate.issuer === issuer);
  if (provider === undefined) {
    throw new StsError("InvalidIdentityToken", `No OpenIDConnect provider found in your account for ${issuer}`);
  }
  return { name: issuer.replace(/^https?:\/\//, ""), clientIds: provider.clientIds };
}

async function verifySignature(token: string, now: Date): Promise<void> {
  try {
    await jwtVerify(token, await keyFinder(), { algorithms: ["RS256"], currentDate: now });
  } catch (error) {
    // Expiry and validity are judged below, in AWS's words.
    if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) return;
    if (error instanceof errors.JWKSNoMatchingKey) {
      throw new StsError("InvalidIdentityToken", USUAL_MESSAGE.InvalidIdentityToken);
    }
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      throw new StsError("InvalidIdentityToken", "The signature of the web identity token could not be validated");
    }
    if (error instanceof errors.JOSEError) throw new StsError("InvalidIdentityToken", NOT_A_JWT);
    throw error;
  }
}

async function verify(realm: Realm, token: string): Promise<VerifiedToken> {
  const payload = peek(token);
  const { iss, sub, aud, exp, nbf, iat } = payload;
  const azp = payload["azp"];
  if (typeof iss !== "string" || typeof sub !== "string" || typeof exp !== "number" || aud === undefined) {
    throw new StsError("InvalidIdentityToken", "Missing a required claim");
  }
  const { name, clientIds } = findProvider(realm, iss);
  const now = realm.now();
  await verifySignature(token, now);
  const seconds = Math.floor(now.getTime() / 1000);
  if (seconds >= exp) {
    throw new StsError(
      "ExpiredTokenException",
      `Token expired: current date/time ${seconds} must be before the expiration date/time ${exp}`,
    );
  }
  const startsAt = nbf ?? iat;
  // Five minutes of grace for a provider whose clock is ahead.
  if (startsAt !== undefined && startsAt > seconds + 300) {
    throw new StsError("InvalidIdentityToken", "The web identity token is not valid yet");
  }
  const audience = typeof aud === "string" ? [aud] : aud;
  const authorizedParty = typeof azp === "string" ? azp : undefined;
  if (
    clientIds !== undefined &&
    !(authorizedParty === undefined ? audience : [authorizedParty]).some((id) => clientIds.includes(id))
  ) {
    throw new StsError("InvalidIdentityToken", "Incorrect token audience");
  }
  return { provider: name, audience, authorizedParty, subject: sub, expiresAt: exp, notBefore: nbf };
}

/**
 * The condition keys of the token. For Google `aud` is the token's `azp` when it has one, and `oaud` is its `aud`: IAM
 * User Guide, "Available keys for AWS OIDC federation".
 */
function contextOf(token: VerifiedToken, sessionName: string): RequestContext {
  const { provider, audience, authorizedParty, subject } = token;
  const effective = authorizedParty === undefined ? audience : [authorizedParty];
  const context = new Map<string, readonly string[]>([
    [`${provider}:aud`, effective],
    [`${provider}:sub`, [subject]],
    ["aws:federatedprovider", [provider]],
    ["sts:rolesessionname", [sessionName]],
  ]);
  if (provider === GOOGLE) context.set(`${provider}:oaud`, audience);
  return new Map([...context].map(([key, values]) => [key.toLowerCase(), values]));
}

export async function assumeRoleWithWebIdentity(
  realm: Realm,
  parameters: ReadonlyMap<string, string>,
  fault: Fault | undefined,
): Promise<XmlTree> {
  const request = readRoleRequest(parameters, ["RoleArn", "RoleSessionName", "WebIdentityToken"]);
  const token = await verify(realm, parameters.get("WebIdentityToken") ?? "");
  const role = realm.roles.get(request.roleArn);
  const [, partition, , , account] = request.roleArn.split(":");
  const providerArn = `arn:${partition}:iam::${account}:oidc-provider/${token.provider}`;
  const caller = {
    kind: "Federated",
    names: [token.provider === GOOGLE ? GOOGLE : providerArn],
  } as const;
  const context = contextOf(token, request.sessionName);
  if (role === undefined || !allows(role.trustPolicy, "sts:AssumeRoleWithWebIdentity", caller, context)) {
    throw new StsError("AccessDenied", USUAL_MESSAGE.AccessDenied);
  }
  checkDuration(request, role, false);
  return {
    SubjectFromWebIdentityToken: token.subject,
    Audience: token.authorizedParty ?? token.audience[0],
    ...openSession(realm, role, request, {}, fault),
    Provider: token.provider === GOOGLE ? GOOGLE : providerArn,
    PackedPolicySize: request.packedPolicySize?.toString(),
  };
}

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { jwtVerify } from "jose";
import { DEFAULT_SERVICE_ACCOUNT } from "./default-world.ts";
import { signToken } from "./google-token.ts";
import type { ReceivedRequest } from "./loopback-server.ts";
import type { SandboxServiceAccount } from "./machine.ts";
import type { Reply } from "./reply.ts";
import { METADATA_ACCESS_TOKEN } from "./service-accounts.ts";
import { jsonReply, startTokenService, timesAt, type TokenService } from "./token-service.ts";

/**
 * Google's token endpoints on one port. Sources: Google Identity, "Using OAuth 2.0 for Server to Server Applications"
 * (JWT bearer grant, `target_audience`, errors) and "Using OAuth 2.0 for Web Server Applications" (refresh); IAM,
 * "Method: token" of the Security Token Service; IAM Credentials, "Method: generateIdToken" and "generateAccessToken".
 */

export const KEY_ACCOUNT: SandboxServiceAccount = {
  email: "with-a-key@demo-project.iam.gserviceaccount.com",
  uniqueId: "112233445566778899002",
};
export const USER_CLIENT_ID = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com";
const REFRESH_TOKEN = "1//0e-refresh-token-of-somebody";
const CLIENT_SECRET = "d-client-secret-of-gcloud";
const SIGNED_FOR = "https://oauth2.googleapis.com/token";
const POOL = "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/providers/provider";

export interface GoogleIam extends TokenService {
  /** For the caller's environment: where IAM Credentials is. */
  readonly env: Readonly<Record<string, string>>;
  /** A service account's key, as the console hands it out. */
  readonly key: Readonly<Record<string, string>>;
  /** What `gcloud auth application-default login` writes. */
  readonly user: Readonly<Record<string, string>>;
  /** What `gcloud iam workload-identity-pools create-cred-config` writes for a token in a file. */
  externalAccount(tokenFile: string, impersonate?: string): Readonly<Record<string, unknown>>;
  /** The same for EC2, with the instance's metadata service at `imds`. */
  awsAccount(imds: string): Readonly<Record<string, unknown>>;
  /** Who may impersonate whom: access token to e-mail addresses. */
  readonly mayImpersonate: Map<string, readonly string[]>;
}

const oauthError = (error: string, description: string): Reply =>
  jsonReply({ error, error_description: description }, 400);

const apiError = (code: number, status: string, message: string): Reply =>
  jsonReply({ error: { code, message, status } }, code);

const ACCOUNTS = [DEFAULT_SERVICE_ACCOUNT, KEY_ACCOUNT];

interface Context {
  readonly publicKey: KeyObject;
  readonly now: () => Date;
  readonly mayImpersonate: ReadonlyMap<string, readonly string[]>;
}

async function oauthToken(form: URLSearchParams, { publicKey, now }: Context): Promise<Reply> {
  const expires = { expires_in: 3599, token_type: "Bearer" };
  const times = timesAt(now());
  if (form.get("grant_type") === "refresh_token") {
    if (form.get("client_secret") !== CLIENT_SECRET) return jsonReply({ error: "invalid_client" }, 401);
    if (form.get("refresh_token") !== REFRESH_TOKEN)
      return oauthError("invalid_grant", "Token has been expired or revoked.");
    // A user's token is for the client that logged in, whatever audience is asked for.
    const claims = { iss: "https://accounts.google.com", aud: USER_CLIENT_ID, azp: USER_CLIENT_ID, sub: "1077" };
    const id_token = await signToken({ ...claims, email: "somebody@example.com", ...times });
    return jsonReply({ access_token: "ya29.user", id_token, scope: "openid", ...expires });
  }
  try {
    const { payload } = await jwtVerify(form.get("assertion") ?? "", publicKey, {
      algorithms: ["RS256"],
      audience: SIGNED_FOR,
      issuer: KEY_ACCOUNT.email,
      currentDate: now(),
      clockTolerance: 300,
    });
    const audience = payload["target_audience"];
    if (typeof audience !== "string") return jsonReply({ access_token: "ya29.key", ...expires });
    // The e-mail address in `azp`: googleapis/google-auth-library-python#746.
    const { email, uniqueId } = KEY_ACCOUNT;
    const claims = { iss: "https://accounts.google.com", aud: audience, azp: email, sub: uniqueId, email };
    return jsonReply({ id_token: await signToken({ ...claims, email_verified: true, ...times }) });
  } catch {
    return oauthError("invalid_grant", "Invalid JWT Signature.");
  }
}

function exchangeToken(form: URLSearchParams): Reply {
  if (form.get("audience") !== POOL)
    return oauthError("invalid_target", 'The target service indicated by the "audience" parameters is invalid.');
  const isAws = form.get("subject_token_type") === "urn:ietf:params:aws:token-type:aws4_request";
  if (!isAws && (form.get("subject_token") ?? "").split(".").length !== 3) {
    return oauthError("invalid_grant", "Unable to parse the ID Token.");
  }
  return jsonReply({
    access_token: "ya29.d.federated",
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 3599,
  });
}

async function impersonate(name: string, method: string, request: ReceivedRequest, context: Context): Promise<Reply> {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const allowed = bearer === undefined ? undefined : context.mayImpersonate.get(bearer);
  if (allowed === undefined) return apiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
  const account = ACCOUNTS.find(({ email, uniqueId }) => email === name || uniqueId === name);
  if (account === undefined) return apiError(404, "NOT_FOUND", "Not found; Gaia id not found for email " + name);
  if (!allowed.includes(account.email)) {
    const permission =
      method === "generateIdToken" ? "iam.serviceAccounts.getOpenIdToken" : "iam.serviceAccounts.getAccessToken";
    return apiError(403, "PERMISSION_DENIED", `Permission '${permission}' denied on resource (or it may not exist).`);
  }
  const body: unknown = JSON.parse(request.body.toString("utf8"));
  const asked = { audience: "", useEmailAzp: false, includeEmail: false, ...(body as Record<string, unknown>) };
  if (method === "generateAccessToken") {
    const expireTime = new Date(context.now().getTime() + 3_600_000).toISOString();
    return jsonReply({ accessToken: `ya29.of.${account.email}`, expireTime });
  }
  const claims = {
    iss: "https://accounts.google.com",
    aud: asked.audience,
    azp: asked.useEmailAzp ? account.email : account.uniqueId,
    sub: account.uniqueId,
    ...(asked.includeEmail ? { email: account.email, email_verified: true } : {}),
  };
  return jsonReply({ token: await signToken({ ...claims, ...timesAt(context.now()) }) });
}

export async function startGoogleIam(now: () => Date = () => new Date()): Promise<GoogleIam> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const mayImpersonate = new Map<string, readonly string[]>([[METADATA_ACCESS_TOKEN, []]]);
  const context = { publicKey, now, mayImpersonate };
  const service = await startTokenService(async (request) => {
    const path = new URL(request.target, "http://localhost").pathname;
    const form = new URLSearchParams(request.body.toString("utf8"));
    const account = /^\/v1\/projects\/-\/serviceAccounts\/([^:]+):(generateIdToken|generateAccessToken)$/.exec(path);
    if (request.method !== "POST") return apiError(404, "NOT_FOUND", "Not found");
    if (path === "/token") return oauthToken(form, context);
    if (path === "/v1/token") return exchangeToken(form);
    if (account === null) return apiError(404, "NOT_FOUND", "Not found");
    return impersonate(decodeURIComponent(account[1] ?? ""), account[2] ?? "", request, context);
  }, now);
  const { url } = service;
  return {
    ...service,
    env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: `${url}/` },
    mayImpersonate,
    key: {
      type: "service_account",
      project_id: "demo-project",
      private_key_id: "0123456789abcdef",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      client_email: KEY_ACCOUNT.email,
      client_id: KEY_ACCOUNT.uniqueId,
      token_uri: `${url}/token`,
    },
    user: {
      type: "authorized_user",
      client_id: USER_CLIENT_ID,
      client_secret: CLIENT_SECRET,
      refresh_token: REFRESH_TOKEN,
      token_uri: `${url}/token`,
    },
    awsAccount: (imds) => ({
      type: "external_account",
      audience: POOL,
      subject_token_type: "urn:ietf:params:aws:token-type:aws4_request",
      token_url: `${url}/v1/token`,
      credential_source: {
        environment_id: "aws1",
        region_url: `${imds}/latest/meta-data/placement/availability-zone`,
        url: `${imds}/latest/meta-data/iam/security-credentials`,
        imdsv2_session_token_url: `${imds}/latest/api/token`,
        regional_cred_verification_url:
          "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
      },
    }),
    externalAccount: (tokenFile, impersonated) => ({
      type: "external_account",
      audience: POOL,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${url}/v1/token`,
      credential_source: { file: tokenFile },
      ...(impersonated === undefined
        ? {}
        : {
            service_account_impersonation_url: `${url}/v1/projects/-/serviceAccounts/${impersonated}:generateAccessToken`,
          }),
    }),
  };
}

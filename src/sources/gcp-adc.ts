import { Failure } from "../base/failure.ts";
import type { Secret } from "../base/secret.ts";
import { headerValue } from "../net/http.ts";
import { isRecord } from "../net/json-response.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentityContext } from "./context.ts";
import { USER_AUDIENCE_HINT } from "./gcloud.ts";
import { accessTokenFromMetadata, accountInPath, tokenFromMetadata } from "./gcp-metadata.ts";
import { openGoogleClient } from "./google-client.ts";
import { findGoogleCredentials, type GoogleCredentials } from "./google-credentials-file.ts";
import { checkResponseToken } from "./jwt.ts";
import { requestToken, secureUrl } from "./token-server.ts";

interface AdcSource {
  readonly audience: string | undefined;
  readonly serviceAccount: string | undefined;
}

/** The service account to impersonate. */
interface Target {
  /** E-mail address or unique ID. */
  readonly serviceAccount: string;
  /** Service accounts between, nearest first. */
  readonly delegates: readonly string[];
}

/** The same default as with the metadata server, so that both fit one trust policy. */
const DEFAULT_AUDIENCE = "gcp";

/**
 * The identity token of Google's Application Default Credentials. `azp`, which AWS compares with
 * `accounts.google.com:aud`, depends on the credentials:
 *
 * - the metadata server's (there is no file): the account's unique ID;
 * - a service account's key: its e-mail address (googleapis/google-auth-library-python#746);
 * - a user's own: the client ID of gcloud, which is the audience as well;
 * - with `service_account`, or where the credentials themselves name one to impersonate: that account's unique ID.
 *
 * External accounts (workload identity federation) get an identity token only by impersonation.
 *
 * @throws Failure as `findGoogleCredentials`, `openGoogleClient`, `tokenByImpersonation` and `tokenFromMetadata`;
 *   IDENTITY_UNAVAILABLE for credentials without an identity token
 */
export async function tokenFromDefaultCredentials(source: AdcSource, context: IdentityContext): Promise<IdentityToken> {
  const audience = source.audience ?? DEFAULT_AUDIENCE;
  const credentials = await findGoogleCredentials(context);
  if (credentials === undefined) return machineToken(source.serviceAccount, audience, context);
  const { type, path } = credentials;
  context.verbose(`identity: ${type} in ${path}`);
  const { caller, target } = impersonationOf(credentials, source.serviceAccount);
  const client = await openGoogleClient(caller, context);
  if (target !== undefined) return tokenByImpersonation(target, audience, await client.accessToken(), context);
  if (client.identityToken === undefined) {
    throw new Failure("IDENTITY_UNAVAILABLE", `the ${type} in ${path} has no identity token`, {
      hint: "set `service_account` to one that it may impersonate",
    });
  }
  const token = await client.identityToken(audience);
  const expected = { audience: source.audience, serverTime: client.serverTime() };
  try {
    return checkResponseToken(token.reveal(), `the token for ${path}`, context.clock, expected);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TOKEN_AUDIENCE" || type !== "authorized_user") throw error;
    throw new Failure(error.code, error.message, { hint: USER_AUDIENCE_HINT, cause: error });
  }
}

async function machineToken(
  serviceAccount: string | undefined,
  audience: string,
  context: IdentityContext,
): Promise<IdentityToken> {
  try {
    if (serviceAccount === undefined) return await tokenFromMetadata({ audience, serviceAccount: "default" }, context);
    const accessToken = await accessTokenFromMetadata(context);
    return await tokenByImpersonation({ serviceAccount, delegates: [] }, audience, accessToken, context);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "IDENTITY_UNAVAILABLE") throw error;
    throw new Failure(error.code, `there are no Application Default Credentials, and ${error.message}`, {
      hint: "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file",
      cause: error,
    });
  }
}

/**
 * Who calls, and for whom. The files of `gcloud auth application-default login --impersonate-service-account` and of
 * workload identity federation name an account in `service_account_impersonation_url`: its identity token is requested with
 * the credentials behind it, so that the account needs no rights on itself. Another configured account is impersonated by
 * the one of the file, as gcloud would chain them.
 */
function impersonationOf(
  credentials: GoogleCredentials,
  configured: string | undefined,
): { readonly caller: GoogleCredentials; readonly target: Target | undefined } {
  const { json, type, path } = credentials;
  const named = accountIn(json["service_account_impersonation_url"]);
  const isOther = configured !== undefined && configured !== named;
  if (type === "impersonated_service_account") {
    const source = json["source_credentials"];
    if (named === undefined || !isRecord(source) || typeof source["type"] !== "string") {
      throw new Failure("TOKEN_MALFORMED", `${path} does not name the caller and the account to impersonate`);
    }
    const caller = { path, type: source["type"], json: source };
    const listed: unknown = json["delegates"];
    const delegates = Array.isArray(listed)
      ? listed.filter((one) => typeof one === "string").map((one) => one.replace(/^.*\//, ""))
      : [];
    const target = isOther
      ? { serviceAccount: configured, delegates: [...delegates, named] }
      : { serviceAccount: named, delegates };
    return { caller, target };
  }
  if (named === undefined || isOther) {
    const target = configured === undefined ? undefined : { serviceAccount: configured, delegates: [] };
    return { caller: credentials, target };
  }
  const { service_account_impersonation_url: _, ...behind } = json;
  return { caller: { ...credentials, json: behind }, target: { serviceAccount: named, delegates: [] } };
}

function accountIn(url: unknown): string | undefined {
  if (typeof url !== "string") return undefined;
  const name = /\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(url)?.[1];
  return name?.replaceAll("%40", "@");
}

/**
 * The identity token of a service account that the caller may impersonate: IAM Credentials `generateIdToken`
 * (https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken).
 *
 * `useEmailAzp` is always false: then `azp`, which AWS compares with `accounts.google.com:aud`, is the account's unique ID,
 * as in the tokens of the metadata server, and one trust policy fits both. google-auth-library sends true
 * (googleapis/google-auth-library-python#1263), which puts the e-mail address there.
 *
 * @param accessToken the caller's, with the scope `cloud-platform`
 * @throws Failure IDENTITY_DENIED when the caller may not, or there is no such account; ENDPOINT_REFUSED; as `requestToken`
 */
async function tokenByImpersonation(
  { serviceAccount, delegates }: Target,
  audience: string,
  accessToken: Secret,
  context: IdentityContext,
): Promise<IdentityToken> {
  const path = `v1/projects/-/serviceAccounts/${accountInPath(serviceAccount)}:generateIdToken`;
  const url = new URL(path, credentialsEndpoint(context));
  const hint =
    `grant the calling account the role roles/iam.serviceAccountOpenIdTokenCreator on ${serviceAccount} ` +
    "(`gcloud iam service-accounts add-iam-policy-binding`), and enable iamcredentials.googleapis.com in its project";
  const server = {
    who: `IAM Credentials at ${url.host}`,
    deniedHint: hint,
    absentHint: "check CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS and the network",
    // Google does not tell strangers whether an account exists.
    classify: ({ status }: { readonly status: number }) =>
      status === 404
        ? new Failure("IDENTITY_DENIED", `IAM Credentials knows no service account ${serviceAccount} (status 404)`, {
            hint,
          })
        : undefined,
  };
  const authorization = headerValue(
    accessToken,
    "the access token from Google",
    "IDENTITY_INVALID_RESPONSE",
    "Bearer ",
  );
  const body = {
    audience,
    includeEmail: true,
    useEmailAzp: false,
    delegates: delegates.map((name) => `projects/-/serviceAccounts/${name}`),
  };
  const headers = { Authorization: authorization, "Content-Type": "application/json" };
  const request = { url, method: "POST", headers, body: JSON.stringify(body) } as const;
  return requestToken(request, server, { jsonPath: "token", audience }, context);
}

/** gcloud's own variable for another endpoint (property `api_endpoint_overrides/iamcredentials`), such as a private one. */
function credentialsEndpoint({ env }: IdentityContext): URL {
  const named = env["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"];
  if (!named) return new URL("https://iamcredentials.googleapis.com/");
  const url = secureUrl(named);
  if (url !== undefined) return url.pathname.endsWith("/") ? url : new URL(`${url.href}/`);
  throw new Failure("ENDPOINT_REFUSED", "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS is not an https URL");
}

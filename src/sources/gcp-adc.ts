import { Failure } from "../base/failure.ts";
import { checkAnsweredToken } from "./token-response.ts";
import { tokenByImpersonation } from "./gcp-impersonation.ts";
import { accessTokenFromMetadata, tokenFromMetadata } from "./gcp-metadata.ts";
import { openGoogleClient } from "./google-client.ts";
import { findGoogleCredentials, type GoogleCredentials } from "./google-credentials-file.ts";
import { isRecord } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";

interface AdcSource {
  readonly audience: string | undefined;
  readonly serviceAccount: string | undefined;
}

/** The same default as with the metadata server, so that both fit one trust policy. */
const DEFAULT_AUDIENCE = "gcp";

/**
 * The identity token of Google's Application Default Credentials. By kind of the credentials, `azp`, which AWS compares
 * with `accounts.google.com:aud`, is:
 *
 * - the metadata server's (there is no file): the account's unique ID;
 * - a service account's key: its e-mail address (googleapis/google-auth-library-python#746);
 * - a user's own: the client ID of gcloud, which is the audience as well;
 * - with `service_account`, or where the credentials themselves name one to impersonate: that account's unique ID.
 *
 * External accounts (workload identity federation) have no identity token but by impersonation.
 *
 * @throws Failure IDENTITY_*, TOKEN_*; see `findGoogleCredentials`, `openGoogleClient`, `tokenByImpersonation` and
 *   `tokenFromMetadata`.
 */
export async function tokenFromDefaultCredentials(source: AdcSource, context: IdentityContext): Promise<IdentityToken> {
  const audience = source.audience ?? DEFAULT_AUDIENCE;
  const credentials = await findGoogleCredentials(context);
  if (credentials === undefined) return tokenOfMachine(source.serviceAccount, audience, context);
  context.verbose(`identity: ${credentials.type} in ${credentials.path}`);
  const { caller, target } = impersonationOf(credentials, source.serviceAccount);
  const client = await openGoogleClient(caller, context);
  if (target !== undefined) {
    return tokenByImpersonation({ ...target, audience }, await client.accessToken(), context);
  }
  if (client.identityToken === undefined) {
    throw new Failure("IDENTITY_UNAVAILABLE", `the ${credentials.type} in ${credentials.path} has no identity token`, {
      hint: "set `service_account` to one that it may impersonate",
    });
  }
  const token = await client.identityToken(audience);
  const describe = `the token for ${credentials.path}`;
  const expected = { audience: source.audience, serverTime: client.serverTime() };
  try {
    return checkAnsweredToken(token.reveal(), describe, context.clock, expected);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TOKEN_AUDIENCE" || credentials.type !== "authorized_user")
      throw error;
    throw new Failure(error.code, error.message, {
      hint: "a user account has no token for an audience: set `service_account` to one that it may impersonate, or leave `audience` out",
      cause: error,
    });
  }
}

async function tokenOfMachine(
  serviceAccount: string | undefined,
  audience: string,
  context: IdentityContext,
): Promise<IdentityToken> {
  try {
    if (serviceAccount === undefined) return await tokenFromMetadata({ audience, serviceAccount: "default" }, context);
    const accessToken = await accessTokenFromMetadata(context);
    return await tokenByImpersonation({ serviceAccount, audience, delegates: [] }, accessToken, context);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "IDENTITY_UNAVAILABLE") throw error;
    throw new Failure(error.code, `there are no Application Default Credentials, and ${error.message}`, {
      hint: "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file",
      cause: error,
    });
  }
}

interface Plan {
  readonly caller: GoogleCredentials;
  readonly target: { readonly serviceAccount: string; readonly delegates: readonly string[] } | undefined;
}

/**
 * Who calls, and for whom. What `gcloud auth application-default login --impersonate-service-account` and workload
 * identity federation write names an account in `service_account_impersonation_url`: its identity token is asked for with
 * the credentials behind it, so that the account need not have rights on itself. Another account that the config names
 * is asked for by the one of the file, as gcloud would chain them.
 */
function impersonationOf(credentials: GoogleCredentials, configured: string | undefined): Plan {
  const { json, type } = credentials;
  const named = accountIn(json["service_account_impersonation_url"]);
  const isPlain = named === undefined || (configured !== undefined && configured !== named);
  if (type === "impersonated_service_account") {
    const source = json["source_credentials"];
    if (named === undefined || !isRecord(source) || typeof source["type"] !== "string") {
      throw new Failure("TOKEN_MALFORMED", `${credentials.path} does not say who impersonates whom`);
    }
    const caller = { path: credentials.path, type: source["type"], json: source };
    const listed: unknown = json["delegates"];
    const delegates = Array.isArray(listed)
      ? listed.filter((one) => typeof one === "string").map((one) => one.replace(/^.*\//, ""))
      : [];
    return configured === undefined || configured === named
      ? { caller, target: { serviceAccount: named, delegates } }
      : { caller, target: { serviceAccount: configured, delegates: [...delegates, named] } };
  }
  if (isPlain) {
    return {
      caller: credentials,
      target: configured === undefined ? undefined : { serviceAccount: configured, delegates: [] },
    };
  }
  const { service_account_impersonation_url: _, ...behind } = json;
  return { caller: { ...credentials, json: behind }, target: { serviceAccount: named, delegates: [] } };
}

function accountIn(url: unknown): string | undefined {
  if (typeof url !== "string") return undefined;
  const name = /\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(url)?.[1];
  return name?.replaceAll("%40", "@");
}

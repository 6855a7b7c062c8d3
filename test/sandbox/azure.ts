import { signToken, type TokenClaims } from "./google-token.ts";
import type { ReceivedRequest } from "./loopback-server.ts";
import type { Reply } from "./reply.ts";
import { jsonReply, startTokenService, textReply, timesAt, type TokenService } from "./token-service.ts";

/**
 * The endpoints of Azure's managed identities. Sources: Microsoft Learn, "How to use managed identities on an Azure VM to
 * acquire an access token" (IMDS: header, parameters, table of errors) and "Use managed identities for App Service";
 * AzureAD/microsoft-authentication-library-for-js (the words of App Service's 400).
 */

export const AZURE_ISSUER = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/";
export const AZURE_SUBJECT = "aaaaaaaa-0000-0000-0000-000000000001";
export const AZURE_CLIENT_ID = "bbbbbbbb-0000-0000-0000-000000000002";
export const AZURE_RESOURCE = "api://cccccccc-0000-0000-0000-000000000003";
const SECRET = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";

export interface Azure extends TokenService {
  /** What a program finds in its environment: on App Service the real names, for IMDS that of Microsoft's libraries. */
  readonly env: Readonly<Record<string, string>>;
}

interface AzureOptions {
  readonly claims?: TokenClaims;
  readonly now?: () => Date;
  /** Without an identity every question is answered with 400. */
  readonly hasIdentity?: boolean;
}

const imdsError = (error: string, description: string, status = 400): Reply =>
  jsonReply({ error, error_description: description }, status);

async function token(query: URLSearchParams, options: AzureOptions): Promise<Record<string, string>> {
  const resource = query.get("resource") ?? "";
  const times = timesAt((options.now ?? (() => new Date()))());
  return {
    access_token: await signToken({
      iss: AZURE_ISSUER,
      sub: AZURE_SUBJECT,
      oid: AZURE_SUBJECT,
      aud: resource,
      appid: AZURE_CLIENT_ID,
      ver: "1.0",
      ...times,
      ...options.claims,
    }),
    client_id: query.get("client_id") ?? AZURE_CLIENT_ID,
    expires_on: String(times.exp),
    resource,
    token_type: "Bearer",
  };
}

/** A virtual machine's metadata service. */
export async function startImds(options: AzureOptions = {}): Promise<Azure> {
  const service = await startTokenService(async ({ target, headers }: ReceivedRequest) => {
    const url = new URL(target, "http://localhost");
    if (url.pathname !== "/metadata/identity/oauth2/token") return imdsError("not_found", "Not found", 404);
    if (headers["metadata"] !== "true") return imdsError("bad_request_102", "Required metadata header not specified");
    if (headers["x-forwarded-for"] !== undefined) return imdsError("bad_request_102", "Proxied requests are refused");
    if (url.searchParams.get("api-version") !== "2018-02-01") return imdsError("invalid_request", "api-version");
    const resource = url.searchParams.get("resource") ?? "";
    if (resource === "") return imdsError("invalid_request", "Required query variable 'resource' is missing");
    const client = url.searchParams.get("client_id") ?? AZURE_CLIENT_ID;
    if (options.hasIdentity === false || client !== AZURE_CLIENT_ID)
      return imdsError("invalid_request", "Identity not found");
    if (resource === "api://nobody")
      return imdsError("invalid_resource", "AADSTS500011: The resource principal was not found");
    return jsonReply({ ...(await token(url.searchParams, options)), expires_in: "3599", not_before: "0" });
  }, options.now);
  return { ...service, env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: service.url } };
}

/** App Service's endpoint. */
export async function startAppService(options: AzureOptions = {}): Promise<Azure> {
  const service = await startTokenService(async ({ target, headers }: ReceivedRequest) => {
    const url = new URL(target, "http://localhost");
    if (headers["x-identity-header"] !== SECRET) return textReply("", 401);
    if (url.searchParams.get("api-version") !== "2019-08-01" || !url.searchParams.has("resource")) {
      return jsonReply({ statusCode: 400, message: "bad request" }, 400);
    }
    const client = url.searchParams.get("client_id") ?? AZURE_CLIENT_ID;
    if (options.hasIdentity === false || client !== AZURE_CLIENT_ID) {
      const message =
        "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
      return jsonReply({ statusCode: 400, message, correlationId: "7797a7fe" }, 400);
    }
    return jsonReply(await token(url.searchParams, options));
  }, options.now);
  return { ...service, env: { IDENTITY_ENDPOINT: `${service.url}/msi/token`, IDENTITY_HEADER: SECRET } };
}

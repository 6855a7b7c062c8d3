import { Failure } from "../base/failure.ts";
import { isLocalHost, isPrivateHost } from "../base/host.ts";
import { printable } from "../base/printable.ts";
import { Secret } from "../base/secret.ts";
import type { Environment } from "../base/world.ts";
import { headerValue } from "../net/http.ts";
import { findText } from "../net/json-response.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentityContext } from "./context.ts";
import { readTokenFile } from "./token-file.ts";
import { requestToken, secureUrl, type TokenServer } from "./token-server.ts";

interface AzureSource {
  readonly audience: string | undefined;
  readonly clientId: string | undefined;
}

/** Where a managed identity gets its token. */
interface Endpoint {
  readonly what: string;
  readonly url: URL;
  readonly apiVersion: string;
  readonly headers: Readonly<Record<string, string | Secret>>;
  readonly attachHint: string;
  readonly alsoTransient: readonly number[];
}

/**
 * The token of an Azure managed identity, from the first of these that is there:
 *
 * 1. AKS workload identity: the file named by `AZURE_FEDERATED_TOKEN_FILE`
 *    (https://learn.microsoft.com/azure/aks/workload-identity-overview); the issuer is the cluster's.
 * 2. App Service, Functions and Container Apps: `IDENTITY_ENDPOINT` with `X-IDENTITY-HEADER`
 *    (https://learn.microsoft.com/azure/app-service/overview-managed-identity).
 * 3. A virtual machine: IMDS with `Metadata: true`
 *    (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token), at
 *    `AZURE_POD_IDENTITY_AUTHORITY_HOST` where that is set, as in Microsoft's own libraries.
 *
 * @throws Failure IDENTITY_UNAVAILABLE without any of them or such an identity, IDENTITY_DENIED when the tenant does not
 *   know the audience, CONFIG_INVALID when a required audience is missing; as `requestToken` and `readTokenFile`
 */
export async function tokenFromAzure(source: AzureSource, context: IdentityContext): Promise<IdentityToken> {
  const { audience, clientId } = source;
  const file = context.env["AZURE_FEDERATED_TOKEN_FILE"];
  if (file) return readTokenFile({ path: file, audience }, context);
  const endpoint = endpointOf(context.env);
  if (audience === undefined) {
    throw new Failure("CONFIG_INVALID", "`identity = azure` requires an `audience` here", {
      hint: "set it to the Application ID URI of an app registration: `audience = api://APP_ID`",
    });
  }
  const url = new URL(endpoint.url);
  url.searchParams.set("api-version", endpoint.apiVersion);
  url.searchParams.set("resource", audience);
  if (clientId !== undefined) url.searchParams.set("client_id", clientId);
  const server = serverOf(endpoint, audience, clientId);
  // A v1 token holds the resource as requested, a v2 token only the application's ID
  // (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference, `aud`).
  const otherAudiences = [audience.replace(/^api:\/\//, ""), audience.replace(/\/$/, ""), `${audience}/`];
  const expected = { jsonPath: "access_token", audience, otherAudiences };
  return requestToken({ url, headers: endpoint.headers }, server, expected, context);
}

function endpointOf(env: Environment): Endpoint {
  const named = env["IDENTITY_ENDPOINT"];
  if (named) {
    const secret = env["IDENTITY_HEADER"];
    if (!secret) {
      throw new Failure("IDENTITY_UNAVAILABLE", "IDENTITY_ENDPOINT is set without IDENTITY_HEADER", {
        hint: "on Azure Arc, use `identity = command` with `az account get-access-token`: Arc's endpoint is not supported",
      });
    }
    return {
      what: "the identity endpoint of App Service",
      url: readUrl("IDENTITY_ENDPOINT", named),
      apiVersion: "2019-08-01",
      headers: { "X-IDENTITY-HEADER": headerValue(new Secret(secret), "IDENTITY_HEADER", "TOKEN_MALFORMED") },
      attachHint: "enable the app's identity: `az webapp identity assign -g GROUP -n APP`",
      alsoTransient: [],
    };
  }
  const authority = env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] || "http://169.254.169.254";
  return {
    what: "the metadata service of Azure",
    url: new URL("/metadata/identity/oauth2/token", readUrl("AZURE_POD_IDENTITY_AUTHORITY_HOST", authority)),
    apiVersion: "2018-02-01",
    headers: { Metadata: "true" },
    attachHint: "give the VM an identity: `az vm identity assign -g GROUP -n VM`",
    // "IMDS endpoint is updating", of the page's table of errors.
    alsoTransient: [404, 410],
  };
}

/**
 * The endpoint gets a secret header and issues a token: never in the clear to another machine. App Service on Linux has it
 * on a private address of the worker, `http://172.16.2.6:8081/msi/token` (Azure/azure-sdk-for-js#11595).
 */
function readUrl(variable: string, text: string): URL {
  const isNear = (host: string) => isLocalHost(host) || isPrivateHost(host);
  const url = secureUrl(text, isNear);
  if (url !== undefined) return url;
  throw new Failure("IDENTITY_UNAVAILABLE", `${variable} is not an https URL or a private address`);
}

function serverOf(endpoint: Endpoint, audience: string, clientId: string | undefined): TokenServer {
  const who = `${endpoint.what} at ${endpoint.url.host}`;
  const hint = endpoint.attachHint;
  return {
    who,
    deniedHint: hint,
    absentHint: "choose another `identity`: `azure` works only on Azure, and this does not look like it",
    alsoTransient: endpoint.alsoTransient,
    /** `error` (IMDS) or `statusCode` (App Service) says what is wrong; descriptions "can change at any time". */
    classify: ({ status, body }) => {
      if (status !== 400) return undefined;
      const error = findText(body, "error");
      if (error === "invalid_resource") {
        return new Failure("IDENTITY_DENIED", `${who} issues no token for ${printable(audience)} (invalid_resource)`, {
          hint: "register an application with this Application ID URI in the tenant: `az ad app create --identifier-uris api://…`",
        });
      }
      if (error !== undefined && error !== "invalid_request" && error !== "unauthorized_client") return undefined;
      const which = clientId === undefined ? "managed identity" : `managed identity with client_id ${clientId}`;
      return new Failure("IDENTITY_UNAVAILABLE", `${who} has no ${which} for this machine (status 400)`, { hint });
    },
  };
}

import { isLinkLocalHost, isLoopbackHost, isPrivateHost } from "../base/host.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { Secret } from "../base/secret.ts";
import type { Environment } from "../base/world.ts";
import { checkAnsweredToken } from "./token-response.ts";
import { headerValue } from "../net/http.ts";
import { findText, textInJson } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import { readTokenFile } from "./token-file.ts";
import { askTokenServer, type TokenAnswer, type TokenServer } from "./token-server.ts";

interface AzureSource {
  readonly audience: string | undefined;
  readonly clientId: string | undefined;
}

/** Where a managed identity is asked for its token. */
interface Endpoint {
  readonly what: string;
  readonly url: URL;
  readonly apiVersion: string;
  readonly headers: Readonly<Record<string, string | Secret>>;
  readonly attach: string;
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
 *    `AZURE_POD_IDENTITY_AUTHORITY_HOST` where that is set, as Microsoft's own libraries have it.
 *
 * @throws Failure IDENTITY_UNAVAILABLE when there is none of them or no such identity, IDENTITY_DENIED when the tenant
 *   does not know the audience, CONFIG_INVALID when an audience is needed and missing, otherwise as `askTokenServer`,
 *   `textInJson`, `readTokenFile` and `checkToken`.
 */
export async function tokenFromAzure(source: AzureSource, context: IdentityContext): Promise<IdentityToken> {
  const file = context.env["AZURE_FEDERATED_TOKEN_FILE"];
  if (file) return readTokenFile({ path: file, audience: source.audience }, context);
  const endpoint = endpointOf(context.env);
  const { audience } = source;
  if (audience === undefined) {
    throw new Failure(
      "CONFIG_INVALID",
      "`identity = azure` needs an `audience` here: Azure issues no token without one",
      {
        hint: "set it to the Application ID URI of an app registration: `audience = api://APP_ID`",
      },
    );
  }
  const url = new URL(endpoint.url);
  url.searchParams.set("api-version", endpoint.apiVersion);
  url.searchParams.set("resource", audience);
  if (source.clientId !== undefined) url.searchParams.set("client_id", source.clientId);
  const server = serverOf(endpoint, audience, source.clientId);
  const answer = await askTokenServer({ url, headers: endpoint.headers }, server, context);
  const describe = `the answer of ${server.who}`;
  return checkAnsweredToken(textInJson(answer.body, "access_token", describe), describe, context.clock, {
    audience,
    // A v1 token has the resource as it was asked for, a v2 token the application's ID alone
    // (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference, `aud`).
    otherAudiences: [audience.replace(/^api:\/\//, ""), audience.replace(/\/$/, ""), `${audience}/`],
    serverTime: answer.date,
  });
}

function endpointOf(env: Environment): Endpoint {
  const named = env["IDENTITY_ENDPOINT"];
  if (named) {
    const secret = env["IDENTITY_HEADER"];
    if (!secret) {
      throw new Failure("IDENTITY_UNAVAILABLE", "IDENTITY_ENDPOINT is set without IDENTITY_HEADER", {
        hint: "Azure Arc sets it so, and is not served: use `identity = command` with `az account get-access-token`",
      });
    }
    return {
      what: "the identity endpoint of App Service",
      url: readUrl("IDENTITY_ENDPOINT", named),
      apiVersion: "2019-08-01",
      headers: { "X-IDENTITY-HEADER": headerValue(new Secret(secret), "IDENTITY_HEADER", "TOKEN_MALFORMED") },
      attach: "switch the app's identity on: `az webapp identity assign -g GROUP -n APP`",
      alsoTransient: [],
    };
  }
  const authority = env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] || "http://169.254.169.254";
  return {
    what: "the metadata service of Azure",
    url: new URL("/metadata/identity/oauth2/token", readUrl("AZURE_POD_IDENTITY_AUTHORITY_HOST", authority)),
    apiVersion: "2018-02-01",
    headers: { Metadata: "true" },
    attach: "give the VM an identity: `az vm identity assign -g GROUP -n VM`",
    // "IMDS endpoint is updating", of the page's table of errors.
    alsoTransient: [404, 410],
  };
}

/**
 * The endpoint gets a secret header and gives a token: never in the clear to another machine. App Service on Linux has it
 * on a private address of the worker, `http://172.16.2.6:8081/msi/token` (Azure/azure-sdk-for-js#11595).
 */
function readUrl(variable: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isNear =
    url !== undefined && (isLoopbackHost(url.hostname) || isLinkLocalHost(url.hostname) || isPrivateHost(url.hostname));
  if (url !== undefined && (url.protocol === "https:" || (url.protocol === "http:" && isNear))) return url;
  throw new Failure("IDENTITY_UNAVAILABLE", `${variable} is no https URL and no private address`);
}

function serverOf(endpoint: Endpoint, audience: string, clientId: string | undefined): TokenServer {
  const who = `${endpoint.what} at ${endpoint.url.host}`;
  return {
    who,
    deniedHint: endpoint.attach,
    absentHint: "this does not look like Azure: `azure` works only there; choose another `identity`",
    alsoTransient: endpoint.alsoTransient,
    judge: (answer) => judge(answer, who, audience, clientId, endpoint.attach),
  };
}

/** A 400 says in `error` (IMDS) or `statusCode`/`message` (App Service) what is wrong; descriptions "can change at any time". */
function judge(
  answer: TokenAnswer,
  who: string,
  audience: string,
  clientId: string | undefined,
  attach: string,
): Failure | undefined {
  if (answer.status !== 400) return undefined;
  const error = findText(answer.body, "error");
  if (error === "invalid_resource") {
    return new Failure("IDENTITY_DENIED", `${who} issues no token for ${printable(audience)} (invalid_resource)`, {
      hint: "register an application with this Application ID URI in the tenant: `az ad app create --identifier-uris api://…`",
    });
  }
  if (error === "invalid_request" || error === "unauthorized_client" || error === undefined) {
    const which = clientId === undefined ? "managed identity" : `managed identity with client_id ${clientId}`;
    return new Failure("IDENTITY_UNAVAILABLE", `${who} has no ${which} for this machine (status 400)`, {
      hint: attach,
    });
  }
  return undefined;
}

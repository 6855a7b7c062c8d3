import { interruption } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { isLocalHost } from "../base/host.ts";
import { redact } from "../base/printable.ts";
import { Secret } from "../base/secret.ts";
import { dateOf, describeResponse, type HttpResponse } from "../net/http.ts";
import { findText, isRecord } from "../net/json-response.ts";
import { isTransientAt, requestWithRetry, RETRY_MS } from "../net/retry-policy.ts";
import type { IdentityContext } from "./context.ts";
import type { GoogleCredentials } from "./google-credentials-file.ts";
import { faultFailure, secureUrl, TOKEN_LIMITS } from "./token-server.ts";

/** What Google's library can get for a set of credentials. */
interface GoogleClient {
  /** An access token with the scope `cloud-platform`, which IAM Credentials requires. */
  readonly accessToken: () => Promise<Secret>;
  /** Undefined where credentials of this kind have no identity token of their own. */
  readonly identityToken: ((audience: string) => Promise<Secret>) | undefined;
  /** The server's time of the last response. */
  readonly serverTime: () => Date | undefined;
}

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/**
 * Opens google-auth-library for credentials; loaded only here. Its requests go through our own HTTP client: with a deadline,
 * a size limit, no redirects, and our own retries. A `token_uri` in the credentials is used, as in Google's Go and Python
 * libraries.
 *
 * @throws Failure TOKEN_MALFORMED for credentials that the library rejects
 */
export async function openGoogleClient(
  credentials: GoogleCredentials,
  context: IdentityContext,
): Promise<GoogleClient> {
  const { GoogleAuth } = await import("google-auth-library");
  const { deadline } = context;
  const http = googleFetch(credentials, context);
  const client = build();
  return {
    accessToken: () => obtain(async () => (await client.getAccessToken()).token),
    identityToken: "fetchIdToken" in client ? (audience) => obtain(() => client.fetchIdToken(audience)) : undefined,
    serverTime: () => (http.last?.kind === "response" ? dateOf(http.last.headers) : undefined),
  };

  function build() {
    try {
      const auth = new GoogleAuth({ scopes: [SCOPE] });
      const made = auth.fromJSON(capExecutableTimeout(credentials.json, context), {
        transporterOptions: { fetchImplementation: http.fetch },
      });
      // 10.9.1 gives an external account's token exchange a transporter of its own, which would bypass our client.
      const exchange: unknown = Reflect.get(made, "stsCredential");
      if (typeof exchange === "object" && exchange !== null) Reflect.set(exchange, "transporter", made.transporter);
      made.transporter.interceptors.request.add({
        // Our client has retried already; the library's own pauses know no deadline.
        resolved: async (config) => ({
          ...config,
          retry: false,
          retryConfig: { ...config.retryConfig, retry: 0, noResponseRetries: 0 },
        }),
      });
      return made;
    } catch (error) {
      throw unusable(credentials, error, "use a key's JSON, or run `gcloud auth application-default login` again");
    }
  }

  async function obtain(work: () => Promise<string | null | undefined>): Promise<Secret> {
    let token: string | null | undefined;
    try {
      // An external account's executable does not know our deadline.
      token = await Promise.race([work(), whenAborted(deadline.signal)]);
    } catch (error) {
      if (deadline.signal.aborted) throw interruption(deadline, pending(http.host, credentials));
      throw http.refused ?? requestFailure(http.last, http.host ?? "", credentials, error);
    }
    if (token) return new Secret(token);
    throw new Failure("IDENTITY_INVALID_RESPONSE", `the response of ${http.host} holds no token`);
  }
}

interface GoogleFetch {
  readonly fetch: typeof globalThis.fetch;
  last: HttpResponse | undefined;
  /** The host of the last request. */
  host: string | undefined;
  /** Why a request was not sent at all. */
  refused: Failure | undefined;
}

/**
 * Our HTTP client as the `fetch` that google-auth-library takes. It throws TypeError when no response came, as the Fetch
 * standard requires, and `refused` for an endpoint without TLS.
 */
function googleFetch(credentials: GoogleCredentials, context: IdentityContext): GoogleFetch {
  const http: GoogleFetch = {
    last: undefined,
    host: undefined,
    refused: undefined,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const url = endpointFor(request.url, credentials);
      http.host = url.host;
      // Within this machine too: an external account's token may come from IMDS.
      if (secureUrl(url.href, isLocalHost) === undefined) {
        const cause = `${credentials.path} names an endpoint on ${url.host} without TLS`;
        http.refused = new Failure("TOKEN_MALFORMED", cause);
        throw http.refused;
      }
      const body = request.method === "GET" ? undefined : await request.text();
      // PUT is how an external account on EC2 opens its IMDSv2 session.
      const method = request.method === "GET" || request.method === "PUT" ? request.method : "POST";
      const headers = Object.fromEntries(request.headers);
      const policy = { isTransient: isTransientAt(url), pausesMs: RETRY_MS };
      const response = await requestWithRetry(
        { url, method, headers, body, ...TOKEN_LIMITS },
        url.host,
        policy,
        context,
      );
      http.last = response;
      if (response.kind === "fault") throw new TypeError(`${url.host}: ${describeResponse(response)}`);
      const type = response.headers["content-type"] ?? "application/json";
      return new Response(response.body, { status: response.status, headers: { "Content-Type": type } });
    },
  };
  return http;
}

/** The library signs for its own token endpoint and calls it whatever the key file says. */
function endpointFor(text: string, { json }: GoogleCredentials): URL {
  const named = json["token_uri"];
  const isDefault = text === "https://oauth2.googleapis.com/token";
  return new URL(isDefault && typeof named === "string" && URL.canParse(named) ? named : text);
}

function pending(host: string | undefined, { path }: GoogleCredentials): string {
  return host === undefined
    ? `the credentials in ${path} have given no token`
    : `the token endpoint at ${host} has not answered`;
}

/**
 * An external account's executable may be allowed two minutes, and would hold the process past its deadline. The library
 * accepts no less than 5 s (https://google.aip.dev/auth/4117, `timeout_millis`).
 */
function capExecutableTimeout(json: GoogleCredentials["json"], { deadline }: IdentityContext): typeof json {
  const source = json["credential_source"];
  const executable = isRecord(source) ? source["executable"] : undefined;
  if (!isRecord(source) || !isRecord(executable)) return json;
  const configured = typeof executable["timeout_millis"] === "number" ? executable["timeout_millis"] : 30_000;
  const timeout_millis = Math.max(5_000, Math.min(configured, Math.floor(deadline.remainingMs())));
  return { ...json, credential_source: { ...source, executable: { ...executable, timeout_millis } } };
}

/** Rejects as soon as the signal is aborted. The signal ends with its run, and its listener with it. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
}

/** The library's errors are never kept as a cause: they hold the request, and in it the refresh token in the clear. */
function requestFailure(
  last: HttpResponse | undefined,
  host: string,
  credentials: GoogleCredentials,
  error: unknown,
): Failure {
  // Nothing was sent: a key that cannot sign, a subject token that does not exist.
  if (last === undefined) return unusable(credentials, error);
  const message = `${host}: ${describeResponse(last)}`;
  if (last.kind === "fault")
    return faultFailure(last, host, {
      code: "IDENTITY_TEMPORARY",
      hint: `check the network between this host and ${host}`,
    });
  if (last.status === 429 || last.status >= 500) return new Failure("IDENTITY_TEMPORARY", message);
  if (last.status >= 400) return denial(last, message, credentials);
  return new Failure("IDENTITY_INVALID_RESPONSE", `the response of ${host} is not a token (status ${last.status})`);
}

/** The library's words, without what they quote: an executable's output, the beginning of what is not JSON. */
function unusable({ path }: GoogleCredentials, error: unknown, hint?: string): Failure {
  const words = error instanceof Error ? error.message : "rejected";
  const plain = words.replace(/(invalid response|and error message|Provided command)\b[^]*/i, "$1");
  const why = error instanceof SyntaxError ? "what they name is not JSON" : redact(plain, 200).replace(/\.$/, "");
  return new Failure("TOKEN_MALFORMED", `the credentials in ${path} cannot be used: ${why}`, { hint });
}

/** RFC 6749 5.2: `error` is one of a few words and `error_description` is for people. */
function denial(
  { status, body }: HttpResponse & { kind: "response" },
  message: string,
  { type, path }: GoogleCredentials,
): Failure {
  const error = findText(body, "error") ?? findText(body, "error.status");
  const description = findText(body, "error_description") ?? findText(body, "error.message");
  const details = [error, description].filter((text) => text !== undefined).join(": ");
  const cause = details === "" ? message : `${message}: ${redact(details, 200)}`;
  const isDenied = error !== undefined || status === 401 || status === 403;
  const hint =
    type === "service_account"
      ? `make a new key, or check this machine's clock with \`timedatectl\`: the key in ${path} may be deleted or disabled`
      : type === "external_account"
        ? "check the workload identity pool's provider: its issuer, audience and attribute condition"
        : "run `gcloud auth application-default login` again as the user that runs rolefresh";
  return new Failure(isDenied ? "IDENTITY_DENIED" : "IDENTITY_INVALID_RESPONSE", cause.replace(/\.$/, ""), { hint });
}

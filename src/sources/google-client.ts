import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import { redact } from "../base/printable.ts";
import { Secret } from "../base/secret.ts";
import type { GoogleCredentials } from "./google-credentials-file.ts";
import { openDoor } from "./google-fetch.ts";
import { dateOf, describeResponse, type HttpResponse } from "../net/http.ts";
import { findText, isRecord } from "../net/json-response.ts";
import type { IdentityContext } from "./context.ts";

/** What Google's library can get for a set of credentials. */
export interface GoogleClient {
  /** An access token with the scope `cloud-platform`, which IAM Credentials asks for. */
  readonly accessToken: () => Promise<Secret>;
  /** Undefined where credentials of this kind have no identity token of their own. */
  readonly identityToken: ((audience: string) => Promise<Secret>) | undefined;
  /** The server's time of the last answer. */
  readonly serverTime: () => Date | undefined;
}

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/**
 * Opens google-auth-library for credentials; loaded here and nowhere else. Its requests go through our own
 * door: with a deadline, a size limit, no redirects, and our own pauses between attempts. A `token_uri` in the credentials is honoured,
 * as Google's Go and Python libraries do.
 *
 * @throws Failure TOKEN_MALFORMED for credentials that the library refuses.
 */
export async function openGoogleClient(
  credentials: GoogleCredentials,
  context: IdentityContext,
): Promise<GoogleClient> {
  const { GoogleAuth } = await import("google-auth-library");
  const door = openDoor(credentials, context);
  const client = build();
  return {
    accessToken: () =>
      judged(async () => {
        const { token } = await client.getAccessToken();
        return typeof token === "string" ? token : undefined;
      }),
    identityToken: "fetchIdToken" in client ? (audience) => judged(() => client.fetchIdToken(audience)) : undefined,
    serverTime: () => (door.last === undefined || door.last.kind === "fault" ? undefined : dateOf(door.last.headers)),
  };

  function build() {
    try {
      const auth = new GoogleAuth({ scopes: [SCOPE] });
      const made = auth.fromJSON(withHaste(credentials.json, context), {
        transporterOptions: { fetchImplementation: door.fetch },
      });
      // 10.9.1 gives an external account's token exchange a transporter of its own, which would be a second door.
      const exchange: unknown = Reflect.get(made, "stsCredential");
      if (typeof exchange === "object" && exchange !== null) Reflect.set(exchange, "transporter", made.transporter);
      made.transporter.interceptors.request.add({
        // The door has asked again already; the library's own pauses know no deadline.
        resolved: async (config) => ({
          ...config,
          retry: false,
          retryConfig: { ...config.retryConfig, retry: 0, noResponseRetries: 0 },
        }),
      });
      return made;
    } catch (error) {
      const why = wordsOf(error);
      throw new Failure("TOKEN_MALFORMED", `the credentials in ${credentials.path} cannot be used: ${why}`, {
        hint: "get them anew: a key's JSON, or `gcloud auth application-default login`",
      });
    }
  }

  async function judged(work: () => Promise<string | undefined>): Promise<Secret> {
    const { deadline } = context;
    let token: string | undefined;
    try {
      // An external account's executable knows no deadline of ours.
      token = await Promise.race([work(), whenAborted(deadline.signal)]);
    } catch (error) {
      if (deadline.signal.aborted) throw interruption(deadline, silent(door.lastHost, credentials));
      throw door.refused ?? failureOf(door.last, door.lastHost ?? "", credentials, error);
    }
    if (typeof token === "string" && token !== "") return new Secret(token);
    throw new Failure("IDENTITY_INVALID_RESPONSE", `the answer of ${door.lastHost} holds no token`);
  }
}

function silent(host: string | undefined, { path }: GoogleCredentials): string {
  return host === undefined
    ? `the credentials in ${path} have given no token`
    : `the token endpoint at ${host} has not answered`;
}

/**
 * An external account's executable may be told to take two minutes, and would hold the process past its deadline. Less
 * than 5 s the library does not take (https://google.aip.dev/auth/4117, `timeout_millis`).
 */
function withHaste(json: GoogleCredentials["json"], { deadline }: IdentityContext): GoogleCredentials["json"] {
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

/** The library's errors are never kept as a cause: they hold the request, and of it the refresh token in the clear. */
function failureOf(
  last: HttpResponse | undefined,
  host: string,
  credentials: GoogleCredentials,
  cause: unknown,
): Failure {
  if (last === undefined) {
    // Nothing was sent: a key that cannot sign, a subject token that is not there.
    const why = wordsOf(cause);
    return new Failure("TOKEN_MALFORMED", `the credentials in ${credentials.path} cannot be used: ${why}`);
  }
  const message = `${host}: ${describeResponse(last)}`;
  if (last.kind === "fault") {
    const isInvalid = ["too-large", "tls", "not-http"].includes(last.fault);
    return new Failure(isInvalid ? "IDENTITY_INVALID_RESPONSE" : "IDENTITY_TEMPORARY", message, { hint: last.hint });
  }
  if (last.status === 429 || last.status >= 500) return new Failure("IDENTITY_TEMPORARY", message);
  if (last.status >= 400) return denial(last, message, credentials);
  return new Failure("IDENTITY_INVALID_RESPONSE", `the answer of ${host} is no token (status ${last.status})`);
}

/** The library's words, without what they repeat: an executable's output, the beginning of what is not JSON. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return "refused";
  if (error instanceof SyntaxError) return "what they name is not JSON";
  const words = error.message.replace(/(invalid response|and error message|Provided command)\b[^]*/i, "$1");
  return redact(words, 200).replace(/\.$/, "");
}

/** RFC 6749 5.2: `error` is one of a few words and `error_description` is for people. */
function denial(
  answer: HttpResponse & { kind: "response" },
  message: string,
  { type, path }: GoogleCredentials,
): Failure {
  const error = findText(answer.body, "error") ?? findText(answer.body, "error.status");
  const description = findText(answer.body, "error_description") ?? findText(answer.body, "error.message");
  const said = [error, description].filter((text) => text !== undefined).join(": ");
  const told = said === "" ? message : `${message}: ${redact(said, 200)}`;
  const code =
    error === undefined && answer.status !== 401 && answer.status !== 403
      ? "IDENTITY_INVALID_RESPONSE"
      : "IDENTITY_DENIED";
  const login = "run `gcloud auth application-default login` again as the user that runs rolefresh";
  const key = `the key in ${path} is deleted or disabled, or this machine's clock is wrong: make a new key, or \`timedatectl\``;
  const trust = "check the workload identity pool's provider: its issuer, audience and attribute condition";
  const hint = type === "service_account" ? key : type === "external_account" ? trust : login;
  return new Failure(code, told.replace(/\.$/, ""), { hint });
}

import { Failure, type FailureCode } from "../base/failure.ts";
import { isLocalHost, isLoopbackHost } from "../base/host.ts";
import type { HttpFault } from "../net/connection-fault.ts";
import { dateOf, describeResponse, type HttpRequest, type HttpResponse } from "../net/http.ts";
import { textInJson } from "../net/json-response.ts";
import { isTransientAt, requestWithRetry, RETRY_MS } from "../net/retry-policy.ts";
import type { IdentityToken } from "../sts/identity-token.ts";
import type { IdentityContext } from "./context.ts";
import { checkResponseToken } from "./jwt.ts";

/** A server that issues tokens over HTTP, and what a person can do about its failures. */
export interface TokenServer {
  /** For messages: `GitHub's token endpoint at HOST`. */
  readonly who: string;
  /** What to do about status 401 or 403. */
  readonly deniedHint: string;
  /** What to do when no server responds. */
  readonly absentHint: string;
  /** Classifies a status below 500 other than 200 and 429, before the usual rules. */
  readonly classify?: (response: { readonly status: number; readonly body: string }) => Failure | undefined;
  /** Statuses that are retried beside 429 and 5xx. */
  readonly alsoTransient?: readonly number[];
}

/** Where the token is in the response, and which one is expected. */
interface ExpectedToken {
  /** Undefined: the whole body. */
  readonly jsonPath: string | undefined;
  readonly audience: string | undefined;
  readonly otherAudiences?: readonly string[];
}

/** Enough for two silent addresses before one that answers (net/outbound.ts), and for a token of a few kilobytes. */
export const TOKEN_LIMITS = { connectMs: 10_000, totalMs: 15_000, maxBytes: 64 * 1024 } as const;

/**
 * Requests a token from a server, and checks it.
 *
 * @throws Failure IDENTITY_UNAVAILABLE: no server on this machine or its hypervisor; IDENTITY_DENIED: 401 or 403;
 *   IDENTITY_TEMPORARY: slow, failing or unreachable; IDENTITY_INVALID_RESPONSE: a redirect, or anything but a token;
 *   TIMEOUT, INTERRUPTED; as `checkResponseToken`
 */
export async function requestToken(
  request: Pick<HttpRequest, "url" | "method" | "headers" | "body">,
  server: TokenServer,
  { jsonPath, ...expected }: ExpectedToken,
  context: IdentityContext,
): Promise<IdentityToken> {
  const passes = isTransientAt(request.url);
  const isTransient = (one: HttpResponse) =>
    passes(one) || (one.kind === "response" && (server.alsoTransient ?? []).includes(one.status));
  const policy = { pausesMs: RETRY_MS, isTransient };
  const response = await requestWithRetry({ ...request, ...TOKEN_LIMITS }, server.who, policy, context);
  if (response.kind === "fault") {
    const isLocal = isLocalHost(request.url.hostname);
    const code = isLocal ? "IDENTITY_UNAVAILABLE" : "IDENTITY_TEMPORARY";
    throw faultFailure(response, server.who, { code, hint: server.absentHint });
  }
  if (response.status !== 200) throw statusFailure(response, server, isTransient(response));
  const describe = `the response of ${server.who}`;
  if (jsonPath === undefined && response.body.trimStart().startsWith("{")) {
    throw new Failure("IDENTITY_INVALID_RESPONSE", `${describe} is JSON, not a token`, {
      hint: "set the path of the token in it, for example `identity_json_path = value`",
    });
  }
  const token = jsonPath === undefined ? response.body : textInJson(response.body, jsonPath, describe);
  return checkResponseToken(token, describe, context.clock, { ...expected, serverTime: dateOf(response.headers) });
}

function statusFailure(
  response: { readonly status: number; readonly body: string },
  server: TokenServer,
  isTransient: boolean,
): Failure {
  const { status } = response;
  if (isTransient) return new Failure("IDENTITY_TEMPORARY", `${server.who} keeps responding with status ${status}`);
  const classified = server.classify?.(response);
  if (classified !== undefined) return classified;
  if (status === 401 || status === 403)
    return new Failure("IDENTITY_DENIED", `${server.who} denies a token (status ${status})`, {
      hint: server.deniedHint,
    });
  const isRedirect = status >= 300 && status < 400;
  return new Failure("IDENTITY_INVALID_RESPONSE", `${server.who} responds with status ${status}, not with a token`, {
    hint: isRedirect
      ? "use the final URL: redirects, which often lead to a login page, are not followed"
      : server.absentHint,
  });
}

const ABSENT: ReadonlySet<HttpFault> = new Set(["name-unknown", "unreachable", "refused", "connect-timeout"]);

/**
 * Why there is no response.
 *
 * @param absent for a server that cannot be reached; its hint also serves an invalid response
 */
export function faultFailure(
  response: HttpResponse & { kind: "fault" },
  who: string,
  absent: { readonly code: FailureCode; readonly hint: string; readonly who?: string },
): Failure {
  const message = `${who}: ${describeResponse(response)}`;
  const hint = response.hint ?? absent.hint;
  if (ABSENT.has(response.fault))
    return new Failure(absent.code, `${absent.who ?? who}: ${describeResponse(response)}`, { hint });
  if (response.fault === "response-timeout" || response.fault === "cut") {
    return new Failure("IDENTITY_TEMPORARY", message, {
      hint: "check the server, which is slow or failing; the next run will retry",
    });
  }
  return new Failure("IDENTITY_INVALID_RESPONSE", message, { hint });
}

/** A URL to which secrets may be sent: https, or http to this machine or another host that `isNear` accepts. */
export function secureUrl(text: string, isNear: (hostname: string) => boolean = isLoopbackHost): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isNear(url.hostname))) return url;
  return undefined;
}

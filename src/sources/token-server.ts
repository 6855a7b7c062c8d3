import { isLinkLocalHost, isLoopbackHost } from "../base/host.ts";
import { Failure } from "../base/failure.ts";
import { dateOf, describeResponse, type HttpResponse, type HttpFault, type HttpRequest } from "../net/http.ts";
import type { IdentityContext } from "./context.ts";
import { requestWithRetry, isTransientAt, RETRY_MS } from "../net/retry-policy.ts";

/** A server that hands out tokens over HTTP, and what a person can do about it. */
export interface TokenServer {
  /** For messages: `GitHub's token endpoint at HOST`. */
  readonly who: string;
  /** What to do when it answers 401 or 403. */
  readonly deniedHint: string;
  /** What to do when nobody is there. */
  readonly absentHint: string;
  /** Judges an answer below 500 that is neither 200 nor 429 before the usual rules do. */
  readonly judge?: (answer: TokenAnswer) => Failure | undefined;
  /** Answers that pass by themselves beside 429, 5xx and cut or refused connections. */
  readonly alsoTransient?: readonly number[];
}

/** What a token server said, with the status it said it with. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: string;
  /** The server's own time; undefined when it sent none. */
  readonly date: Date | undefined;
}

/** Long enough for two addresses that are silent before one that answers (net/outbound.ts). */
const CONNECT_MS = 10_000;
const ANSWER_MS = 15_000;
/** Tokens are a few kilobytes; whoever sends more is no token server. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks a token server and returns its answer of status 200.
 *
 * @throws Failure IDENTITY_UNAVAILABLE: nobody is there, on this machine or its hypervisor; IDENTITY_DENIED: 401 or 403;
 *   IDENTITY_TEMPORARY: slow, failing or out of reach; IDENTITY_INVALID_RESPONSE: a redirect or whatever else; TIMEOUT,
 *   INTERRUPTED.
 */
export async function askTokenServer(
  question: Pick<HttpRequest, "url" | "method" | "headers" | "body">,
  server: TokenServer,
  context: IdentityContext,
): Promise<TokenAnswer> {
  const limits = { connectMs: CONNECT_MS, totalMs: ANSWER_MS, maxBytes: MAX_ANSWER_BYTES };
  const passes = isTransientAt(question.url);
  const policy = {
    pausesMs: RETRY_MS,
    isTransient: (answer: HttpResponse) =>
      passes(answer) || (answer.kind === "response" && (server.alsoTransient ?? []).includes(answer.status)),
  };
  const answer = await requestWithRetry({ ...question, ...limits }, server.who, policy, context);
  if (answer.kind === "fault") throw faultFailure(answer, question.url, server);
  const told = { status: answer.status, body: answer.body, date: dateOf(answer.headers) };
  if (told.status === 200) return told;
  throw refusal(told, server, policy.isTransient(answer));
}

function refusal(answer: TokenAnswer, server: TokenServer, transient: boolean): Failure {
  if (transient) {
    return new Failure("IDENTITY_TEMPORARY", `${server.who} keeps responding with status ${answer.status}`);
  }
  const judged = server.judge?.(answer);
  if (judged !== undefined) return judged;
  const message = `${server.who} answered with status ${answer.status} instead of a token`;
  if (answer.status === 401 || answer.status === 403) {
    return new Failure("IDENTITY_DENIED", `${server.who} gives no token (status ${answer.status})`, {
      hint: server.deniedHint,
    });
  }
  const hint =
    answer.status >= 300 && answer.status < 400
      ? "redirects are not followed: they often lead to a login page"
      : server.absentHint;
  return new Failure("IDENTITY_INVALID_RESPONSE", message, { hint });
}

/** Where nobody listens on this machine, the wrong machine was chosen; where a host elsewhere is silent, it may come back. */
const NOBODY: ReadonlySet<HttpFault> = new Set(["name-unknown", "unreachable", "refused", "connect-timeout"]);

function faultFailure(answer: HttpResponse & { kind: "fault" }, url: URL, server: TokenServer): Failure {
  const message = `${server.who}: ${describeResponse(answer)}`;
  const hint = answer.hint ?? server.absentHint;
  if (NOBODY.has(answer.fault)) {
    const isHere = isLoopbackHost(url.hostname) || isLinkLocalHost(url.hostname);
    return new Failure(isHere ? "IDENTITY_UNAVAILABLE" : "IDENTITY_TEMPORARY", message, { hint });
  }
  if (answer.fault === "response-timeout" || answer.fault === "cut") {
    return new Failure("IDENTITY_TEMPORARY", message, {
      hint: "the server is slow or failing; the next run will retry",
    });
  }
  return new Failure("IDENTITY_INVALID_RESPONSE", message, { hint });
}

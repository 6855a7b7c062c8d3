import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { describeAddresses, type Explained, explainProxyTls, explainRefusal, explainTls } from "./connection-fault.ts";
import { errnoOf } from "../base/failure.ts";
import { openOutbound, type Outbound, type Route } from "./outbound.ts";
import { Secret } from "../base/secret.ts";

/** The one door to metadata and token endpoints: every request has its times, a size limit and no redirects. */

/** One request with all its limits. Nothing has a default: whoever asks has thought about each. */
export interface HttpRequest {
  readonly url: URL;
  readonly method?: "GET" | "POST" | "PUT" | undefined;
  readonly headers: Readonly<Record<string, string | Secret>>;
  readonly body?: string | undefined;
  /** Milliseconds until the connection must stand (name, TCP and TLS). */
  readonly connectMs: number;
  /** Milliseconds from the start until the whole answer must be here, however slowly it drips. */
  readonly totalMs: number;
  /** The longest body that is read; a longer one is a `too-large` fault. */
  readonly maxBytes: number;
  /** Cuts whatever is going on; `request` then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** The run's connections; absent: one of its own, without proxy, as metadata servers must be asked. */
  readonly outbound?: Outbound | undefined;
  /** Called when the request has left. */
  readonly onSent?: (() => void) | undefined;
}

/** Why there is no answer, told apart by what a person would do about it. */
export type HttpFault =
  | "name-unknown"
  | "unreachable"
  | "refused"
  | "connect-timeout"
  | "response-timeout"
  | "cut"
  | "too-large"
  | "tls"
  | "not-http";

/** What came of a question: an answer of any status, or the reason that there is none. */
export type HttpResponse =
  | { readonly kind: "response"; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }
  /** `detail` is an errno name or a few words; neither it nor `hint` ever holds anything of the answer. */
  | { readonly kind: "fault"; readonly fault: HttpFault; readonly detail: string; readonly hint?: string };

/**
 * Asks once. Any status is an answer, 3xx included: nothing is followed. A proxy is used only where `outbound` says so; the
 * agent is never Node's global one, so `NODE_USE_ENV_PROXY` (https://nodejs.org/api/cli.html#node_use_env_proxy1), which acts on that,
 * does not reach it: a metadata server asked through a proxy would answer with the proxy's identity.
 */
export async function request(question: HttpRequest): Promise<HttpResponse> {
  question.signal.throwIfAborted();
  if (question.outbound !== undefined) return send(question, await question.outbound.routeTo(question.url));
  const own = openOutbound({ env: {}, uid: undefined, signal: question.signal });
  try {
    return await send(question, await own.routeTo(question.url));
  } finally {
    own.close();
  }
}

async function send(question: HttpRequest, route: Route): Promise<HttpResponse> {
  const { url } = question;
  return new Promise<HttpResponse>((resolve, reject) => {
    const { method = "GET" } = question;
    const outgoing = route.request(url, { ...route.options, method, headers: revealed(question.headers) });
    const finish = (answer: HttpResponse) => {
      settle();
      resolve(answer);
    };
    const fail = (fault: HttpFault, detail: string, hint?: string) =>
      finish({ kind: "fault", fault, detail, ...(hint === undefined ? {} : { hint }) });
    const onAbort = () => {
      settle();
      reject(question.signal.reason);
    };
    const connectTimer = setTimeout(() => {
      const addresses = describeAddresses(undefined, route.addresses());
      fail("connect-timeout", `${question.connectMs / 1000} s${addresses === "" ? "" : `; ${addresses}`}`);
    }, question.connectMs);
    const totalTimer = setTimeout(() => fail("response-timeout", `${question.totalMs / 1000} s`), question.totalMs);
    const settle = () => {
      clearTimeout(connectTimer);
      clearTimeout(totalTimer);
      question.signal.removeEventListener("abort", onAbort);
      outgoing.destroy();
    };
    question.signal.addEventListener("abort", onAbort, { once: true });
    let isTunnelled = false;
    // Emitted by the proxy agent with the proxy's answer to CONNECT.
    outgoing.once("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
      isTunnelled = true;
      if (statusCode === 200 || route.proxy === undefined) return;
      const { cause, hint } = explainRefusal(statusCode, route.proxy);
      fail("refused", cause, hint);
    });
    onceConnected(outgoing, url, () => clearTimeout(connectTimer));
    outgoing.once("finish", () => question.onSent?.());
    outgoing.once("response", (incoming) => readBody(incoming, question.maxBytes, finish));
    // Stays for the request's whole life: a socket that fails after `destroy` must not become an uncaught error.
    outgoing.on("error", (error) => {
      const explained = explainedTls(error, url, route, isTunnelled);
      if (explained !== undefined) return fail("tls", explained.cause, explained.hint);
      const code = errnoOf(error) ?? "error";
      const addresses = describeAddresses(error, []);
      return fail(faultOf(code), addresses === "" ? code : `${code}; ${addresses}`);
    });
    outgoing.end(question.body);
  });
}

function revealed(headers: HttpRequest["headers"]): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ]);
  return Object.fromEntries(entries);
}

function explainedTls(error: unknown, url: URL, route: Route, isTunnelled: boolean): Explained | undefined {
  if (route.proxy?.isSecure === true && !isTunnelled) return explainProxyTls(error, route.proxy, route.trust);
  return explainTls(error, { who: url.host, trust: route.trust });
}

function onceConnected(outgoing: ClientRequest, url: URL, listener: () => void): void {
  outgoing.once("socket", (socket) => {
    if (outgoing.reusedSocket) listener();
    else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", listener);
  });
}

function readBody(incoming: IncomingMessage, maxBytes: number, finish: (answer: HttpResponse) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) finish({ kind: "fault", fault: "too-large", detail: `more than ${maxBytes} bytes` });
    else chunks.push(chunk);
  });
  incoming.on("error", (error) => finish({ kind: "fault", fault: "cut", detail: errnoOf(error) ?? "error" }));
  incoming.on("close", () => {
    if (!incoming.complete) finish({ kind: "fault", fault: "cut", detail: "half an answer" });
    const body = Buffer.concat(chunks).toString("utf8");
    finish({ kind: "response", status: incoming.statusCode ?? 0, headers: incoming.headers, body });
  });
}

/** Node's error codes (https://nodejs.org/api/errors.html) sorted by what they mean for the caller. */
function faultOf(code: string): HttpFault {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_NODATA" || code === "EAI_FAIL")
    return "name-unknown";
  if (code === "ECONNREFUSED") return "refused";
  if (code === "ETIMEDOUT") return "connect-timeout";
  if (code === "ECONNRESET" || code === "EPIPE") return "cut";
  if (/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|EACCES|EPERM|EINVAL)$/.test(code))
    return "unreachable";
  if (code.startsWith("HPE_")) return "not-http";
  return "unreachable";
}

const FAULTS: Readonly<Record<HttpFault, string>> = {
  "name-unknown": "its name is unknown",
  unreachable: "it cannot be reached",
  refused: "it refuses connections",
  "connect-timeout": "no connection",
  "response-timeout": "connected, but no whole answer",
  cut: "it cut the connection",
  "too-large": "its answer is too large",
  tls: "TLS fails",
  "not-http": "it does not speak HTTP",
};

/** An answer in words, for messages; nothing of its body. */
export function describeResponse(answer: HttpResponse): string {
  // Its detail is a whole sentence.
  if (answer.kind === "fault" && answer.hint !== undefined) return answer.detail;
  return answer.kind === "response" ? `status ${answer.status}` : `${FAULTS[answer.fault]} (${answer.detail})`;
}

/** The issuer's own time by its `Date` header (RFC 9110 6.6.1), or undefined when it sent none that can be read. */
export function dateOf(headers: IncomingHttpHeaders): Date | undefined {
  const ms = Date.parse(headers.date ?? "");
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

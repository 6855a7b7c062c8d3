import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { errnoOf, Failure, type FailureCode } from "../base/failure.ts";
import { Secret } from "../base/secret.ts";
import { connectionFailure, describeAddresses, type HttpFailure, type HttpFault, refusal } from "./connection-fault.ts";
import { openOutbound, type Outbound, type Route } from "./outbound.ts";

/** The only HTTP client: STS through the SDK, metadata and token endpoints. Every request has its limits; none follows a redirect. */

/** One request. Its limits have no defaults. */
export interface HttpRequest {
  readonly url: URL;
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | Secret>>;
  readonly body?: string | Uint8Array | undefined;
  /** Milliseconds until the connection is established: name, TCP and TLS. */
  readonly connectMs: number;
  /** Milliseconds from the start until the whole response is here, however slowly it drips. */
  readonly totalMs: number;
  /** A longer body is a `too-large` fault. */
  readonly maxBytes: number;
  /** Aborts the request; `request` then rejects with the signal's reason. */
  readonly signal: AbortSignal | undefined;
  /** The run's connections; absent: own ones without proxy, which metadata servers need. */
  readonly outbound?: Outbound | undefined;
  /** A PEM file that goes before `AWS_CA_BUNDLE`. */
  readonly caBundle?: string | undefined;
  /** Called when the request has been sent. */
  readonly onSent?: (() => void) | undefined;
  /** Called with the proxy that is used, `HOST:PORT`. */
  readonly onProxy?: ((proxy: string) => void) | undefined;
  /** Called with the response's head, before its body. */
  readonly onHead?: ((head: HttpHead) => void) | undefined;
}

/** A response before its body. */
export interface HttpHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** A response of any status, or why there is none. */
export type HttpResponse = (HttpHead & { readonly kind: "response"; readonly body: string }) | HttpFailure;

/**
 * Sends a request once. Any status is a response, 3xx included. Only `outbound` decides about a proxy: the agent is never Node's
 * global one, on which `NODE_USE_ENV_PROXY` acts (https://nodejs.org/api/cli.html#node_use_env_proxy1), because a metadata server
 * behind a proxy would give the proxy's identity.
 *
 * @throws the signal's reason, and what `Outbound.routeTo` throws
 */
export async function request(details: HttpRequest): Promise<HttpResponse> {
  const { url, signal, caBundle, onProxy } = details;
  signal?.throwIfAborted();
  const outbound = details.outbound ?? openOutbound({ env: {}, uid: undefined, signal });
  try {
    const route = await outbound.routeTo(url, caBundle);
    if (route.proxy !== undefined) onProxy?.(route.proxy.host);
    return await send(details, route);
  } finally {
    if (details.outbound === undefined) outbound.close();
  }
}

async function send(details: HttpRequest, route: Route): Promise<HttpResponse> {
  const { url, method = "GET", connectMs, totalMs, signal } = details;
  signal?.throwIfAborted();
  return new Promise<HttpResponse>((resolve, reject) => {
    const outgoing = route.request(url, { ...route.options, method, headers: revealed(details.headers) });
    const finish = (response: HttpResponse) => {
      settle();
      // A connection whose response is complete goes back to the pool.
      if (response.kind === "fault") outgoing.destroy();
      resolve(response);
    };
    const fail = (fault: HttpFault, detail: string) => finish({ kind: "fault", fault, detail });
    const onAbort = () => {
      settle();
      outgoing.destroy();
      reject(signal?.reason);
    };
    const connectTimer = setTimeout(() => {
      fail("connect-timeout", `${connectMs / 1000} s${describeAddresses(undefined, route.addresses())}`);
    }, connectMs);
    const totalTimer = setTimeout(() => fail("response-timeout", `${totalMs / 1000} s`), totalMs);
    const settle = () => {
      clearTimeout(connectTimer);
      clearTimeout(totalTimer);
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    let isTunnelled = false;
    // Emitted by the proxy agent with the proxy's response to CONNECT.
    outgoing.once("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
      isTunnelled = true;
      if (statusCode !== 200 && route.proxy !== undefined) finish(refusal(statusCode, route.proxy));
    });
    onceConnected(outgoing, url, () => clearTimeout(connectTimer));
    outgoing.once("finish", () => details.onSent?.());
    outgoing.once("response", (incoming) => {
      const head = { status: incoming.statusCode ?? 0, headers: incoming.headers };
      details.onHead?.(head);
      readBody(incoming, details.maxBytes, fail, (body) => finish({ kind: "response", ...head, body }));
    });
    // Stays for the request's whole life: a socket that fails after `destroy` must not become an uncaught error.
    outgoing.on("error", (error) => finish(connectionFailure(error, url, route, isTunnelled)));
    outgoing.end(details.body);
  });
}

function revealed(headers: HttpRequest["headers"]): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ]);
  return Object.fromEntries(entries);
}

/** Through a proxy the request gets its socket when the tunnel is open and TLS has only begun. */
function onceConnected(outgoing: ClientRequest, url: URL, listener: () => void): void {
  outgoing.once("socket", (socket) => {
    if (outgoing.reusedSocket) listener();
    else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", listener);
  });
}

function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  fail: (fault: HttpFault, detail: string) => void,
  done: (body: string) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) fail("too-large", `more than ${maxBytes} bytes`);
    else chunks.push(chunk);
  });
  incoming.on("error", (error) => fail("cut", errnoOf(error) ?? "error"));
  incoming.on("close", () => {
    if (incoming.complete) done(Buffer.concat(chunks).toString("utf8"));
    else fail("cut", "half a response");
  });
}

const FAULTS: Readonly<Record<HttpFault, string>> = {
  "name-unknown": "the name cannot be resolved",
  unreachable: "the host is unreachable",
  refused: "the connection is refused",
  "connect-timeout": "timed out while connecting",
  "response-timeout": "timed out while waiting for the response",
  cut: "the connection was closed",
  "too-large": "the response is too large",
  tls: "TLS fails",
  "not-http": "the response is not HTTP",
};

/** A response for messages: its status, or why there is none; nothing of its body. */
export function describeResponse(response: HttpResponse): string {
  if (response.kind === "response") return `status ${response.status}`;
  return response.hint === undefined ? `${FAULTS[response.fault]} (${response.detail})` : response.detail;
}

/**
 * A secret for a header (RFC 9110 5.5: visible characters, blanks and tabs), without the line end behind it. Node would reject
 * anything else with an error that is not a `Failure`.
 *
 * @param describe what it is, for the message, which never holds it
 * @param scheme goes before it: `Bearer `
 * @throws Failure with the given code
 */
export function headerValue(text: Secret, describe: string, code: FailureCode, scheme = ""): Secret {
  const value = text.reveal().trim();
  if (/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) return new Secret(`${scheme}${value}`);
  throw new Failure(code, `${describe} holds what no header may hold`);
}

/** The server's own time by its `Date` header (RFC 9110 6.6.1); undefined without a readable one. */
export function dateOf(headers: Pick<IncomingHttpHeaders, "date">): Date | undefined {
  const ms = Date.parse(headers.date ?? "");
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

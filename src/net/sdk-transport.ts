import type { ClientRequest, IncomingMessage } from "node:http";
import { describeAddresses, explainProxyTls, explainRefusal, explainTls } from "./connection-fault.ts";
import { errnoOf } from "../base/failure.ts";
import type { Outbound, Route } from "./outbound.ts";
import { ResponseTooLarge, AddressesFailed, ProxyRefusal, TlsRefusal } from "./network-fault.ts";

/**
 * The SDK's way to the network. Its own NodeHttpHandler hands the body over as a stream when the headers are here; its
 * abort signal and time limit no longer act on that stream (smithy-typescript, node-http-handler.js: the `abort` listener
 * rejects a promise that is settled, `clearTimeouts` has run). A slow drip would hold the run past its deadline, a huge
 * body would fill the memory. This one reads the whole body first: within the limits, or not at all.
 */

/** The part of smithy's HttpRequest that is used. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The part of smithy's HttpResponse that is made. */
interface SdkResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** An answer before its body. */
export interface ResponseHead {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Record<string, string>;
}

/** What a call hands through the SDK to `handle`. */
export interface CallOptions {
  readonly abortSignal?: AbortSignal;
  /** Hears each answer's head, also of answers that are errors. The SDK hands its options through unchanged. */
  readonly onResponse?: (head: ResponseHead) => void;
  /** Hears by which proxy an attempt goes (`HOST:PORT`). */
  readonly onProxy?: (proxy: string) => void;
}

/** The SDK's own type also allows signals that are none; ours always is one. */
interface SdkOptions {
  readonly abortSignal?: unknown;
  readonly onResponse?: CallOptions["onResponse"];
  readonly onProxy?: CallOptions["onProxy"];
}

/** The limits of one attempt: milliseconds and bytes. */
export interface TransportLimits {
  readonly connectMs: number;
  /** From the start of an attempt until its whole answer is here. */
  readonly totalMs: number;
  readonly maxBytes: number;
}

/** STS answers with some kilobytes; it connects in milliseconds, but a first TLS handshake across the world takes a second. */
export const LIMITS: TransportLimits = { connectMs: 10_000, totalMs: 20_000, maxBytes: 1024 * 1024 };

/** `name` is what the SDK's retry classification knows as transient (service-error-classification/constants.js). */
class AttemptTimeout extends Error {
  override readonly name = "TimeoutError";
}

class AttemptCut extends Error {
  readonly code = "ECONNRESET";
}

/** How a transport reaches its servers. */
export interface TransportOptions {
  /** The profile's own `ca_bundle`. */
  readonly caBundle?: string | undefined;
  readonly limits?: TransportLimits | undefined;
  /** For clients of the SDK's own, which hand no options through: what cuts their requests, and who hears of answers. */
  readonly common?: CallOptions;
}

/** The run's connections, in the shape of smithy's HttpHandler. */
export class Transport {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #outbound: Outbound;
  readonly #caBundle: string | undefined;
  readonly #limits: TransportLimits;
  readonly #common: CallOptions;

  constructor(outbound: Outbound, { caBundle, limits, common }: TransportOptions = {}) {
    this.#outbound = outbound;
    this.#caBundle = caBundle;
    this.#limits = limits ?? LIMITS;
    this.#common = common ?? {};
  }

  /**
   * Sends once; redirects are answers like others and not followed.
   *
   * @throws the signal's reason, ResponseTooLarge, ProxyRefusal, a TimeoutError, Node's network error, or what
   *   `Outbound.routeTo` throws.
   */
  async handle(request: SdkRequest, own: SdkOptions = {}): Promise<{ response: SdkResponse }> {
    const options = { ...this.#common, ...own };
    const signal = own.abortSignal instanceof AbortSignal ? own.abortSignal : this.#common.abortSignal;
    signal?.throwIfAborted();
    const { connectMs, totalMs, maxBytes } = this.#limits;
    const port = request.port === undefined ? "" : `:${request.port}`;
    const url = new URL(`${request.protocol}//${request.hostname}${port}`);
    const route = await this.#outbound.routeTo(url, this.#caBundle);
    if (route.proxy !== undefined) options.onProxy?.(route.proxy.host);
    return new Promise((resolve, reject) => {
      const outgoing = open(request, route);
      const settle = () => {
        clearTimeout(connectTimer);
        clearTimeout(totalTimer);
        signal?.removeEventListener("abort", onAbort);
      };
      const fail = (error: unknown) => {
        settle();
        outgoing.destroy();
        reject(error);
      };
      const onAbort = () => fail(signal?.reason);
      const connectTimer = setTimeout(() => {
        const addresses = describeAddresses(undefined, route.addresses());
        fail(
          new AttemptTimeout(`no connection within ${connectMs / 1000} s${addresses === "" ? "" : ` (${addresses})`}`),
        );
      }, connectMs);
      const totalTimer = setTimeout(
        () => fail(new AttemptTimeout(`no whole answer within ${totalMs / 1000} s`)),
        totalMs,
      );
      signal?.addEventListener("abort", onAbort, { once: true });
      onceConnected(outgoing, request.protocol === "https:", () => clearTimeout(connectTimer));
      let isTunnelled = false;
      // Emitted by the proxy agent with the proxy's answer to CONNECT.
      outgoing.once("proxyConnect", ({ statusCode }: { readonly statusCode: number }) => {
        isTunnelled = true;
        if (statusCode !== 200 && route.proxy !== undefined)
          fail(new ProxyRefusal(statusCode, explainRefusal(statusCode, route.proxy)));
      });
      // Stays for the request's whole life: a socket that fails after `destroy` must not become an uncaught error.
      outgoing.on("error", (error) => fail(connectionError(error, request.hostname, route, isTunnelled)));
      outgoing.once("response", (incoming) => {
        const head = { status: incoming.statusCode ?? 0, headers: plainHeaders(incoming) };
        options.onResponse?.(head);
        readBody(incoming, maxBytes, fail, (body) => {
          settle();
          resolve({ response: { statusCode: head.status, headers: head.headers, body } });
        });
      });
      outgoing.end(bodyOf(request));
    });
  }

  /** Part of smithy's HttpHandler; the connections are the run's, and closed with it. */
  destroy(): void {}

  /** Part of smithy's HttpHandler; this one takes its settings once. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** What went wrong, as `network-fault.ts` knows it. */
function connectionError(error: unknown, host: string, route: Route, isTunnelled: boolean): unknown {
  const { proxy, trust } = route;
  const isOfProxy = proxy?.isSecure === true && !isTunnelled;
  const tls = isOfProxy ? explainProxyTls(error, proxy, trust) : explainTls(error, { who: host, trust });
  if (tls !== undefined) return new TlsRefusal(tls, error);
  if (error instanceof AggregateError) return new AddressesFailed(error, describeAddresses(error, []));
  // The proxy agent's own errors have no code.
  return proxy !== undefined && errnoOf(error) === undefined ? new AttemptCut("the proxy broke off") : error;
}

function open(request: SdkRequest, { request: send, options }: Route): ClientRequest {
  return send({
    ...options,
    // The proxy agent names its pool by it, and looks at the call stack where it is missing.
    protocol: request.protocol,
    method: request.method,
    host: request.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: request.port,
    path: request.path + queryOf(request),
    headers: request.headers,
  });
}

/** Through a proxy the request gets its socket when the tunnel stands and TLS has only begun. */
function onceConnected(outgoing: ClientRequest, isSecure: boolean, listener: () => void): void {
  outgoing.once("socket", (socket) => {
    if (outgoing.reusedSocket) listener();
    else socket.once(isSecure ? "secureConnect" : "connect", listener);
  });
}

function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  fail: (error: unknown) => void,
  done: (body: Uint8Array) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) fail(new ResponseTooLarge(`the answer is longer than ${maxBytes} bytes`));
    else chunks.push(chunk);
  });
  incoming.on("error", fail);
  incoming.on("close", () => {
    if (incoming.complete) done(Buffer.concat(chunks));
    else fail(new AttemptCut("the answer was cut off"));
  });
}

function plainHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

function queryOf(request: SdkRequest): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const one of typeof value === "string" ? [value] : (value ?? [""])) query.append(name, one);
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}

function bodyOf(request: SdkRequest): string | Uint8Array | undefined {
  const { body } = request;
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return body;
  throw new TypeError("STS requests have a text body");
}

import type { IncomingHttpHeaders } from "node:http";
import { type HttpFailure, isTemporaryStatus } from "./connection-fault.ts";
import { describeResponse, type HttpHead, request } from "./http.ts";
import type { Outbound } from "./outbound.ts";

/**
 * The SDK's requests by the HTTP client of `http.ts`. The SDK's own NodeHttpHandler hands the body over as a stream when the
 * headers are here; its abort signal and time limit no longer act on that stream (smithy-typescript, node-http-handler.js: the
 * `abort` listener rejects a promise that is settled, `clearTimeouts` has run). A slow drip would hold the run past its deadline,
 * a huge body would fill the memory. This one reads the whole body first: within the limits, or not at all.
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

/** What a call passes through the SDK to `handle`. */
export interface CallOptions {
  readonly abortSignal?: AbortSignal;
  /** Called with each response's head, also of error responses. */
  readonly onHead?: (head: HttpHead) => void;
  /** Called with the proxy of an attempt (`HOST:PORT`). */
  readonly onProxy?: (proxy: string) => void;
}

/** The SDK's own type also allows signals that are none; ours always is one. */
interface SdkOptions extends Omit<CallOptions, "abortSignal"> {
  readonly abortSignal?: unknown;
}

/** The limits of one attempt: milliseconds and bytes. */
export interface TransportLimits {
  readonly connectMs: number;
  /** From the start of an attempt until its whole response is here. */
  readonly totalMs: number;
  readonly maxBytes: number;
}

/** STS responds with some kilobytes; it connects in milliseconds, but a first TLS handshake across the world takes a second. */
const LIMITS: TransportLimits = { connectMs: 10_000, totalMs: 20_000, maxBytes: 1024 * 1024 };

/**
 * An attempt without response. By `name` and `code` the SDK knows whether to retry it
 * (@smithy/core, service-error-classification/constants.js).
 */
export class AttemptFailed extends Error {
  override readonly name: string;
  readonly code: string | undefined;
  readonly failure: HttpFailure;

  constructor(failure: HttpFailure) {
    super(describeResponse(failure));
    const { fault, errno, proxyStatus = 0 } = failure;
    this.name = fault === "connect-timeout" || fault === "response-timeout" ? "TimeoutError" : "AttemptFailed";
    this.code = fault === "cut" || isTemporaryStatus(proxyStatus) ? "ECONNRESET" : errno;
    this.failure = failure;
  }
}

/** How a transport reaches its servers. */
interface TransportOptions {
  /** The profile's own `ca_bundle`. */
  readonly caBundle?: string | undefined;
  readonly limits?: TransportLimits | undefined;
  /** For the SDK's own clients, which pass no options through. */
  readonly common?: CallOptions;
}

/** The run's connections, in the shape of smithy's HttpHandler. */
export class Transport {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #outbound: Outbound;
  readonly #options: TransportOptions;

  constructor(outbound: Outbound, options: TransportOptions = {}) {
    this.#outbound = outbound;
    this.#options = options;
  }

  /**
   * Sends once; a redirect is a response like others.
   *
   * @throws the signal's reason, AttemptFailed, or what `Outbound.routeTo` throws.
   */
  async handle(sdkRequest: SdkRequest, own: SdkOptions = {}): Promise<{ response: SdkResponse }> {
    const { caBundle, limits = LIMITS, common } = this.#options;
    const response = await request({
      url: urlOf(sdkRequest),
      method: sdkRequest.method,
      headers: sdkRequest.headers,
      body: bodyOf(sdkRequest),
      ...limits,
      outbound: this.#outbound,
      caBundle,
      onHead: own.onHead ?? common?.onHead,
      onProxy: own.onProxy ?? common?.onProxy,
      signal: own.abortSignal instanceof AbortSignal ? own.abortSignal : common?.abortSignal,
    });
    if (response.kind === "fault") throw new AttemptFailed(response);
    const { status, headers, body } = response;
    return { response: { statusCode: status, headers: plainHeaders(headers), body: Buffer.from(body) } };
  }

  /** Part of smithy's HttpHandler; the connections are the run's, and closed with it. */
  destroy(): void {}

  /** Part of smithy's HttpHandler; this one takes its settings once. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): URL {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === "string" ? [value] : (value ?? [""])) parameters.append(name, one);
  }
  const search = parameters.size === 0 ? "" : `?${parameters.toString()}`;
  return new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}${search}`);
}

function bodyOf({ body }: SdkRequest): string | Uint8Array | undefined {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return body;
  throw new TypeError("STS requests have a text body");
}

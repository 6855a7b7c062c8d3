import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { Agent as HttpsAgent } from "node:https";

import type { Environment } from "../world.ts";
import { errnoOf, Failure } from "./failure.ts";
import { type Proxy, proxyFor } from "./proxy.ts";

/** How to reach a URL: call `request` with `agent` and `ca` among its options. */
export interface Route {
  /** That of `node:http`, or of `node:https`. */
  readonly request: typeof httpRequest;
  readonly agent: HttpAgent;
  /** The certificate authorities to trust instead of Node's own; undefined for Node's. */
  readonly ca: readonly string[] | undefined;
  /** `HOST:PORT` of the proxy in between, for messages; undefined for a direct connection. */
  readonly proxy: string | undefined;
}

/** The ways out of a run: one pool of connections for everything that is asked, proxies and certificates as configured. */
export interface Outbound {
  /**
   * @param caBundle a PEM file that goes before `AWS_CA_BUNDLE`
   * @throws Failure ENDPOINT_REFUSED for a proxy that is none, CONFIG_INVALID for a CA bundle that cannot be used
   */
  readonly routeTo: (url: URL, caBundle?: string) => Promise<Route>;
  /** Closes every connection, also those that are still being made. */
  readonly close: () => void;
}

/** Opens the ways out for one piece of work. */
export async function withOutbound<T>(env: Environment, work: (outbound: Outbound) => Promise<T>): Promise<T> {
  const outbound = openOutbound(env);
  try {
    return await work(outbound);
  } finally {
    outbound.close();
  }
}

const POOL = { keepAlive: true, maxSockets: 50 };

/** Opens nothing yet; what is read (a CA bundle) or loaded (the proxy agent) is so at the first URL that needs it. */
export function openOutbound(env: Environment): Outbound {
  const http = new HttpAgent(POOL);
  let opening: Promise<Secure> | undefined;
  const proxies = new Map<string, Promise<HttpAgent>>();
  const bundles = new Map<string, Promise<readonly string[]>>();
  const closing = new AbortController();
  // One listener for each connection that is being made through a proxy.
  setMaxListeners(0, closing.signal);

  const read = (path: string, by: string): Promise<readonly string[]> => {
    const known = bundles.get(path) ?? readBundle(path, by);
    bundles.set(path, known);
    return known;
  };
  const through = (proxy: Proxy, ca: readonly string[] | undefined): Promise<HttpAgent> => {
    const key = JSON.stringify([proxy.url, proxy.authorization?.reveal(), ca]);
    const known = proxies.get(key) ?? makeProxyAgent(proxy, ca, closing.signal);
    proxies.set(key, known);
    return known;
  };

  return {
    async routeTo(url, caBundle) {
      // Plain http goes to loopback and metadata servers alone, which are always direct.
      if (url.protocol !== "https:") return { request: httpRequest, agent: http, ca: undefined, proxy: undefined };
      const { request, agent } = await (opening ??= openSecure());
      const named = caBundle ?? (env["AWS_CA_BUNDLE"] || undefined);
      const by = caBundle === undefined ? "AWS_CA_BUNDLE" : "`ca_bundle`";
      const ca = named === undefined ? undefined : await read(named, by);
      const proxy = proxyFor(url, env);
      if (!proxy) return { request, agent, ca, proxy: undefined };
      return { request, agent: await through(proxy, ca), ca, proxy: proxy.url.host };
    },
    close() {
      http.destroy();
      void opening?.then(({ agent }) => agent.destroy());
      closing.abort(new Error("the run is over"));
      for (const agent of proxies.values()) void agent.then((opened) => opened.destroy());
    },
  };
}

interface Secure {
  readonly request: typeof httpRequest;
  readonly agent: HttpsAgent;
}

/** TLS is loaded where it is needed: a run whose servers are all on this machine has no use for it. */
async function openSecure(): Promise<Secure> {
  const { Agent, request } = await import("node:https");
  return { request, agent: new Agent(POOL) };
}

/**
 * `signal` cuts connections that wait for the proxy's answer: the agent itself knows nothing of them, and a proxy that
 * keeps silent would keep the process alive past its deadline. User and password go in as a header, not in the URL, which
 * the agent prints where `DEBUG` is set.
 */
async function makeProxyAgent(
  { url, authorization }: Proxy,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<HttpAgent> {
  const { HttpsProxyAgent } = await import("https-proxy-agent");
  return new HttpsProxyAgent(url, {
    ...POOL,
    signal,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(authorization === undefined ? {} : { headers: { "Proxy-Authorization": authorization.reveal() } }),
  });
}

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** The bundle replaces Node's own list, as it replaces botocore's ("the CA certificate bundle to use"). */
async function readBundle(path: string, by: string): Promise<readonly string[]> {
  const refuse = (why: string, cause?: unknown) =>
    new Failure("CONFIG_INVALID", `the CA bundle ${path} cannot be used: ${why}`, {
      hint: `${by} must name a PEM file of certificates`,
      cause,
    });
  let text: string;
  try {
    text = await readFile(path, "latin1");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw refuse(errno, error);
  }
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw refuse("it holds no certificate");
  const { X509Certificate } = await import("node:crypto");
  for (const [index, certificate] of certificates.entries()) {
    try {
      void new X509Certificate(certificate);
    } catch (error) {
      throw refuse(`its certificate ${index + 1} cannot be read`, error);
    }
  }
  return certificates;
}

import { lookup as lookUp } from "node:dns";
import { setMaxListeners } from "node:events";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { LookupFunction } from "node:net";

import type { Environment } from "../base/world.ts";
import { Failure } from "../base/failure.ts";
import { readTrustedText } from "../safe-file/read-file.ts";
import { type Proxy, proxyFor } from "./proxy.ts";

/** How to reach a URL: call `request` with `options` among its own. */
export interface Route {
  /** That of `node:http`, or of `node:https`. */
  readonly request: typeof httpRequest;
  readonly options: RouteOptions;
  /** The proxy in between; undefined for a direct connection. */
  readonly proxy: RouteProxy | undefined;
  /** The file whose certificate authorities replace Node's own, with what names it; undefined for Node's. */
  readonly trust: string | undefined;
  /** The addresses that the server's or the proxy's name led to, for messages; empty where it has not been looked up. */
  readonly addresses: () => readonly string[];
}

/** The connections of a request, and whom it trusts. */
interface RouteOptions {
  readonly agent: HttpAgent;
  readonly ca?: string[];
  /** Said explicitly: else NODE_TLS_REJECT_UNAUTHORIZED=0 would turn verification off. */
  readonly rejectUnauthorized: true;
}

/** A proxy, for messages. */
export interface RouteProxy {
  /** `HOST:PORT` */
  readonly host: string;
  /** Whether it is asked over TLS (`https://` in the variable). */
  readonly isSecure: boolean;
  /** Whether a user and password are sent to it. */
  readonly hasLogin: boolean;
}

/** The connections of a run: one pool for every request, proxies and certificates as configured. */
export interface Outbound {
  /**
   * @param caBundle a PEM file that goes before `AWS_CA_BUNDLE`
   * @throws Failure ENDPOINT_REFUSED for a proxy that is none, CONFIG_INVALID for a CA bundle that cannot be used
   */
  readonly routeTo: (url: URL, caBundle?: string) => Promise<Route>;
  /** Closes every connection, also those that are still being made. */
  readonly close: () => void;
}

/** Whose connections they are. */
interface OutboundOwner {
  readonly env: Environment;
  /** The effective user id; undefined where files have no owners. */
  readonly uid: number | undefined;
  /** Ends the reading of a CA bundle. */
  readonly signal?: AbortSignal | undefined;
}

/** Opens connections for one piece of work. */
export async function withOutbound<T>(owner: OutboundOwner, work: (outbound: Outbound) => Promise<T>): Promise<T> {
  const outbound = openOutbound(owner);
  try {
    return await work(outbound);
  } finally {
    outbound.close();
  }
}

/**
 * For each address of a name, in milliseconds. Node tries them one after the other and gives each 250 ms: from far away no
 * handshake is that fast (https://nodejs.org/api/net.html#socketconnectoptions-connectlistener,
 * `autoSelectFamilyAttemptTimeout`). Three seconds survive a lost SYN, which is sent again after one (RFC 6298 2.1). The last
 * address has what is left of the time to connect.
 */
const ADDRESS_MS = 3_000;

const POOL = { keepAlive: true, maxSockets: 50, autoSelectFamilyAttemptTimeout: ADDRESS_MS };

/** Opens, reads and loads nothing before the first URL that needs it. */
export function openOutbound(owner: OutboundOwner): Outbound {
  const { env } = owner;
  const found = new Map<string, readonly string[]>();
  const pool = { ...POOL, lookup: noting(found) };
  const http = new HttpAgent(pool);
  let opening: Promise<Secure> | undefined;
  const proxies = new Map<string, Promise<HttpAgent>>();
  const bundles = new Map<string, Promise<readonly string[]>>();
  const closing = new AbortController();
  // One listener for each connection that is being made through a proxy.
  setMaxListeners(0, closing.signal);

  const read = (path: string, by: string): Promise<readonly string[]> => {
    const known = bundles.get(path) ?? certificatesIn(path, by, owner);
    bundles.set(path, known);
    return known;
  };
  const through = (proxy: Proxy, ca: readonly string[] | undefined): Promise<HttpAgent> => {
    const key = JSON.stringify([proxy.url, proxy.authorization?.reveal(), ca]);
    const known = proxies.get(key) ?? makeProxyAgent(proxy, ca, { ...pool, signal: closing.signal });
    proxies.set(key, known);
    return known;
  };
  const addressesOf = (host: string) => () => found.get(host.replace(/^\[(.*)\]$/, "$1")) ?? [];

  return {
    async routeTo(url, caBundle) {
      const direct = { proxy: undefined, addresses: addressesOf(url.hostname) };
      // Plain http goes to loopback and metadata servers alone, which are always direct.
      if (url.protocol !== "https:")
        return {
          ...direct,
          request: httpRequest,
          options: { agent: http, rejectUnauthorized: true },
          trust: undefined,
        };
      const { request, agent } = await (opening ??= openSecure(pool));
      const named = caBundle ?? (env["AWS_CA_BUNDLE"] || undefined);
      const by = caBundle === undefined ? "AWS_CA_BUNDLE" : "`ca_bundle`";
      const trust = named === undefined ? undefined : `${by} (${named})`;
      const ca = named === undefined ? undefined : await read(named, by);
      const verifying = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: [...ca] }) } as const;
      const proxy = proxyFor(url, env);
      if (!proxy) return { ...direct, request, options: { agent, ...verifying }, trust };
      const options = { agent: await through(proxy, ca), ...verifying };
      const described = {
        host: proxy.url.host,
        isSecure: proxy.url.protocol === "https:",
        hasLogin: proxy.authorization !== undefined,
      };
      return { request, options, proxy: described, trust, addresses: addressesOf(proxy.url.hostname) };
    },
    close() {
      http.destroy();
      void opening?.then(({ agent }) => agent.destroy());
      closing.abort(new Error("the run is over"));
      for (const agent of proxies.values()) void agent.then((opened) => opened.destroy());
    },
  };
}

/** Looks names up as Node does, and notes what was found. */
function noting(found: Map<string, readonly string[]>): LookupFunction {
  return (host, options, done) => {
    lookUp(host, options, (error, address, family) => {
      if (error === null) found.set(host, typeof address === "string" ? [address] : address.map((one) => one.address));
      done(error, address, family);
    });
  };
}

interface Pool {
  readonly keepAlive: boolean;
  readonly maxSockets: number;
  readonly autoSelectFamilyAttemptTimeout: number;
  readonly lookup: LookupFunction;
}

interface Secure {
  readonly request: typeof httpRequest;
  readonly agent: HttpsAgent;
}

/** TLS is loaded where it is needed: a run whose servers are all on this machine has no use for it. */
async function openSecure(pool: Pool): Promise<Secure> {
  const { Agent, request } = await import("node:https");
  return { request, agent: new Agent({ ...pool, rejectUnauthorized: true }) };
}

/**
 * The pool's `signal` cuts connections that wait for the proxy's answer: the agent itself knows nothing of them, and a proxy that
 * keeps silent would keep the process alive past its deadline. User and password go in as a header, not in the URL, which
 * the agent prints where `DEBUG` is set.
 */
async function makeProxyAgent(
  { url, authorization }: Proxy,
  ca: readonly string[] | undefined,
  pool: Pool & { readonly signal: AbortSignal },
): Promise<HttpAgent> {
  const { HttpsProxyAgent } = await import("https-proxy-agent");
  return new HttpsProxyAgent(url, {
    ...pool,
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(authorization === undefined ? {} : { headers: { "Proxy-Authorization": authorization.reveal() } }),
  });
}

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Debian's bundle of every authority is 220 kB. */
const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;

/** The bundle replaces Node's own list, as it replaces botocore's ("the CA certificate bundle to use"). */
async function certificatesIn(path: string, by: string, { uid, signal }: OutboundOwner): Promise<readonly string[]> {
  const refuse = (why: string, hint?: string, cause?: unknown) =>
    new Failure("CONFIG_INVALID", `the CA bundle ${path} cannot be used: ${why}`, {
      hint: hint ?? `${by} must name a PEM file of certificates`,
      cause,
    });
  const read = await readTrustedText({ path, maxBytes: MAX_BUNDLE_BYTES, uid }, { interrupted: signal });
  if (read.text === undefined) throw refuse(read.why, `${by} names it; ${read.hint}`);
  const { text } = read;
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw refuse("it holds no certificate");
  const { X509Certificate } = await import("node:crypto");
  for (const [index, certificate] of certificates.entries()) {
    try {
      void new X509Certificate(certificate);
    } catch (error) {
      throw refuse(`its certificate ${index + 1} cannot be read`, undefined, error);
    }
  }
  return certificates;
}

import { BlockList, isIP } from "node:net";
import type { Environment } from "../base/world.ts";
import { Failure } from "../base/failure.ts";
import { isLocalHost } from "../base/host.ts";
import { Secret } from "../base/secret.ts";

/** A proxy, with its password apart: `url` may be shown. */
export interface Proxy {
  /** Without user and password. */
  readonly url: URL;
  /** The value of `Proxy-Authorization`. */
  readonly authorization: Secret | undefined;
}

/** The names of Google's metadata server; the others have addresses alone. */
const METADATA_NAMES: ReadonlySet<string> = new Set(["metadata", "metadata.google.internal", "metadata.goog"]);

/**
 * The proxy for a URL, as curl, Go and the AWS CLI choose it: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, in either
 * case of letters (the lower one wins, as in curl and Python), unless `NO_PROXY` has the host
 * (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html). Loopback and metadata addresses are always
 * asked directly: through a proxy they would be the proxy's own.
 *
 * @returns undefined for a direct connection
 * @throws Failure ENDPOINT_REFUSED for a proxy that is no http(s) URL; nothing of it is shown, it may hold a password.
 */
export function proxyFor(url: URL, env: Environment): Proxy | undefined {
  if (isAlwaysDirect(url.hostname)) return undefined;
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const text = read(env, name);
  if (text === "" || isExcepted(url, read(env, "NO_PROXY"))) return undefined;
  return parseProxy(text, name);
}

/** Whether a host is never asked through a proxy, whatever the environment says; `hostname` as WHATWG URLs spell it. */
export function isAlwaysDirect(hostname: string): boolean {
  return isLocalHost(hostname) || METADATA_NAMES.has(hostname);
}

function read(env: Environment, name: string): string {
  return (env[name.toLowerCase()] || env[name] || "").trim();
}

function parseProxy(text: string, name: string): Proxy {
  const written = /^[a-z][\w+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  // A `/`, `#` or `?` in a password ends the host: what is behind it, the `@` included, becomes a path.
  const isCut = /[/?#][^]*@/.test(written.replace(/^[^:]*:\/\//, ""));
  if (!url || !isWeb || isCut) {
    const hint = isCut
      ? "percent-encode special characters in the user and password: / is %2F, # is %23, ? is %3F, @ is %40, % is %25"
      : "write it as http://HOST:PORT; SOCKS proxies are not supported";
    throw new Failure("ENDPOINT_REFUSED", `${name} is not the URL of an http(s) proxy`, { hint });
  }
  const user = decoded(url.username);
  const password = decoded(url.password);
  const isNamed = url.username !== "" || url.password !== "";
  const plain = new URL(`${url.protocol}//${url.host}`);
  const login = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return { url: plain, authorization: isNamed ? new Secret(login) : undefined };
}

/** A `%` that begins no escape is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * `NO_PROXY`: names (with all that ends in them, with or without a leading dot or `*.`), addresses, CIDR ranges, each
 * with or without a port; `*` is everything (Go's http.ProxyFromEnvironment and curl's CURLOPT_NOPROXY agree on these).
 */
function isExcepted(url: URL, list: string): boolean {
  const host = unbracketed(url.hostname);
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === "*") return true;
      const withPort = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry);
      if (withPort && withPort[2] !== port) return false;
      return isHostOf(host, unbracketed(withPort?.[1] ?? entry));
    });
}

function isHostOf(host: string, entry: string): boolean {
  if (isIP(host) !== 0) return isAddressOf(host, entry);
  const name = entry.replace(/^\*?\./, "");
  return name !== "" && (host === name || host.endsWith(`.${name}`));
}

function isAddressOf(host: string, entry: string): boolean {
  const [network = "", bits] = entry.split("/");
  const family = isIP(network);
  if (family === 0 || family !== isIP(host)) return false;
  const kind = family === 6 ? "ipv6" : "ipv4";
  const width = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
  if (!Number.isInteger(width) || width < 0 || width > (family === 6 ? 128 : 32)) return false;
  const range = new BlockList();
  range.addSubnet(network, width, kind);
  return range.check(host, kind);
}

const unbracketed = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, "$1");

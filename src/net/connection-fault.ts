import { errnoOf } from "../base/failure.ts";
import type { Route, RouteProxy } from "./outbound.ts";

/** Why there is no response, told apart by what a person would do about it. */
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

/** Why a request has no response. */
export interface HttpFailure {
  readonly kind: "fault";
  readonly fault: HttpFault;
  /** An errno name or a few words; a sentence where there is a `hint`. Nothing of the response. */
  readonly detail: string;
  /** For TLS and proxies: what to do. */
  readonly hint?: string;
  readonly errno?: string;
  /** With which status the proxy refused the tunnel; NaN where its response is not HTTP. */
  readonly proxyStatus?: number;
}

/** Why a connection fails, and what to do. */
interface Explained {
  readonly cause: string;
  readonly hint: string;
}

interface TlsPeer {
  /** `sts.eu-west-1.amazonaws.com`, `the proxy 10.0.0.1:3128` */
  readonly who: string;
  /** `AWS_CA_BUNDLE (/etc/ca.pem)` where a bundle replaces Node's own list. */
  readonly trust: string | undefined;
}

/**
 * `; tried 192.0.2.1 ETIMEDOUT, 2001:db8::1 ENETUNREACH` where Node tried several addresses; else the known addresses; empty where
 * there are none.
 */
export function describeAddresses(error: unknown, known: readonly string[]): string {
  if (error instanceof AggregateError) {
    const each = error.errors.map((one: unknown) => `${addressOf(one)} ${errnoOf(one) ?? "failed"}`);
    return `; tried ${each.join(", ")}`;
  }
  return known.length === 0 ? "" : `; tried ${known.join(", ")}`;
}

function addressOf(error: unknown): string {
  return error instanceof Error && "address" in error && typeof error.address === "string" ? error.address : "it";
}

/** OpenSSL's codes for a peer that does not speak TLS. */
const NOT_TLS = /^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNSUPPORTED_PROTOCOL|HTTP_REQUEST))$/;
const UNKNOWN_ISSUER = /ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|CERT_UNTRUSTED|CHAIN/;

/**
 * A failure of TLS (https://nodejs.org/api/tls.html#x509-certificate-error-codes).
 *
 * @returns undefined for another code.
 */
function explainTls(error: unknown, { who, trust }: TlsPeer): Explained | undefined {
  const code = errnoOf(error);
  if (code === undefined || !/CERT|SIGNATURE|ISSUER|SSL|TLS|HOSTNAME|CRL|CHAIN|^EPROTO$/.test(code)) return undefined;
  if (code === "CERT_NOT_YET_VALID" || code === "CERT_HAS_EXPIRED") {
    const what = code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet";
    return {
      cause: `the certificate of ${who} ${what} (${code})`,
      hint: "check this machine's clock with `timedatectl`; if it is right, the server needs a new certificate",
    };
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      cause: `the certificate of ${who} is for ${namesIn(error)} (${code})`,
      hint: "check the host name, DNS and any proxy in between: a different server responds",
    };
  }
  if (UNKNOWN_ISSUER.test(code)) {
    if (trust === undefined)
      return {
        cause: `the certificate of ${who} has an unknown issuer (${code})`,
        hint: "behind a proxy that inspects TLS, name its CA with `ca_bundle` or AWS_CA_BUNDLE=/path/ca.pem",
      };
    return {
      cause: `the issuer of the certificate of ${who} is not in ${trust} (${code})`,
      hint: "add the issuer's certificate to that file, or remove the setting to trust the usual authorities",
    };
  }
  return {
    cause: NOT_TLS.test(code) ? `${who} does not speak TLS (${code})` : `TLS with ${who} fails (${code})`,
    hint: "check the host, port and any proxy in between: `openssl s_client -connect HOST:PORT`",
  };
}

/** Node adds the peer's certificate to the error (https://nodejs.org/api/tls.html#tlscheckserveridentityhostname-cert). */
function namesIn(error: unknown): string {
  const cert: unknown = error instanceof Error && "cert" in error ? error.cert : undefined;
  const listed: unknown = typeof cert === "object" && cert !== null && "subjectaltname" in cert && cert.subjectaltname;
  if (typeof listed !== "string") return "another name";
  const names = listed.split(/,\s*/).filter((name) => /^(DNS|IP Address):[\w.*:-]+$/.test(name));
  return `another name: ${names
    .slice(0, 3)
    .join(", ")
    .replaceAll(/DNS:|IP Address:/g, "")}`;
}

/** A proxy that does not speak TLS where `https://` was set, or whose certificate is rejected. */
function explainProxyTls(error: unknown, { host }: RouteProxy, trust: string | undefined): Explained | undefined {
  const code = errnoOf(error);
  if (code !== undefined && NOT_TLS.test(code))
    return {
      cause: `the proxy ${host} does not speak TLS (${code})`,
      hint: `write it with http: HTTPS_PROXY=http://${host}`,
    };
  return explainTls(error, { who: `the proxy ${host}`, trust });
}

/** 429 and 5xx: a status of a server or a proxy that may pass by itself. */
export function isTemporaryStatus(status: number): boolean {
  return status === 429 || status >= 500;
}

/** A proxy that does not open the tunnel. */
function explainRefusal(status: number, { host, hasLogin }: RouteProxy): Explained {
  if (Number.isNaN(status)) return { cause: `what responds at ${host} is not a proxy`, hint: "check HTTPS_PROXY" };
  if (status === 407 && hasLogin)
    return {
      cause: "the proxy rejects the user or password of HTTPS_PROXY (status 407)",
      hint: "check both; percent-encode special characters in them: @ is %40, : is %3A, / is %2F, # is %23, % is %25",
    };
  if (status === 407)
    return {
      cause: "the proxy requires a user and a password (status 407)",
      hint: "set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
    };
  const cause = `the proxy refuses with status ${status}`;
  if (isTemporaryStatus(status)) return { cause, hint: "the proxy cannot reach the server; the next run will retry" };
  return { cause, hint: "allow the proxy to open tunnels to this host, or add the host to NO_PROXY" };
}

/** A proxy that does not open the tunnel, by the status of its response to CONNECT. */
export function refusal(proxyStatus: number, proxy: RouteProxy): HttpFailure {
  const { cause, hint } = explainRefusal(proxyStatus, proxy);
  return { kind: "fault", fault: "refused", detail: cause, hint, proxyStatus };
}

/** An error of the request before its response, the proxy's included. */
export function connectionFailure(
  error: unknown,
  url: URL,
  { proxy, trust }: Route,
  isTunnelled: boolean,
): HttpFailure {
  const isOfProxy = proxy?.isSecure === true && !isTunnelled;
  const tls = isOfProxy ? explainProxyTls(error, proxy, trust) : explainTls(error, { who: url.host, trust });
  if (tls !== undefined) return { kind: "fault", fault: "tls", detail: tls.cause, hint: tls.hint };
  const errno = errnoOf(error);
  if (errno !== undefined)
    return { kind: "fault", fault: faultOf(errno), detail: `${errno}${describeAddresses(error, [])}`, errno };
  // The proxy agent's own errors have no code.
  return proxy === undefined
    ? { kind: "fault", fault: "unreachable", detail: "error" }
    : { kind: "fault", fault: "cut", detail: "by the proxy" };
}

/** Node's error codes (https://nodejs.org/api/errors.html) sorted by what they mean for the caller. */
function faultOf(errno: string): HttpFault {
  if (/^(ENOTFOUND|EAI_\w+)$/.test(errno)) return "name-unknown";
  if (errno === "ECONNREFUSED") return "refused";
  if (errno === "ETIMEDOUT") return "connect-timeout";
  if (errno === "ECONNRESET" || errno === "EPIPE") return "cut";
  return errno.startsWith("HPE_") ? "not-http" : "unreachable";
}

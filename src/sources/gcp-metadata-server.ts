import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import type { Environment } from "../base/world.ts";
import { dateOf, type HttpResponse } from "../net/http.ts";
import { isNetworkDown, isTransient, requestWithRetry, RETRY_MS } from "../net/retry-policy.ts";
import { readFileSafely } from "../safe-file/read-file.ts";
import type { IdentityContext } from "./context.ts";
import { faultFailure, TOKEN_LIMITS } from "./token-server.ts";

/** Where the metadata server is, and what named it. */
export interface MetadataAddress {
  /** `http://169.254.169.254`, without a path. */
  readonly base: URL;
  /** By the server's name, for machines without a route to the address; undefined where a variable names one. */
  readonly byName: URL | undefined;
  /** Undefined for Google's own address. */
  readonly namedBy: "GCE_METADATA_IP" | "GCE_METADATA_HOST" | undefined;
}

/** A response with a status other than 429 and 5xx; below 400 with its flavor header. */
export interface MetadataResponse {
  readonly status: number;
  readonly body: string;
  /** The server's own time; undefined when it sent none. */
  readonly date: Date | undefined;
  /** `host:port`, for messages. */
  readonly host: string;
}

/** The sum of the pauses on a machine without signs of Google Cloud, and without a named address. */
const WRONG_MACHINE_MS = 5_000;
/** A machine on Google Cloud reaches the server in milliseconds, but GKE's takes seconds after a pod's start. */
const CONNECT_MS = { here: 10_000, elsewhere: 3_000 };
/** How long the address is tried alone: Google's server connects in milliseconds. */
const HEAD_START_MS = 300;

/**
 * The metadata server's address as Google's gcp-metadata library finds it (src/index.ts, `getBaseUrl` and `isAvailable`):
 * `GCE_METADATA_IP`, else `GCE_METADATA_HOST`, each a host or host:port with an optional scheme; else 169.254.169.254, because
 * containers often have a resolver that does not know the name, and `metadata.google.internal`, which on a machine with only
 * IPv6 leads to fd20:ce::254 (https://cloud.google.com/compute/docs/metadata/querying-metadata).
 *
 * @throws Failure IDENTITY_UNAVAILABLE when the variable holds no host, or when `METADATA_SERVER_DETECTION=none` forbids the
 *   request (the library's setting for "don't try to use it").
 */
export function metadataAddress(env: Environment): MetadataAddress {
  if (env["METADATA_SERVER_DETECTION"]?.trim().toLowerCase() === "none")
    throw new Failure("IDENTITY_UNAVAILABLE", "METADATA_SERVER_DETECTION=none forbids using the metadata server");
  for (const namedBy of ["GCE_METADATA_IP", "GCE_METADATA_HOST"] as const) {
    const named = env[namedBy]?.trim();
    if (!named) continue;
    const host = isIPv6(named) ? `[${named}]` : named;
    const text = /^https?:\/\//.test(host) ? host : `http://${host}`;
    const base = URL.canParse(text) ? new URL(text) : undefined;
    if (base === undefined || base.username !== "" || base.pathname !== "/" || base.search !== "") {
      throw new Failure("IDENTITY_UNAVAILABLE", `${namedBy} is not a host or host:port`, {
        hint: `write it as HOST, HOST:PORT or an IP address: ${namedBy}=metadata.google.internal`,
      });
    }
    return { base, byName: undefined, namedBy };
  }
  const byName = new URL("http://metadata.google.internal");
  return { base: new URL("http://169.254.169.254"), byName, namedBy: undefined };
}

/**
 * Sends a request to the address, and to the name as well once the address has failed or kept silent for a moment. The first
 * response counts; without any, the fault of the address.
 *
 * @param requestAt ends with its signal, and takes `headStartMs` less than at the address
 */
export async function requestEither(
  { base, byName }: MetadataAddress,
  requestAt: (at: URL, signal: AbortSignal, headStartMs: number) => Promise<HttpResponse>,
  signal: AbortSignal,
): Promise<{ readonly response: HttpResponse; readonly at: URL }> {
  if (byName === undefined) return { response: await requestAt(base, signal, 0), at: base };
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const first = requestAt(base, either, 0);
  const attempt = async (at: URL, requested: Promise<HttpResponse>) => {
    const response = await requested;
    if (response.kind === "fault") throw new Error("no response");
    return { response, at };
  };
  try {
    const headStart = sleep(HEAD_START_MS, undefined, { signal: either }).catch(() => undefined);
    const early = await Promise.race([first, headStart]);
    if (early?.kind === "response") return { response: early, at: base };
    return await Promise.any([attempt(base, first), attempt(byName, requestAt(byName, either, HEAD_START_MS))]);
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    return { response: await first, at: base };
  } finally {
    over.abort(new Error("the other one has responded"));
  }
}

/**
 * Whether this machine shows signs of Google Cloud: the variables of Cloud Run and Functions, or Google's BIOS
 * (gcp-metadata's src/gcp-residency.ts). Only then is a silent metadata server slow and not absent.
 *
 * @param biosVendorFile another file in tests
 */
export async function showsGoogleCloud(
  env: Environment,
  biosVendorFile = "/sys/class/dmi/id/bios_vendor",
): Promise<boolean> {
  if (["K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_NAME"].some((name) => env[name])) return true;
  const read = await readFileSafely({ path: biosVendorFile, maxBytes: 4096, trust: "data", uid: undefined });
  // No DMI (containers, other systems) is no sign, and no error either.
  return read.kind === "read" && read.bytes.includes("Google");
}

/**
 * Requests a path of the metadata server (https://cloud.google.com/compute/docs/metadata/querying-metadata):
 * `Metadata-Flavor: Google` is sent and required in the response; redirects and proxies are never used. 429, 5xx, a refused
 * or cut connection and, on Google Cloud, any other failing connection are retried, with pauses that add up to 15 s, or to
 * 5 s where neither an address is named nor the machine shows signs of Google Cloud.
 *
 * @param path below `/computeMetadata/v1/`, with its query
 * @throws Failure IDENTITY_UNAVAILABLE (no metadata server here), IDENTITY_TEMPORARY (it is slow or failing),
 *   IDENTITY_INVALID_RESPONSE (another server responded), TIMEOUT or INTERRUPTED
 */
export async function requestMetadata(path: string, context: IdentityContext): Promise<MetadataResponse> {
  const address = metadataAddress(context.env);
  // A named address counts more than the BIOS.
  const showsGoogle = address.namedBy === undefined && (await showsGoogleCloud(context.env));
  const retryMs = showsGoogle || address.namedBy !== undefined ? RETRY_MS : WRONG_MACHINE_MS;
  const { response, at } = await requestEither(
    address,
    (base, signal, headStartMs) => {
      const url = new URL(`/computeMetadata/v1/${path}`, base);
      const connectMs = CONNECT_MS[showsGoogle ? "here" : "elsewhere"] - headStartMs;
      const pausesMs = headStartMs > 0 && !showsGoogle ? 0 : retryMs;
      return requestWithRetry(
        { url, headers: { "Metadata-Flavor": "Google" }, ...TOKEN_LIMITS, connectMs },
        `the metadata server at ${url.host}`,
        // On Google Cloud the server is there: what fails is a network that is not up yet.
        { pausesMs, isTransient: (one) => isTransient(one) || (showsGoogle && isNetworkDown(one)) },
        { ...context, deadline: { ...context.deadline, signal } },
      );
    },
    context.deadline.signal,
  );
  return classify(response, { ...address, base: at }, showsGoogle);
}

function classify(response: HttpResponse, { base, namedBy }: MetadataAddress, showsGoogle: boolean): MetadataResponse {
  const { host } = base;
  const server = `the metadata server at ${host}`;
  const absentHint =
    namedBy === undefined
      ? "choose another `identity`: `gcp-metadata` works only on Google Cloud, and this machine does not look like it"
      : `check ${namedBy}, which names this address`;
  if (response.kind === "fault") {
    const hint = "check the network, which may not be up yet: this machine is on Google Cloud";
    throw faultFailure(
      response,
      server,
      showsGoogle
        ? { code: "IDENTITY_TEMPORARY", hint }
        : { code: "IDENTITY_UNAVAILABLE", hint: absentHint, who: `no metadata server at ${host}` },
    );
  }
  const { status, body, headers } = response;
  if (status === 429 || status >= 500)
    throw new Failure("IDENTITY_TEMPORARY", `${server} keeps responding with status ${status}`);
  if (headers["metadata-flavor"] !== "Google") {
    const cause = `${host} is not Google's metadata server: status ${status} without \`Metadata-Flavor: Google\``;
    // EC2 and Azure respond at the same address.
    if (namedBy === undefined && !showsGoogle) throw new Failure("IDENTITY_UNAVAILABLE", cause, { hint: absentHint });
    // An error status passes without the header: the caller reads only the status.
    if (status < 400) throw new Failure("IDENTITY_INVALID_RESPONSE", cause, { hint: absentHint });
  }
  return { status, body, date: dateOf(headers), host };
}

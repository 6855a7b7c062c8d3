import { Failure } from "../base/failure.ts";
import type { StsEndpoint } from "../config/config.ts";
import { dateOf, describeResponse, request } from "../net/http.ts";
import { openOutbound } from "../net/outbound.ts";
import { printable } from "../base/printable.ts";
import { type ResolvedEndpoint, resolveEndpoint } from "../sts/endpoint.ts";
import { networkHint } from "../sts/network-failure.ts";
import { type DoctorContext, NETWORK_MS, within } from "./context.ts";

/** How an STS endpoint responded to a call without keys. */
export interface StsProbe {
  readonly url: URL;
  readonly latencyMs: number;
  /** How far this machine's clock is ahead of STS's; undefined without a `Date`. */
  readonly clockAheadMs: number | undefined;
}

const CONNECT_MS = 5_000;
const MAX_BYTES = 64 * 1024;

/**
 * Calls GetCallerIdentity unsigned: STS responds 403 `MissingAuthenticationToken`, with its time in `Date`. No role is
 * assumed and no key is sent.
 *
 * @throws Failure STS_UNAVAILABLE when this is not how it responds, ENDPOINT_REFUSED, INTERRUPTED; TIMEOUT when the whole
 *   run's time is up
 */
export async function probeSts(endpoint: StsEndpoint, context: DoctorContext): Promise<StsProbe> {
  const { world } = context;
  const resolved = resolveEndpoint(endpoint, world.env);
  const url = await addressOf(resolved);
  const failed = (message: string, hint: string): Failure =>
    new Failure("STS_UNAVAILABLE", `${endpoint.region}: ${message}; the written keys are not tested`, { hint });
  const startedMs = world.monotonicMs();
  const outbound = openOutbound({ env: world.env, uid: world.uid, signal: context.deadline.signal });
  try {
    const response = await within(context, NETWORK_MS, (deadline) =>
      request({
        url,
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: "Action=GetCallerIdentity&Version=2011-06-15",
        connectMs: CONNECT_MS,
        totalMs: NETWORK_MS,
        maxBytes: MAX_BYTES,
        outbound,
        caBundle: endpoint.caBundle,
        signal: deadline.signal,
      }),
    );
    const latencyMs = world.monotonicMs() - startedMs;
    if (response.kind === "fault") {
      // A proxy or TLS: the cause is a whole sentence.
      const prefix = response.hint === undefined ? `${url.host}: ` : "";
      throw failed(`${prefix}${describeResponse(response)}`, networkHint(response, resolved));
    }
    if (response.status >= 500 || response.status === 429)
      throw failed(`${url.host} responds with status ${response.status}`, "run doctor again later: STS is failing");
    if (!response.body.includes("<ErrorResponse"))
      throw failed(
        `the server at ${url.host} is not STS (status ${response.status})`,
        "check `endpoint_url`, AWS_ENDPOINT_URL_STS and any proxy or captive portal",
      );
    const stsTime = dateOf(response.headers);
    // The response was written half way; `Date` has no fraction, so half a second is its middle.
    const clockAheadMs = stsTime && world.now().getTime() - latencyMs / 2 - (stsTime.getTime() + 500);
    return { url, latencyMs, clockAheadMs };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TIMEOUT" || context.deadline.signal.aborted) throw error;
    throw failed(`no response from ${url.host}: ${error.message}`, NETWORK_HINT);
  } finally {
    outbound.close();
  }
}

/** The address that the SDK would call, by its own endpoint rules. @throws Failure ENDPOINT_REFUSED */
export async function addressOf(endpoint: ResolvedEndpoint): Promise<URL> {
  if (endpoint.url !== undefined) return new URL(endpoint.url);
  const { region, useFips, useDualstack } = endpoint;
  // The SDK checks that a region is a host label too, but only when it calls.
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(region)) throw noEndpoint(region);
  const { STSClient } = await import("../sts/sdk.ts");
  const client = new STSClient({
    region,
    useFipsEndpoint: useFips,
    useDualstackEndpoint: useDualstack,
    ignoreConfiguredEndpointUrls: true,
  });
  try {
    const parameters = { Region: region, UseFIPS: useFips, UseDualStack: useDualstack, UseGlobalEndpoint: false };
    return client.config.endpointProvider(parameters, {}).url;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "EndpointError") throw error;
    throw noEndpoint(region, error);
  } finally {
    client.destroy();
  }
}

function noEndpoint(region: string, cause?: unknown): Failure {
  return new Failure("ENDPOINT_REFUSED", `there is no STS endpoint for the region '${printable(region)}'`, {
    hint: "check `region`, AWS_REGION and AWS_USE_FIPS_ENDPOINT",
    cause,
  });
}

const NETWORK_HINT = "check that this host can reach STS (DNS, firewall, proxy)";

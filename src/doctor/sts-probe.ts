import { Failure } from "../base/failure.ts";
import type { StsEndpoint } from "../config/config.ts";
import { request, dateOf, type HttpResponse } from "../net/http.ts";
import { openOutbound, type Outbound } from "../net/outbound.ts";
import { printable } from "../base/printable.ts";
import { type ResolvedEndpoint, resolveEndpoint } from "../sts/endpoint.ts";
import { fipsHint } from "../net/network-fault.ts";
import { type DoctorContext, NETWORK_MS, within } from "./context.ts";

/** What an STS endpoint said to somebody without keys. */
export type StsProbe =
  | {
      readonly kind: "sts";
      readonly url: URL;
      readonly latencyMs: number;
      /** How far this machine's clock is ahead of STS's; undefined without a `Date`. */
      readonly clockAheadMs: number | undefined;
    }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string };

const CONNECT_MS = 5_000;
const MAX_BYTES = 64 * 1024;

/**
 * Asks an endpoint who calls, without saying who calls: STS answers 403 `MissingAuthenticationToken`, with its time in
 * `Date`. No role is assumed and no key is sent.
 *
 * @throws Failure ENDPOINT_REFUSED, INTERRUPTED; TIMEOUT when the whole run's time is up
 */
export async function probeSts(endpoint: StsEndpoint, context: DoctorContext): Promise<StsProbe> {
  const { world } = context;
  const resolved = resolveEndpoint(endpoint, world.env);
  const url = await addressOf(resolved);
  const startedMs = world.monotonicMs();
  const outbound = openOutbound({ env: world.env, uid: world.uid, signal: context.deadline.signal });
  try {
    const answer = await within(context, NETWORK_MS, (deadline) =>
      request({
        url,
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: "Action=GetCallerIdentity&Version=2011-06-15",
        connectMs: CONNECT_MS,
        totalMs: NETWORK_MS,
        maxBytes: MAX_BYTES,
        outbound: through(outbound, endpoint.caBundle),
        signal: deadline.signal,
      }),
    );
    const latencyMs = world.monotonicMs() - startedMs;
    if (answer.kind === "fault") {
      // A proxy or TLS: the cause is a whole sentence.
      if (answer.hint !== undefined) return failed(answer.detail, answer.hint);
      return { kind: "failed", ...inWords(url, answer, fipsHint(resolved)) };
    }
    if (answer.status >= 500 || answer.status === 429)
      return failed(`${url.host} responds with status ${answer.status}`, "STS is failing; run doctor again later");
    if (!answer.body.includes("<ErrorResponse"))
      return failed(
        `what responds at ${url.host} is not STS (status ${answer.status})`,
        "check `endpoint_url`, AWS_ENDPOINT_URL_STS, and captive portals and proxies in between",
      );
    const stsTime = dateOf(answer.headers);
    // The answer was written half way; `Date` has no fraction, so half a second is its middle.
    const clockAheadMs = stsTime && world.now().getTime() - latencyMs / 2 - (stsTime.getTime() + 500);
    return { kind: "sts", url, latencyMs, clockAheadMs };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "TIMEOUT" || context.deadline.signal.aborted) throw error;
    return failed(`no response from ${url.host}: ${error.message}`, NETWORK_HINT);
  } finally {
    outbound.close();
  }
}

/** The ways out with a profile's own `ca_bundle`. */
function through({ routeTo, close }: Outbound, caBundle: string | undefined): Outbound {
  return { routeTo: (url) => routeTo(url, caBundle), close };
}

/** The address that the SDK would call, by its own endpoint rules. @throws Failure ENDPOINT_REFUSED */
export async function addressOf(endpoint: ResolvedEndpoint): Promise<URL> {
  if (endpoint.url !== undefined) return new URL(endpoint.url);
  const { region, useFips, useDualstack } = endpoint;
  // The SDK holds a region to be a host label too, but only when it calls.
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

function failed(message: string, hint: string): StsProbe {
  return { kind: "failed", message, hint };
}

const NETWORK_HINT = "check that this host can reach STS (DNS, firewall, proxy)";

function inWords(
  url: URL,
  { fault, detail }: Pick<HttpResponse & { kind: "fault" }, "fault" | "detail">,
  fips: string | undefined,
): { readonly message: string; readonly hint: string } {
  const { host } = url;
  switch (fault) {
    case "name-unknown":
      return {
        message: `the name ${host} cannot be resolved (${detail})`,
        hint: fips ?? "check the region and DNS",
      };
    case "refused":
    case "unreachable":
    case "cut":
      return { message: `${host} cannot be reached (${detail})`, hint: NETWORK_HINT };
    case "connect-timeout":
    case "response-timeout":
      return { message: `no response from ${host} within ${detail}`, hint: NETWORK_HINT };
    case "tls":
      return {
        message: `TLS to ${host} fails (${detail})`,
        hint: NETWORK_HINT,
      };
    case "too-large":
    case "not-http":
      return { message: `what responds at ${host} is not STS (${detail})`, hint: "check `endpoint_url`" };
  }
}

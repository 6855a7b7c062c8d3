import { Failure, type FailureCode } from "../base/failure.ts";
import { type HttpFailure, type HttpFault, isTemporaryStatus } from "../net/connection-fault.ts";
import { describeResponse } from "../net/http.ts";
import { AttemptFailed } from "../net/sdk-transport.ts";

interface Called {
  readonly region: string;
  readonly useFips?: boolean | undefined;
}

/** What each fault of the way to STS means, and what to do. */
const FAULTS: Readonly<Record<HttpFault, { readonly code: FailureCode; readonly hint: string }>> = {
  "name-unknown": { code: "STS_UNAVAILABLE", hint: "check DNS" },
  unreachable: { code: "STS_UNAVAILABLE", hint: "check that this host can reach STS (routing, firewall, proxy)" },
  refused: { code: "STS_UNAVAILABLE", hint: "check that this host can reach STS (routing, firewall, proxy)" },
  cut: { code: "STS_UNAVAILABLE", hint: "check that this host can reach STS (routing, firewall, proxy)" },
  "connect-timeout": {
    code: "STS_UNAVAILABLE",
    hint: "check the network and firewall between this host and STS; the next run will retry",
  },
  "response-timeout": {
    code: "STS_UNAVAILABLE",
    hint: "check the network and firewall between this host and STS; the next run will retry",
  },
  "too-large": {
    code: "STS_INVALID_RESPONSE",
    hint: "check `endpoint_url` and AWS_ENDPOINT_URL_STS: STS responds with a few kilobytes",
  },
  tls: { code: "STS_INVALID_RESPONSE", hint: "check `endpoint_url` and AWS_ENDPOINT_URL_STS" },
  "not-http": { code: "STS_INVALID_RESPONSE", hint: "check `endpoint_url` and AWS_ENDPOINT_URL_STS" },
};

/** What to do about a fault of the way to STS. */
export function networkHint({ fault, hint, proxyStatus }: HttpFailure, call: Called): string {
  // A proxy that cannot resolve the name responds with a status that passes.
  const isNameUnknown = fault === "name-unknown" || isTemporaryStatus(proxyStatus ?? 0);
  const fips = isNameUnknown ? fipsHint(call) : undefined;
  if (fips !== undefined) return fips;
  return fault === "name-unknown" ? `check DNS, and that \`${call.region}\` is a region` : (hint ?? FAULTS[fault].hint);
}

/**
 * A failure of the way to STS: name, connection, TLS, time.
 *
 * @returns undefined when the error is none of these.
 */
export function networkFailure(error: unknown, what: string, call: Called): Failure | undefined {
  if (!(error instanceof AttemptFailed)) return endpointFailure(error, what, call);
  const { failure } = error;
  return new Failure(codeOf(failure), `${what}: ${describeResponse(failure)}`, {
    hint: networkHint(failure, call),
    cause: error,
  });
}

function codeOf({ fault, proxyStatus }: HttpFailure): FailureCode {
  if (proxyStatus === undefined) return FAULTS[fault].code;
  if (Number.isNaN(proxyStatus)) return "STS_INVALID_RESPONSE";
  return isTemporaryStatus(proxyStatus) ? "STS_UNAVAILABLE" : "STS_DENIED";
}

/**
 * The SDK makes up a FIPS host for every region (client-sts, endpoint rules); AWS has one in some alone
 * (https://docs.aws.amazon.com/general/latest/gr/sts.html).
 */
function fipsHint({ useFips, region }: Called): string | undefined {
  if (useFips !== true) return undefined;
  return `set \`use_fips_endpoint = false\` (or unset AWS_USE_FIPS_ENDPOINT), or a \`region\` with a FIPS endpoint such as us-east-1: ${region} seems to have none`;
}

/** The SDK refuses a region that is no host name label, or that no endpoint is known for. */
function endpointFailure(error: unknown, what: string, { region }: Called): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name !== "EndpointError" && !/region not accepted|invalid configuration/i.test(error.message))
    return undefined;
  return new Failure("ENDPOINT_REFUSED", `${what}: there is no STS endpoint for the region \`${region}\``, {
    hint: "check `region`, AWS_REGION and AWS_USE_FIPS_ENDPOINT",
    cause: error,
  });
}

import type { Explained } from "./connection-fault.ts";
import { errnoOf, Failure } from "../base/failure.ts";

/** The answer is longer than `maxBytes`; trying again would not help. */
export class ResponseTooLarge extends Error {
  override readonly name = "ResponseTooLarge";
}

/**
 * A proxy that does not open the tunnel to STS. A status that a retry may heal carries an errno that the SDK takes for
 * transient (service-error-classification/constants.js).
 */
export class ProxyRefusal extends Error {
  override readonly name = "ProxyRefusal";
  readonly status: number;
  readonly code: string | undefined;
  readonly hint: string;

  constructor(status: number, { cause, hint }: Explained) {
    super(cause);
    this.status = status;
    this.hint = hint;
    this.code = status >= 500 || status === 429 ? "ECONNRESET" : undefined;
  }
}

/** TLS with STS or with the proxy fails; a retry would not help. */
export class TlsRefusal extends Error {
  override readonly name = "TlsRefusal";
  readonly hint: string;

  constructor({ cause, hint }: Explained, error: unknown) {
    super(cause, { cause: error });
    this.hint = hint;
  }
}

/** No address of the name could be connected to. It carries the first one's errno, which the SDK takes for transient. */
export class AddressesFailed extends Error {
  override readonly name = "AddressesFailed";
  readonly code: string;

  constructor(error: AggregateError, addresses: string) {
    const code = errnoOf(error) ?? "ECONNREFUSED";
    super(`${code} (${addresses})`, { cause: error });
    this.code = code;
  }
}

interface Called {
  readonly where: string;
  readonly region: string;
  readonly useFips?: boolean | undefined;
}

/**
 * A failure of the way to STS: name, connection, TLS, time. Node's codes are at https://nodejs.org/api/errors.html and
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes.
 *
 * @returns undefined when the error is none of these.
 */
export function networkFailure(error: unknown, what: string, call: Called): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ProxyRefusal) return proxyFailure(error, what, call);
  if (error instanceof TlsRefusal)
    return new Failure("STS_INVALID_RESPONSE", `${what}: ${error.message}`, { hint: error.hint, cause: error });
  const code = errnoOf(error);
  if (error.name === "TimeoutError") {
    return new Failure("STS_UNAVAILABLE", `${what}: ${error.message}`, {
      hint: "check the network and firewall between this host and STS; the next run will retry",
      cause: error,
    });
  }
  if (error instanceof ResponseTooLarge) {
    return new Failure("STS_INVALID_RESPONSE", `${what}: ${error.message}`, {
      hint: "check `endpoint_url` and AWS_ENDPOINT_URL_STS: STS responds with a few kilobytes",
    });
  }
  if (code === undefined) return endpointFailure(error, what, call);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new Failure("STS_UNAVAILABLE", `${what}: the name cannot be resolved (${code})`, {
      hint: fipsHint(call) ?? `check DNS, and that \`${call.region}\` is a region`,
      cause: error,
    });
  }
  if (code.startsWith("HPE_")) {
    return new Failure("STS_INVALID_RESPONSE", `${what}: what responds does not speak HTTP (${code})`, {
      hint: "check `endpoint_url` and AWS_ENDPOINT_URL_STS",
    });
  }
  if (/^E[A-Z]+$/.test(code)) {
    const told = error instanceof AddressesFailed ? error.message : code;
    return new Failure("STS_UNAVAILABLE", `${what}: ${told}`, {
      hint: "check that this host can reach STS (routing, firewall, proxy)",
      cause: error,
    });
  }
  return undefined;
}

/**
 * The SDK makes up a FIPS host for every region (client-sts, endpoint rules); AWS has one in some alone
 * (https://docs.aws.amazon.com/general/latest/gr/sts.html).
 */
export function fipsHint({ useFips, region }: Pick<Called, "region" | "useFips">): string | undefined {
  if (useFips !== true) return undefined;
  return `set \`use_fips_endpoint = false\` (or unset AWS_USE_FIPS_ENDPOINT), or a \`region\` with a FIPS endpoint such as us-east-1: ${region} seems to have none`;
}

function proxyFailure(error: ProxyRefusal, what: string, call: Called): Failure {
  const isTemporary = error.code !== undefined;
  const code = Number.isNaN(error.status) ? "STS_INVALID_RESPONSE" : isTemporary ? "STS_UNAVAILABLE" : "STS_DENIED";
  return new Failure(code, `${what}: ${error.message}`, {
    // A proxy that cannot resolve the name answers so.
    hint: (isTemporary ? fipsHint(call) : undefined) ?? error.hint,
  });
}

/** The SDK refuses a region that is no host name label, or that no endpoint is known for. */
function endpointFailure(error: Error, what: string, call: Called): Failure | undefined {
  if (error.name !== "EndpointError" && !/region not accepted|invalid configuration/i.test(error.message))
    return undefined;
  return new Failure("ENDPOINT_REFUSED", `${what}: there is no STS endpoint for the region \`${call.region}\``, {
    hint: "check `region`, AWS_REGION and AWS_USE_FIPS_ENDPOINT",
    cause: error,
  });
}

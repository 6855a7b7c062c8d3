import { errnoOf, Failure } from "../base/failure.ts";

/** The answer is longer than `maxBytes`; trying again would not help. */
export class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge";
}

/**
 * A proxy that does not open the tunnel to STS. A status that a retry may heal carries an errno that the SDK takes for
 * transient (service-error-classification/constants.js).
 */
export class ProxyRefusal extends Error {
  override readonly name = "ProxyRefusal";
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number) {
    super(`the proxy refuses with status ${status}`);
    this.status = status;
    this.code = status >= 500 || status === 429 ? "ECONNRESET" : undefined;
  }
}

interface Called {
  readonly where: string;
  readonly region: string;
}

/**
 * A failure of the way to STS: name, connection, TLS, time. Node's codes are at https://nodejs.org/api/errors.html and
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes.
 *
 * @returns undefined when the error is none of these.
 */
export function networkFailure(error: unknown, what: string, call: Called): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ProxyRefusal) return proxyFailure(error, what);
  const code = errnoOf(error);
  if (error.name === "TimeoutError") {
    return new Failure("STS_UNAVAILABLE", `${what}: ${error.message}`, {
      hint: "look at the network and firewall between here and STS; the next run may heal it",
      cause: error,
    });
  }
  if (error instanceof AnswerTooLarge) {
    return new Failure("STS_NONSENSE", `${what}: ${error.message}`, {
      hint: "look at `endpoint_url` and AWS_ENDPOINT_URL_STS: STS answers with some kilobytes",
    });
  }
  if (code === undefined) return endpointFailure(error, what, call);
  const told = `${what}: ${code}`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new Failure("STS_UNAVAILABLE", `${what}: the name cannot be resolved (${code})`, {
      hint: `look at the resolver, and whether \`${call.region}\` is a region`,
      cause: error,
    });
  }
  if (/^(CERT_NOT_YET_VALID|CERT_HAS_EXPIRED)$/.test(code)) {
    return new Failure("STS_NONSENSE", told, {
      hint: "the certificate is not valid now: look at this machine's clock with `timedatectl`",
      cause: error,
    });
  }
  if (/CERT|SIGNATURE|ISSUER|SSL|TLS|HOSTNAME|CRL|^EPROTO$/.test(code)) {
    return new Failure("STS_NONSENSE", told, {
      hint: "TLS to STS fails: behind an inspecting proxy name its CA with `ca_bundle` or AWS_CA_BUNDLE=/path/ca.pem",
      cause: error,
    });
  }
  if (code.startsWith("HPE_")) {
    return new Failure("STS_NONSENSE", `${what}: what answers does not speak HTTP (${code})`, {
      hint: "look at `endpoint_url` and AWS_ENDPOINT_URL_STS",
    });
  }
  if (/^E[A-Z]+$/.test(code)) {
    return new Failure("STS_UNAVAILABLE", told, { hint: "look at the network between here and STS", cause: error });
  }
  return undefined;
}

function proxyFailure(error: ProxyRefusal, what: string): Failure {
  if (Number.isNaN(error.status)) {
    return new Failure("STS_NONSENSE", `${what}: what answers there is no proxy`, { hint: "look at HTTPS_PROXY" });
  }
  const told = `${what}: ${error.message}`;
  if (error.status === 407) {
    return new Failure("STS_DENIED", told, {
      hint: "it wants a user and a password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
    });
  }
  if (error.code !== undefined) {
    return new Failure("STS_UNAVAILABLE", told, { hint: "the proxy cannot reach STS; the next run may heal it" });
  }
  return new Failure("STS_DENIED", told, {
    hint: "let the proxy open tunnels to the STS endpoint, or except it with NO_PROXY",
  });
}

/** The SDK refuses a region that is no host name label, or that no endpoint is known for. */
function endpointFailure(error: Error, what: string, call: Called): Failure | undefined {
  if (error.name !== "EndpointError" && !/region not accepted|invalid configuration/i.test(error.message))
    return undefined;
  return new Failure("ENDPOINT_REFUSED", `${what}: there is no STS endpoint for the region \`${call.region}\``, {
    hint: "look at `region`, AWS_REGION and AWS_USE_FIPS_ENDPOINT",
    cause: error,
  });
}

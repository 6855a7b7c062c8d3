import { isLoopbackHost } from "../base/host.ts";
import { Failure } from "../base/failure.ts";
import type { StsEndpoint } from "../config/config.ts";
import type { Environment } from "../base/world.ts";

/** Where STS is called. */
export interface ResolvedEndpoint {
  readonly region: string;
  /** Undefined: the region's own endpoint, by the SDK's rules. */
  readonly url: string | undefined;
  readonly useFips: boolean;
  readonly useDualstack: boolean;
}

/**
 * The endpoint of a profile: its own `endpoint_url`, else `AWS_ENDPOINT_URL_STS`, else `AWS_ENDPOINT_URL`, else the
 * region's own: FIPS by its `use_fips_endpoint`, else by `AWS_USE_FIPS_ENDPOINT=true`, dual-stack by
 * `AWS_USE_DUALSTACK_ENDPOINT=true`. `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` silences the
 * variables and not the profile, which is as explicit as `--endpoint-url`
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html). An empty variable counts as not set.
 *
 * @throws Failure ENDPOINT_REFUSED for what is no http(s) URL of a server, and for plain http to anything but loopback:
 *   the request carries a token that is as good as a password.
 */
export function resolveEndpoint(endpoint: StsEndpoint, env: Environment): ResolvedEndpoint {
  const { region } = endpoint;
  const named = namedUrl(endpoint, env);
  if (named !== undefined) {
    checkUrl(named.url, named.by);
    return { region, url: named.url, useFips: false, useDualstack: false };
  }
  const useFips = endpoint.useFips ?? isTrue(env["AWS_USE_FIPS_ENDPOINT"]);
  return { region, url: undefined, useFips, useDualstack: isTrue(env["AWS_USE_DUALSTACK_ENDPOINT"]) };
}

function namedUrl(endpoint: StsEndpoint, env: Environment): { url: string; by: string } | undefined {
  if (endpoint.url !== undefined) return { url: endpoint.url.trim(), by: "`endpoint_url`" };
  if (isTrue(env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"])) return undefined;
  for (const by of ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"]) {
    const url = env[by]?.trim();
    if (url !== undefined && url !== "") return { url, by };
  }
  return undefined;
}

function checkUrl(text: string, by: string): void {
  // The text is not shown when it cannot be read: it may hold a password.
  if (!URL.canParse(text))
    throw new Failure("ENDPOINT_REFUSED", `${by} is not a URL`, { hint: "write it as https://HOST[:PORT]" });
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new Failure("ENDPOINT_REFUSED", `${by} is not an http(s) URL`, { hint: "write it as https://HOST[:PORT]" });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new Failure("ENDPOINT_REFUSED", `${by} has a user, a query or a fragment, which an STS endpoint has not`);
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw new Failure(
      "ENDPOINT_REFUSED",
      `${by} names ${url.host} with plain http, which would send the token in the clear`,
      {
        hint: "use https; plain http is for loopback (127.0.0.1, [::1], localhost) alone",
      },
    );
  }
}

const isTrue = (value: string | undefined): boolean => value?.trim().toLowerCase() === "true";

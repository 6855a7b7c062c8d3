import { proxyFor } from "../../net/proxy.ts";
import { resolveEndpoint } from "../../sts/endpoint.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";
import { addressOf } from "../sts-probe.ts";

const NAMES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);

/**
 * Whether STS is called through the proxy of `HTTPS_PROXY`, or directly (net/proxy.ts).
 *
 * @throws Failure ENDPOINT_REFUSED for a proxy that is none
 */
export async function proxyFindings({ endpoints, setup, context }: Evidence): Promise<readonly Finding[]> {
  const { env } = context.world;
  const set = NAMES.filter((name) => env[name]);
  if (set.length === 0) return [finding("ok", "no proxy is set; STS is called directly")];
  const sts = await addressOf(resolveEndpoint(setup.targets[0]?.endpoint ?? setup.usualEndpoint, env));
  const proxy = proxyFor(sts, env);
  const probes = await Promise.all(endpoints.map(({ probe }) => probe()));
  const isReached = probes.every((probe) => "value" in probe);
  const level = isReached ? "ok" : "warning";
  const about = (hint: string) => ({ hint: isReached ? undefined : hint });
  if (proxy)
    return [
      finding(
        level,
        `${sts.host} is called through the proxy ${proxy.url.host}`,
        about(`allow tunnels to ${sts.host} on the proxy, or add it to NO_PROXY`),
      ),
    ];
  const names = `${set.join(", ")} ${set.length > 1 ? "are" : "is"} set`;
  if (set.some((name) => name.toUpperCase() === "HTTPS_PROXY"))
    return [finding("ok", `${names}, but ${sts.host} is exempt: it is called directly`)];
  return [
    finding(
      level,
      `${names} but not used: STS is called over https, for which only HTTPS_PROXY counts`,
      about("export HTTPS_PROXY=http://HOST:PORT"),
    ),
  ];
}

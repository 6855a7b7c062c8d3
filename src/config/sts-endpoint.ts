import { isLoopbackHost } from "../base/host.ts";
import type { RoleArn, StsEndpoint } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { type AmbientRegion, defaultRegionOf, partitionOfRegion, readRegion } from "./region.ts";
import { type SectionReader, show } from "./section.ts";

/** The profile's region, else the environment's if the role's partition has it, else the partition's default. */
export function readEndpoint(
  section: SectionReader,
  role: RoleArn | undefined,
  ambient: AmbientRegion,
): StsEndpoint | undefined {
  const [useFips, caBundle] = [section.flag("use_fips_endpoint"), section.path("ca_bundle")];
  const options = { ...(useFips === undefined ? {} : { useFips }), ...(caBundle === undefined ? {} : { caBundle }) };
  const url = section.text("endpoint_url");
  if (url !== undefined) checkEndpointUrl(section, url);
  const own = readOwnRegion(section);
  const fromEnvironment = ambient.kind === "region" ? ambient.region : undefined;
  // Without a role there is no partition to compare with.
  if (!role) {
    const region = own ?? fromEnvironment ?? "us-east-1";
    return { region, ...(own === undefined ? {} : { isRegionConfigured: true }), url, ...options };
  }
  if (own !== undefined) {
    if (partitionOfRegion(own) === role.partition) return { region: own, isRegionConfigured: true, url, ...options };
    section.issue(
      "region",
      `region = ${own} is not in the role's partition (${role.partition})`,
      "choose a region of that partition",
    );
    return undefined;
  }
  if (fromEnvironment !== undefined && partitionOfRegion(fromEnvironment) === role.partition)
    return { region: fromEnvironment, url, ...options };
  const region = defaultRegionOf(role.partition);
  if (region !== undefined) return { region, url, ...options };
  section.issue(
    "role_arn",
    `the partition ${role.partition} has no known default region`,
    "set region to one of its STS endpoints",
  );
  return undefined;
}

function readOwnRegion(section: SectionReader): string | undefined {
  const text = section.text("region");
  if (text === undefined) return undefined;
  const read = readRegion(text);
  if (read.kind === "region") return read.region;
  const [problem, hint] =
    read.kind === "wrong"
      ? [read.problem, read.hint]
      : ["is not a region", `write ${defaultRegionOf(read.partition) ?? "for example eu-central-1"}`];
  section.issue("region", `region = ${show(text)} ${problem}`, hint);
  return undefined;
}

function checkEndpointUrl(section: SectionReader, text: string): void {
  const key: ConfigKey = "endpoint_url";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.username !== "" || url.password !== "")) {
    section.issue(
      key,
      "endpoint_url contains a user or password, which STS does not accept",
      "write it as https://HOST[:PORT]",
    );
  } else if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    section.issue(key, `endpoint_url = ${show(text)} is not an http(s) URL`);
  } else if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    section.issue(
      key,
      `endpoint_url = ${show(text)} is plain http to another host`,
      "use https: plain http would expose tokens",
    );
  }
}

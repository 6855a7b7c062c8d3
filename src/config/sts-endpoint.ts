import { isLoopbackHost } from "../base/host.ts";
import type { RoleArn, StsEndpoint } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { defaultRegionOf, partitionOfRegion } from "./partition.ts";
import { type AmbientRegion, readRegion } from "./region.ts";
import { type SectionReader, show } from "./section.ts";

/** The profile's region, the environment's where it is of the role's partition, else one of that partition. */
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
  const around = ambient.kind === "region" ? ambient.region : undefined;
  // No role, no partition to compare with: any region will do (and a role that cannot be read is a mistake already).
  if (!role) {
    const region = own ?? around ?? "us-east-1";
    return { region, ...(own === undefined ? {} : { isRegionConfigured: true }), url, ...options };
  }
  if (own !== undefined) {
    if (partitionOfRegion(own) === role.partition) return { region: own, isRegionConfigured: true, url, ...options };
    section.mistake(
      "region",
      `region = ${own} is not in the partition of the role (${role.partition})`,
      "credentials do not cross partitions",
    );
    return undefined;
  }
  if (around !== undefined && partitionOfRegion(around) === role.partition) return { region: around, url, ...options };
  const region = defaultRegionOf(role.partition);
  if (region !== undefined) return { region, url, ...options };
  section.mistake(
    "role_arn",
    `the partition ${role.partition} is not known`,
    "name the region of its STS with 'region = …'",
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
  section.mistake("region", `region = ${show(text)} ${problem}`, hint);
  return undefined;
}

function checkEndpointUrl(section: SectionReader, text: string): void {
  const key: ConfigKey = "endpoint_url";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.username !== "" || url.password !== "")) {
    section.mistake(
      key,
      "endpoint_url has a user or password, which STS does not take",
      "write it as https://HOST[:PORT]",
    );
  } else if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    section.mistake(key, `endpoint_url = ${show(text)} is not an http(s) URL`);
  } else if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    section.mistake(
      key,
      `endpoint_url = ${show(text)} is plain http to another machine`,
      "tokens would travel readable: use https",
    );
  }
}

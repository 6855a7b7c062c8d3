import { show } from "./section.ts";

/** Partitions (AWS SDK `partitions.json`): the prefix of their region names and the default region of their STS. */
const PARTITIONS: readonly { readonly partition: string; readonly prefix: RegExp; readonly region: string }[] = [
  { partition: "aws-cn", prefix: /^cn-/, region: "cn-north-1" },
  { partition: "aws-us-gov", prefix: /^us-gov-/, region: "us-gov-west-1" },
  { partition: "aws-iso", prefix: /^us-iso-/, region: "us-iso-east-1" },
  { partition: "aws-iso-b", prefix: /^us-isob-/, region: "us-isob-east-1" },
  { partition: "aws-iso-e", prefix: /^eu-isoe-/, region: "eu-isoe-west-1" },
  { partition: "aws-iso-f", prefix: /^us-isof-/, region: "us-isof-south-1" },
  { partition: "aws-eusc", prefix: /^eusc-/, region: "eusc-de-east-1" },
  { partition: "aws", prefix: /^/, region: "us-east-1" },
];

/** The partition of a region: `cn-north-1` → `aws-cn`; an unknown prefix means `aws`. */
export function partitionOfRegion(region: string): string {
  return PARTITIONS.find(({ prefix }) => prefix.test(region))?.partition ?? "aws";
}

/** The region for a role when nothing names one; undefined for an unknown partition. */
export function defaultRegionOf(partition: string): string | undefined {
  return PARTITIONS.find((candidate) => candidate.partition === partition)?.region;
}

const REGION = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/;
/** `aws-global` and its like: pseudo-regions of services without regions (AWS SDK, `partitions.json`). */
const PSEUDO_REGION = /^(aws(?:-[a-z]+)*)-global$/;

/** A region, a partition (named by a pseudo-region), or neither. */
export type RegionText =
  | { readonly kind: "region"; readonly region: string }
  | { readonly kind: "partition"; readonly partition: string }
  | { readonly kind: "wrong"; readonly problem: string; readonly hint: string; readonly meant: string | undefined };

/** Reads a region; a zone, a Google region and a misspelt one are wrong, with what to write instead. */
export function readRegion(text: string): RegionText {
  if (REGION.test(text)) return { kind: "region", region: text };
  const [, partition] = PSEUDO_REGION.exec(text) ?? [];
  if (partition !== undefined) return { kind: "partition", partition };
  const [, zoned] = /^([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})(?:-[a-z]+-\d{1,2})?[a-z]$/.exec(text) ?? [];
  if (zoned !== undefined) return wrong("is an availability zone, not a region", zoned);
  const tidy = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, "-");
  if (REGION.test(tidy)) return wrong(/\s/.test(text) ? "contains a blank" : "is not spelt as AWS spells it", tidy);
  const google = /^([a-z]+(?:-[a-z]+)+)(\d{1,2})(?:-[a-z])?$/.exec(text);
  if (google) {
    const spelt = `${google[1]}-${google[2]}`;
    return wrong("is a Google Cloud region, not one of AWS", /^us-(?:east|west)-[12]$/.test(spelt) ? spelt : undefined);
  }
  return wrong("is not a region", undefined);
}

function wrong(problem: string, meant: string | undefined): RegionText {
  const hint = meant === undefined ? "write for example eu-central-1" : `write ${meant}`;
  return { kind: "wrong", problem, hint, meant };
}

/** The region that the environment names, or why it cannot be used. */
export type AmbientRegion =
  | { readonly kind: "none" }
  | { readonly kind: "region"; readonly region: string }
  | { readonly kind: "wrong"; readonly variable: string; readonly problem: string; readonly hint: string };

/**
 * `$AWS_REGION`, else `$AWS_DEFAULT_REGION`. A pseudo-region counts as the default region of its partition. A word that
 * could be a region of an AWS-compatible service is kept.
 */
export function ambientRegion(env: Readonly<Record<string, string | undefined>>): AmbientRegion {
  const variable = env["AWS_REGION"] ? "AWS_REGION" : "AWS_DEFAULT_REGION";
  const text = env[variable];
  if (!text) return { kind: "none" };
  const read = readRegion(text);
  switch (read.kind) {
    case "region":
      return read;
    case "partition": {
      const region = defaultRegionOf(read.partition);
      return region === undefined ? { kind: "none" } : { kind: "region", region };
    }
    case "wrong": {
      const { problem, hint, meant } = read;
      if (meant === undefined && /^[A-Za-z0-9-]{1,63}$/.test(text)) return { kind: "region", region: text };
      return { kind: "wrong", variable, problem: `${show(text)} ${problem}`, hint };
    }
  }
}

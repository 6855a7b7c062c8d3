/**
 * Partitions and their regions (AWS SDK `partitions.json`): the prefix that their region names share, and the region
 * whose STS is used when neither the profile nor the environment names one. Credentials never cross partitions.
 */
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

/** The partition of a region: `cn-north-1` → `aws-cn`; anything unknown is taken for a region of `aws`. */
export function partitionOfRegion(region: string): string {
  return PARTITIONS.find(({ prefix }) => prefix.test(region))?.partition ?? "aws";
}

/** The region to use for a role when nobody names one, or undefined for a partition that is not known. */
export function defaultRegionOf(partition: string): string | undefined {
  return PARTITIONS.find((candidate) => candidate.partition === partition)?.region;
}

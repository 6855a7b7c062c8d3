import { usualAwsConfigFile } from "../base/expand-path.ts";
import { type CredentialsDocument, parseDocument } from "../credentials-file/document.ts";
import { readFileSafely, refusalOf } from "../safe-file/read-file.ts";
import type { TimeLimit } from "../safe-file/time-limit.ts";
import type { World } from "../base/world.ts";
import { finding, type Finding } from "./finding.ts";

/** What a key of `~/.aws/config` makes of the static keys of the same profile. */
interface Shadow {
  readonly isMeant: (key: string) => boolean;
  /** Who then ignores the static keys. */
  readonly readers: string;
}

/**
 * Read in the sources: botocore credentials.py (`create_credential_resolver` asks assume-role, web identity and SSO before
 * the credentials file, a credential_process after it; boto/botocore#1126), aws-sdk-java-v2 ProfileCredentialsUtils.java
 * (all four before the keys), JS v3 credential-provider-ini resolveProfileData (role_arn before the keys, the rest after).
 */
const SHADOWS: readonly Shadow[] = [
  { isMeant: (key) => key === "web_identity_token_file", readers: "the AWS CLI, boto3 and the SDK for Java" },
  { isMeant: (key) => key === "role_arn", readers: "the AWS CLI and the SDKs" },
  { isMeant: (key) => key.startsWith("sso_"), readers: "the AWS CLI, boto3 and the SDK for Java" },
  { isMeant: (key) => key === "credential_process", readers: "the SDK for Java and some others" },
];

const MAX_BYTES = 32 * 1024 * 1024;

/** Profiles of the AWS config file that stand in the way of those in the credentials file. */
export async function awsConfigFindings(
  profiles: readonly string[],
  world: Pick<World, "env" | "home" | "cwd" | "uid"> & TimeLimit,
): Promise<readonly Finding[]> {
  const { path, problem, hint } = usualAwsConfigFile(world);
  if (problem !== undefined)
    return [finding("aws-config", "warning", `AWS_CONFIG_FILE cannot be used: ${problem}`, { hint })];
  const read = await readFileSafely({ path, maxBytes: MAX_BYTES, trust: "commands", uid: world.uid }, world);
  if (read.kind === "absent") return [finding("aws-config", "ok", `there is no ${path}`)];
  if (read.kind !== "read") {
    const refusal = refusalOf(read, path);
    const message = `it is not known what ${path} does to the keys: ${refusal.why}`;
    return [finding("aws-config", "warning", message, { hint: refusal.hint })];
  }
  const { bytes } = read;
  const document = parseDocument({ file: { path }, bytes });
  const [warning] = document.warnings;
  const found = profiles.flatMap((profile) => shadowsOf(document, profile));
  if (warning)
    found.push(
      finding("aws-config", "warning", `${path}:${warning.line}: ${warning.message}`, {
        hint: `botocore then gives up before it looks at any keys: edit ${path}`,
      }),
    );
  return found.length > 0
    ? found
    : [finding("aws-config", "ok", `no profile in ${path} stands in the way of the keys`)];
}

function shadowsOf(document: CredentialsDocument, profile: string): readonly Finding[] {
  for (const name of document.names) {
    if (profileOf(name) !== profile) continue;
    const section = document.profile(name);
    for (const { isMeant, readers } of SHADOWS) {
      const entry = section?.entries.find(({ key, nestedUnder }) => nestedUnder === undefined && isMeant(key));
      if (!entry) continue;
      return [
        finding(
          "aws-config",
          "warning",
          `${document.path}:${entry.line.number}: [${name}] has ${entry.key}, so ${readers} ignore the keys that are kept fresh`,
          { profile, hint: `take ${entry.key} out of it, or give one of the two another name` },
        ),
      ];
    }
  }
  return [];
}

/** The profile that a section of the config file is about: `[default]`, `[profile x]`, `[profile "x y"]`. */
function profileOf(section: string): string | undefined {
  if (section === "default") return section;
  const name = /^profile\s+(.*)$/.exec(section)?.[1]?.trim();
  return name?.replace(/^(["'])(.*)\1$/, "$2");
}

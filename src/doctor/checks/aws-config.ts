import { usualAwsConfigFile } from "../../base/expand-path.ts";
import { type CredentialsDocument, parseDocument } from "../../credentials-file/document.ts";
import { readFileSafely, refusalOf } from "../../safe-file/read-file.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** A key of `~/.aws/config` that overrides the keys which the credentials file holds for the same profile. */
interface Shadow {
  readonly matches: (key: string) => boolean;
  /** Who then ignores the keys of the credentials file. */
  readonly readers: string;
}

/**
 * From the sources: botocore credentials.py (`create_credential_resolver` tries assume-role, web identity and SSO before
 * the credentials file, a credential_process after it; boto/botocore#1126), aws-sdk-java-v2 ProfileCredentialsUtils.java
 * (all four before the keys), JS v3 credential-provider-ini resolveProfileData (role_arn before the keys, the rest after).
 */
const SHADOWS: readonly Shadow[] = [
  { matches: (key) => key === "web_identity_token_file", readers: "the AWS CLI, boto3 and the SDK for Java" },
  { matches: (key) => key === "role_arn", readers: "the AWS CLI and the SDKs" },
  { matches: (key) => key.startsWith("sso_"), readers: "the AWS CLI, boto3 and the SDK for Java" },
  { matches: (key) => key === "credential_process", readers: "the SDK for Java and some others" },
];

const MAX_BYTES = 32 * 1024 * 1024;

/** Profiles of the AWS config file that override those in the credentials file. */
export async function awsConfigFindings({ setup, context: { world } }: Evidence): Promise<readonly Finding[]> {
  const { path, problem, hint } = usualAwsConfigFile(world);
  if (problem !== undefined) return [finding("warning", `AWS_CONFIG_FILE cannot be used: ${problem}`, { hint })];
  const read = await readFileSafely({ path, maxBytes: MAX_BYTES, trust: "commands", uid: world.uid }, world);
  if (read.kind === "absent") return [finding("ok", `${path} does not exist`)];
  if (read.kind !== "read") {
    const refusal = refusalOf(read, path);
    return [finding("warning", `${path} cannot be checked: ${refusal.why}`, { hint: refusal.hint })];
  }
  const document = parseDocument({ file: { path }, bytes: read.bytes });
  const [warning] = document.warnings;
  const found = setup.targets.flatMap(({ profile }) => shadowsOf(document, profile));
  if (warning)
    found.push(
      finding("warning", `${path}:${warning.line}: ${warning.message}`, {
        hint: `edit ${path}: botocore cannot read it and then uses no keys at all`,
      }),
    );
  return found.length > 0 ? found : [finding("ok", `no profile in ${path} overrides the credentials file`)];
}

function shadowsOf(document: CredentialsDocument, profile: string): readonly Finding[] {
  for (const name of document.names) {
    if (profileOf(name) !== profile) continue;
    const section = document.profile(name);
    for (const { matches, readers } of SHADOWS) {
      const entry = section?.entries.find(({ key, nestedUnder }) => nestedUnder === undefined && matches(key));
      if (!entry) continue;
      const where = `${document.path}:${entry.line.number}`;
      return [
        finding("warning", `${where}: [${name}] has ${entry.key}, so ${readers} ignore the refreshed keys`, {
          profile,
          hint: `remove ${entry.key}, or rename one of the two profiles`,
        }),
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

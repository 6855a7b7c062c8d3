import { Failure } from "../base/failure.ts";
import { parseIniFile } from "../config/ini-file.ts";
import type { ConfigKey } from "../config/keys.ts";

/** What goes into the config: one profile. */
export interface Answers {
  readonly profile: string;
  readonly values: ReadonlyMap<ConfigKey, string>;
}

/**
 * Keys in the order in which a person reads them, with the comment above each. A key with an example is shown as a comment
 * when it is not set.
 */
const COMMENTS: readonly (readonly [key: ConfigKey, comment: string, example?: string])[] = [
  ["role_arn", "The role to assume. 'rolefresh trust-policy' prints the trust policy it needs."],
  ["identity", "Where the identity token comes from."],
  ["audience", "The audience of the token. AWS sees it as :oaud for Google, as :aud for others."],
  ["service_account", "The Google service account."],
  ["web_identity_token_file", "The file that holds the token; it is read anew each time."],
  ["identity_env", "The environment variable that holds the token."],
  ["identity_command", "The shell command that prints the token."],
  ["identity_url", "The URL that returns the token."],
  ["identity_header", "HTTP headers to send, one a line; {env:NAME} is filled in."],
  ["identity_json_path", "Path of the token in the JSON response."],
  ["client_id", "The client ID of the managed identity."],
  ["source_profile", "The profile whose credentials assume the role: one of this file or of the credentials file."],
  ["external_id", "The external ID that the role's trust policy asks for."],
  ["region", "Region of the STS endpoint (default: one of the role's partition).", "eu-central-1"],
  ["duration_seconds", "Lifetime to request, 900 to 43200; the role must allow more than 3600.", "3600"],
  ["refresh_before", "Refresh when less than this is left (default: half of the lifetime).", "25m"],
  ["on_refresh", "Shell command to run after the profile was written.", "systemctl reload legacy-tool"],
];

/**
 * The commented config. Its keys read back exactly as they were given.
 *
 * @param remarks sentences about this machine, written as comments at the top
 * @throws Failure USAGE for a value that the format cannot hold
 */
export function renderConfig({ profile, values }: Answers, remarks: readonly string[]): string {
  const ordered = new Map(
    COMMENTS.flatMap(([key]) => (values.has(key) ? [[key, values.get(key) ?? ""] as const] : [])),
  );
  for (const [key, value] of values) ordered.set(key, value);
  const lines = [
    "# Config of rolefresh, written by 'rolefresh init'. Each section configures the profile of",
    "# the same name in the credentials file; a section [*] sets defaults for all profiles.",
    "# After a change, 'rolefresh --dry-run' shows what would be done, 'rolefresh' does it.",
    ...remarks.map((remark) => `# ${remark}`),
    "",
    `[${profile}]`,
  ];
  for (const [key, value] of ordered) {
    const comment = COMMENTS.find(([name]) => name === key)?.[1];
    if (comment !== undefined) lines.push(`# ${comment}`);
    lines.push(`${key} = ${encode(key, value)}`);
  }
  for (const [key, comment, example] of COMMENTS) {
    if (example !== undefined && !values.has(key)) lines.push("", `# ${comment}`, `# ${key} = ${example}`);
  }
  const text = `${lines.join("\n")}\n`;
  verify(text, profile, ordered);
  return text;
}

/** In double quotes, as JSON, where `ini` would read something else: that is how it unquotes. */
function encode(key: ConfigKey, value: string): string {
  return readBack(`${key} = ${value}`) === value ? value : JSON.stringify(value);
}

function readBack(line: string): string | undefined {
  const { sections, problems } = parseIniFile(`[x]\n${line}\n`);
  const entries = sections[0]?.entries ?? [];
  return problems.length === 0 && sections.length === 1 && entries.length === 1 ? entries[0]?.value : undefined;
}

function verify(text: string, profile: string, values: ReadonlyMap<ConfigKey, string>): void {
  const { sections, problems } = parseIniFile(text);
  const [section] = sections;
  const read = new Map(section?.entries.map(({ key, value }) => [key, value]));
  if (problems.length > 0 || sections.length !== 1 || section?.name !== profile || read.size !== values.size) {
    throw new Failure("USAGE", `a config cannot hold the profile name '${profile}'`);
  }
  for (const [key, value] of values) {
    if (read.get(key) !== value) throw new Failure("USAGE", `a config cannot hold this value of ${key}`);
  }
}

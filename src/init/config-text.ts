import { Failure } from "../base/failure.ts";
import { parseIniFile } from "../config/ini-file.ts";
import type { ConfigKey } from "../config/keys.ts";

/** What goes into the config: one profile. */
export interface Answers {
  readonly profile: string;
  readonly values: ReadonlyMap<ConfigKey, string>;
}

/** Keys in the order in which a person reads them, each with the comment that stands above it. */
const COMMENTS: readonly (readonly [ConfigKey, string])[] = [
  ["role_arn", "The role to assume. 'rolefresh trust-policy' prints what it must trust."],
  ["identity", "Where the identity token comes from."],
  ["audience", "The audience of the token. AWS sees it as :oaud for Google, as :aud for others."],
  ["service_account", "The Google service account."],
  ["web_identity_token_file", "The file that holds the token; it is read anew each time."],
  ["identity_env", "The environment variable that holds the token."],
  ["identity_command", "The shell command that prints the token."],
  ["identity_url", "The URL that answers with the token."],
  ["identity_header", "Headers of that question, one a line; {env:NAME} is filled in."],
  ["identity_json_path", "Where the token stands in a JSON answer."],
  ["client_id", "The client ID of the managed identity."],
  ["source_profile", "The profile whose keys assume the role: one of this file or of the credentials file."],
  ["external_id", "The external ID that the role's trust policy asks for."],
  ["region", "The region whose STS is called."],
  ["duration_seconds", "How long the credentials live; more than 3600 must be allowed on the role."],
  ["refresh_before", "Refresh when less than this is left."],
  ["on_refresh", "Runs after the profile was written."],
];

/** Shown as comments when they are not set, for the person who opens the file later. */
const EXAMPLES: readonly (readonly [ConfigKey, string, string])[] = [
  ["region", "eu-central-1", "Region of the STS endpoint; without it one of the role's partition."],
  ["duration_seconds", "3600", "Lifetime to ask for, 900 to 43200; the role must allow more than 3600."],
  ["refresh_before", "25m", "Refresh when less than this is left; without it half of the lifetime."],
  ["on_refresh", "systemctl reload legacy-tool", "Shell command to run after the profile was written."],
];

/**
 * The commented config. Its own keys read back exactly as they were given, whatever characters they hold.
 *
 * @param remarks sentences about this machine, put on top as comments
 * @throws Failure USAGE for a value that the format cannot hold
 */
export function renderConfig({ profile, values }: Answers, remarks: readonly string[]): string {
  const ordered = new Map(
    COMMENTS.flatMap(([key]) => (values.has(key) ? [[key, values.get(key) ?? ""] as const] : [])),
  );
  for (const [key, value] of values) ordered.set(key, value);
  const lines = [
    "# The configuration of rolefresh, written by 'rolefresh init'. Each section is a profile of",
    "# the credentials file, by the same name; [*] would hold defaults for all of them.",
    "# After a change: 'rolefresh --dry-run' shows what would be done, 'rolefresh' does it.",
    ...remarks.map((remark) => `# ${remark}`),
    "",
    `[${profile}]`,
  ];
  for (const [key, value] of ordered) {
    const comment = COMMENTS.find(([name]) => name === key)?.[1];
    if (comment !== undefined) lines.push(`# ${comment}`);
    lines.push(`${key} = ${encode(key, value)}`);
  }
  const unset = EXAMPLES.filter(([key]) => !values.has(key));
  for (const [key, example, comment] of unset) lines.push("", `# ${comment}`, `# ${key} = ${example}`);
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

/** The one table of keys, for the validator, the flags of the config-free form and the docs. */

/** A key as people see it. */
export interface KeyInfo {
  readonly name: string;
  /** What the value is, for `--help` and messages. */
  readonly value: string;
  readonly help: string;
}

/** Every key, in the order of `--help` and of the README, by AWS's own name where there is one. */
export const CONFIG_KEYS = [
  { name: "role_arn", value: "ARN", help: "the IAM role to assume" },
  {
    name: "role_session_name",
    value: "NAME",
    help: "role session name; {profile} {hostname} {project} {instance} are filled in",
  },
  { name: "duration_seconds", value: "SECONDS", help: "lifetime to request, 900 to 43200 (3600 when chained)" },
  { name: "external_id", value: "ID", help: "external ID that the role's trust policy requires (AssumeRole)" },
  { name: "policy_arns", value: "ARN,...", help: "managed session policies, at most 10" },
  { name: "policy_file", value: "FILE", help: "JSON file with an inline session policy" },
  { name: "tags", value: "KEY=VALUE,...", help: "session tags (AssumeRole)" },
  {
    name: "transitive_tag_keys",
    value: "KEY,...",
    help: "session tags that later roles of the chain inherit (AssumeRole)",
  },
  { name: "source_identity", value: "NAME", help: "source identity of the session (AssumeRole)" },
  { name: "mfa_serial", value: "SERIAL", help: "ARN or number of the MFA device (AssumeRole, identity = session)" },
  { name: "mfa_command", value: "COMMAND", help: "shell command that prints the MFA device's next code" },
  {
    name: "identity",
    value: "SOURCE",
    help: "where the identity comes from: gcp-metadata, gcp-adc, gcloud, file, env, command, url, github-actions, gitlab, azure, kubernetes, saml, session or aws-profile",
  },
  { name: "audience", value: "AUDIENCE", help: "audience of the identity token (Google: gcp)" },
  { name: "service_account", value: "ACCOUNT", help: "Google service account: default or an e-mail address" },
  {
    name: "web_identity_token_file",
    value: "FILE",
    help: "file that holds the identity token (identity = file or kubernetes)",
  },
  {
    name: "identity_env",
    value: "NAME",
    help: "environment variable that holds the identity token (identity = env or gitlab)",
  },
  {
    name: "identity_command",
    value: "COMMAND",
    help: "shell command that prints the identity token (identity = command)",
  },
  { name: "identity_url", value: "URL", help: "URL that returns the identity token to a GET request (identity = url)" },
  {
    name: "identity_header",
    value: "NAME: VALUE",
    help: "HTTP header to send; repeatable; {env:NAME} is filled in (identity = url)",
  },
  {
    name: "identity_json_path",
    value: "PATH",
    help: "path of the token in the JSON response, for example data.token (identity = url)",
  },
  { name: "client_id", value: "UUID", help: "client ID of a user-assigned managed identity (identity = azure)" },
  { name: "saml_assertion_file", value: "FILE", help: "file that holds the SAML response (identity = saml)" },
  { name: "saml_command", value: "COMMAND", help: "shell command that prints the SAML response (identity = saml)" },
  {
    name: "principal_arn",
    value: "ARN",
    help: "ARN of the SAML provider (identity = saml; default: the one in the assertion)",
  },
  {
    name: "source_profile",
    value: "PROFILE",
    help: "profile whose credentials call AssumeRole: a configured one or one of the credentials file; with identity = session the section of the long-lived keys, with identity = aws-profile a profile of ~/.aws/config",
  },
  {
    name: "credential_source",
    value: "SOURCE",
    help: "where this machine's own AWS credentials come from: Environment, Ec2InstanceMetadata or EcsContainer",
  },
  { name: "region", value: "REGION", help: "region of the STS endpoint" },
  { name: "endpoint_url", value: "URL", help: "STS endpoint; plain http only to loopback" },
  { name: "use_fips_endpoint", value: "true|false", help: "call the region's FIPS endpoint" },
  { name: "ca_bundle", value: "FILE", help: "PEM file of the certificate authorities to trust instead of Node's own" },
  {
    name: "refresh_before",
    value: "DURATION",
    help: "refresh when less than this is left, for example 25m (default: half of the lifetime)",
  },
  {
    name: "recheck",
    value: "DURATION",
    help: "how often `watch` asks a source whose credentials have no expiry (default: 5m)",
  },
  {
    name: "on_refresh",
    value: "COMMAND",
    help: "shell command to run each time the profile's credentials have changed",
  },
  {
    name: "lenient",
    value: "true|false",
    help: "if the old credentials are still valid, report a failed refresh as a warning and exit 0",
  },
  { name: "credentials_file", value: "FILE", help: "the credentials file to write" },
  {
    name: "overwrite",
    value: "true|false",
    help: "take over a section that rolefresh did not write; the file is backed up first",
  },
  {
    name: "write_mode",
    value: "atomic|in-place",
    help: "in-place: for a single file mounted into a container, where rename fails with EBUSY",
  },
] as const satisfies readonly KeyInfo[];

/** The name of a key that a section may have. */
export type ConfigKey = (typeof CONFIG_KEYS)[number]["name"];

/** Keys that may be repeated in a section, also as `key[]`; each adds a line to the value. */
export const REPEATABLE_KEYS: ReadonlySet<string> = new Set<ConfigKey>(["identity_header"]);

const NAMES: ReadonlySet<string> = new Set(CONFIG_KEYS.map((key) => key.name));

/** Whether a section may have a key of exactly this name. */
export function isConfigKey(name: string): name is ConfigKey {
  return NAMES.has(name);
}

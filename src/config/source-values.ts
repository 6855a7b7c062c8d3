import { isLocalHost } from "../base/host.ts";
import { configuredNameProblem } from "../base/profile-name.ts";
import type { AssumeRoleOptions, Mfa } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { type SectionReader, show } from "./section.ts";

/** An environment variable's name. */
const VARIABLE = /^[A-Za-z_]\w*$/;
/** A Google service account by unique ID or e-mail address, or the machine's default one. */
const SERVICE_ACCOUNT = /^(default|\d{6,30}|[\w.+-]+@[\w.-]+)$/;
/** STS: AssumeRole, parameters Tags, ExternalId, SourceIdentity, SerialNumber (API reference, 2011-06-15). */
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;
const SOURCE_IDENTITY = /^[\w+=,.@-]{2,64}$/;
const SERIAL = /^[\w+=/:,.@-]{9,256}$/;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
/** IAM User Guide, "IAM ARNs": `arn:PARTITION:iam::ACCOUNT:saml-provider/NAME`. */
const SAML_PROVIDER = /^arn:aws(-[a-z]+)*:iam::\d{12}:saml-provider\/[\w.-]{1,128}$/;
const JSON_PATH = /^(\$\.)?[\w-]+(\.[\w-]+|\[\d+\])*$/;
/** AWS SDKs and tools reference guide, "Assume role credential provider": `credential_source`. */
const CREDENTIAL_SOURCES = ["Environment", "Ec2InstanceMetadata", "EcsContainer"] as const;

/** Reads each key that says more about a source. A bad value becomes an issue and reads as absent. */
export const SOURCE_VALUES = {
  audience: (section) => section.text("audience"),
  service_account: (section) =>
    section.matching("service_account", SERVICE_ACCOUNT, "write default or the account's e-mail address"),
  web_identity_token_file: (section) => section.path("web_identity_token_file"),
  identity_env: (section) => section.matching("identity_env", VARIABLE, "write the name of an environment variable"),
  identity_command: (section) => section.command("identity_command"),
  identity_url: readUrl,
  identity_header: readHeaders,
  identity_json_path: (section) =>
    section.matching("identity_json_path", JSON_PATH, "write for example value, data.token or tokens[0].jwt"),
  client_id: (section) => section.matching("client_id", /^[0-9A-Fa-f-]{36}$/, "write the identity's client ID, a UUID"),
  saml_assertion_file: (section) => section.path("saml_assertion_file"),
  saml_command: (section) => section.command("saml_command"),
  principal_arn: (section) =>
    section.matching("principal_arn", SAML_PROVIDER, "write arn:aws:iam::ACCOUNT:saml-provider/NAME"),
  source_profile: readSourceProfile,
  credential_source: (section) => section.oneOf("credential_source", CREDENTIAL_SOURCES),
  external_id: (section) => section.matching("external_id", EXTERNAL_ID, "use 2 to 1224 letters, digits and +=,.@:/-"),
  tags: readTags,
  transitive_tag_keys: (section) => section.list("transitive_tag_keys"),
  source_identity: (section) =>
    section.matching("source_identity", SOURCE_IDENTITY, "use 2 to 64 letters, digits and _+=,.@-"),
  mfa_serial: (section) =>
    section.matching("mfa_serial", SERIAL, "write arn:aws:iam::ACCOUNT:mfa/NAME or the device's number"),
  mfa_command: (section) => section.command("mfa_command"),
} as const satisfies Partial<Record<ConfigKey, (section: SectionReader) => unknown>>;

function readUrl(section: SectionReader): string | undefined {
  const text = section.text("identity_url");
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:") || url.username !== "" || url.password !== "") {
    section.issue(
      "identity_url",
      "identity_url is not an http(s) URL without a user",
      "put secrets into identity_header",
    );
    return undefined;
  }
  if (url.protocol === "http:" && !isLocalHost(url.hostname)) {
    section.issue("identity_url", `identity_url is plain http to another host, ${url.host}`, "use https");
    return undefined;
  }
  return text;
}

/** `{env:NAME}` in a template stands for the variable's value. */
interface Header {
  readonly name: string;
  readonly template: string;
}

function readHeaders(section: SectionReader): readonly Header[] {
  const headers = section.lines("identity_header").flatMap((line) => readHeader(section, line) ?? []);
  // A config that others may write could send our variables to them.
  if (headers.some(({ template }) => template.includes("{env:"))) section.refuseUntrusted("identity_header");
  return headers;
}

/** `Name: value` (RFC 9110 5.1 and 5.5). The value is not shown: it may be a secret. */
function readHeader(section: SectionReader, line: string): Header | undefined {
  const parts = /^([\w!#$%&'*+.^`|~-]+)\s*:\s*(\S[\u0020-\u007e\u0080-\u00ff]*)$/.exec(line.trim());
  const [, name, template] = parts ?? [];
  if (name === undefined || template === undefined) {
    section.issue("identity_header", "identity_header is not 'Name: value'", "write for example X-Token: {env:TOKEN}");
    return undefined;
  }
  for (const [, variable = ""] of template.matchAll(/\{env:([^}]*)\}/g)) {
    if (!VARIABLE.test(variable))
      section.issue("identity_header", `{env:${show(variable).slice(1, -1)}} does not name an environment variable`);
  }
  return { name, template };
}

function readSourceProfile(section: SectionReader): string | undefined {
  const name = section.text("source_profile");
  const problem = name === undefined ? undefined : configuredNameProblem(name);
  if (problem !== undefined) section.issue("source_profile", `source_profile: ${problem}`);
  return problem === undefined ? name : undefined;
}

function readTags(section: SectionReader): readonly { readonly key: string; readonly value: string }[] {
  const tags = section.list("tags").map((item) => {
    const [key = "", ...rest] = item.split("=");
    return { key: key.trim(), value: rest.join("=").trim(), written: item };
  });
  for (const { key, value, written } of tags) {
    if (!written.includes("=") || !TAG_KEY.test(key) || !TAG_VALUE.test(value))
      section.issue("tags", `'${written}' is not a session tag`, "write for example team=data, env=prod");
  }
  if (new Set(tags.map(({ key }) => key.toLowerCase())).size < tags.length)
    section.issue("tags", "a tag key is repeated", "use keys that differ by more than case");
  if (tags.length > 50) section.issue("tags", "there are more than 50 tags");
  return tags.map(({ key, value }) => ({ key, value }));
}

/** The keys of the second factor: both or neither. */
export const MFA = ["mfa_serial", "mfa_command"] as const;

/** The two keys of MFA. The code comes from a command: there is no terminal under cron. */
export function readMfa(section: SectionReader): Mfa | undefined {
  const serial = SOURCE_VALUES.mfa_serial(section);
  const command = SOURCE_VALUES.mfa_command(section);
  if (section.has("mfa_serial") !== section.has("mfa_command")) {
    const [given, missing] = section.has("mfa_serial") ? MFA : ([MFA[1], MFA[0]] as const);
    section.issue(
      given,
      `${given} needs ${missing} too`,
      "add for example mfa_command = oathtool --totp -b @/path/seed",
    );
  }
  return serial === undefined || command === undefined ? undefined : { serial, command };
}

/** The parameters of AssumeRole besides the role. */
export function readAssumeRole(section: SectionReader): AssumeRoleOptions {
  return {
    externalId: SOURCE_VALUES.external_id(section),
    sourceIdentity: SOURCE_VALUES.source_identity(section),
    tags: SOURCE_VALUES.tags(section),
    transitiveTagKeys: SOURCE_VALUES.transitive_tag_keys(section),
    mfa: readMfa(section),
  };
}

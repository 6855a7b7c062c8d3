import type { IdentitySource, RoleSource } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import type { SectionReader } from "./section.ts";
import { MFA, readAssumeRole, readMfa, SOURCE_VALUES as value } from "./source-values.ts";

/** The values of `identity`. */
export const IDENTITIES = [
  "gcp-metadata",
  "gcp-adc",
  "gcloud",
  "file",
  "env",
  "command",
  "url",
  "github-actions",
  "gitlab",
  "azure",
  "kubernetes",
  "saml",
  "session",
  "aws-profile",
] as const;
type IdentityName = (typeof IDENTITIES)[number];
/** A value of `identity`, or what its absence means. */
type SourceName = IdentityName | "source-profile" | "credential-source";

/** A way to get a profile's credentials. */
interface Source {
  /** The keys that belong to it: others in a profile's own section are issues. */
  readonly keys: readonly ConfigKey[];
  /** Undefined when there is an issue. */
  readonly read: (section: SectionReader) => RoleSource | undefined;
}

/** What aws-actions/configure-aws-credentials, Buildkite and EKS request, and what AWS's own guides register. */
const AWS_AUDIENCE = "sts.amazonaws.com";
/** The variable in GitLab's guide for AWS (https://docs.gitlab.com/ci/cloud_services/aws/). */
const GITLAB_VARIABLE = "AWS_ID_TOKEN";

const ASSUME_ROLE = ["external_id", "tags", "transitive_tag_keys", "source_identity", ...MFA] as const;

const SOURCES: Readonly<Record<SourceName, Source>> = {
  "gcp-metadata": fromToken(["service_account"], (section, audience) => ({
    kind: "gcp-metadata",
    audience: audience ?? "gcp",
    serviceAccount: value.service_account(section) ?? "default",
  })),
  "gcp-adc": fromToken(["service_account"], (section, audience) => {
    const account = section.matching("service_account", /^(?!default$)/, "write the account's e-mail address");
    return { kind: "gcp-adc", audience, serviceAccount: account && value.service_account(section) };
  }),
  gcloud: fromToken(["service_account"], (section, audience) => ({
    kind: "gcloud",
    audience,
    serviceAccount: value.service_account(section),
  })),
  file: fromToken(["web_identity_token_file"], (section, audience) => {
    const path = section.required("web_identity_token_file", value.web_identity_token_file(section));
    return path === undefined ? undefined : { kind: "file", path, audience };
  }),
  env: fromToken(["identity_env"], (section, audience) => {
    const variable = section.required("identity_env", value.identity_env(section));
    return variable === undefined ? undefined : { kind: "env", variable, audience };
  }),
  command: fromToken(["identity_command"], (section, audience) => {
    const command = section.required("identity_command", value.identity_command(section));
    return command === undefined ? undefined : { kind: "command", command, audience };
  }),
  url: fromToken(["identity_url", "identity_header", "identity_json_path"], (section, audience) => {
    const url = section.required("identity_url", value.identity_url(section));
    const headers = value.identity_header(section);
    const jsonPath = value.identity_json_path(section);
    return url === undefined ? undefined : { kind: "url", url, headers, jsonPath, audience };
  }),
  "github-actions": fromToken([], (_, audience) => ({ kind: "github-actions", audience: audience ?? AWS_AUDIENCE })),
  gitlab: fromToken(["identity_env"], (section, audience) => ({
    kind: "gitlab",
    variable: value.identity_env(section) ?? GITLAB_VARIABLE,
    audience,
  })),
  azure: fromToken(["client_id"], (section, audience) => ({
    kind: "azure",
    audience,
    clientId: value.client_id(section),
  })),
  kubernetes: fromToken(["web_identity_token_file"], (section, audience) => ({
    kind: "kubernetes",
    path: value.web_identity_token_file(section),
    audience,
  })),
  saml: { keys: ["saml_assertion_file", "saml_command", "principal_arn"], read: readSaml },
  session: {
    keys: ["source_profile", ...MFA],
    read: (section) => {
      const sourceProfile = section.required("source_profile", value.source_profile(section));
      const mfa = readMfa(section);
      return sourceProfile === undefined ? undefined : { kind: "session", sourceProfile, mfa };
    },
  },
  "aws-profile": {
    keys: ["source_profile", ...ASSUME_ROLE],
    read: (section) => {
      const awsProfile = section.required("source_profile", value.source_profile(section));
      const options = readAssumeRole(section);
      return awsProfile === undefined ? undefined : { kind: "aws-profile", awsProfile, ...options };
    },
  },
  "credential-source": {
    keys: ["credential_source", ...ASSUME_ROLE],
    read: (section) => {
      const credentialSource = value.credential_source(section);
      const options = readAssumeRole(section);
      return credentialSource === undefined ? undefined : { kind: "credential-source", credentialSource, ...options };
    },
  },
  "source-profile": {
    keys: ["source_profile", ...ASSUME_ROLE],
    read: (section) => {
      const sourceProfile = value.source_profile(section);
      const options = readAssumeRole(section);
      return sourceProfile === undefined ? undefined : { kind: "source-profile", sourceProfile, ...options };
    },
  },
};

function fromToken(
  keys: readonly ConfigKey[],
  read: (section: SectionReader, audience: string | undefined) => IdentitySource | undefined,
): Source {
  return {
    keys: ["audience", ...keys],
    read: (section) => {
      const identity = read(section, value.audience(section));
      return identity === undefined ? undefined : { kind: "web-identity", identity };
    },
  };
}

function readSaml(section: SectionReader): RoleSource | undefined {
  const principalArn = value.principal_arn(section);
  const path = value.saml_assertion_file(section);
  const command = value.saml_command(section);
  const [hasFile, hasCommand] = [section.has("saml_assertion_file"), section.has("saml_command")];
  if (hasFile && hasCommand) {
    section.issue("saml_command", "saml_assertion_file and saml_command exclude each other", "keep one of them");
    return undefined;
  }
  if (!hasFile && !hasCommand)
    section.issue(
      "identity",
      "saml_assertion_file or saml_command is missing",
      "add one of them: this identity needs it",
    );
  if (path !== undefined) return { kind: "saml", assertion: { kind: "file", path }, principalArn };
  return command === undefined ? undefined : { kind: "saml", assertion: { kind: "command", command }, principalArn };
}

/** Reads how a profile gets its credentials; without an `identity` that is known, still every value that is given. */
export function readRoleSource(section: SectionReader, fallback: IdentityName | undefined): RoleSource | undefined {
  const name = chooseSource(section, fallback);
  if (name === undefined) {
    for (const read of Object.values(value)) read(section);
    return undefined;
  }
  const { keys, read } = SOURCES[name];
  for (const key of new Set(Object.values(SOURCES).flatMap((source) => source.keys))) {
    if (section.owns(key) && !keys.includes(key))
      section.issue(key, `${key} has no effect ${besides(name)}`, `remove it: it belongs to ${ownersOf(key)}`);
  }
  return read(section);
}

/**
 * DESIGN: absent `identity` means `file` when there is a token file and plain AssumeRole when there is a
 * `source_profile` or a `credential_source`. A profile's own choice beats one from `[*]`.
 */
function chooseSource(section: SectionReader, fallback: IdentityName | undefined): SourceName | undefined {
  const identity = section.owns("identity") ? section.oneOf("identity", IDENTITIES) : undefined;
  const choices = ["identity", "source_profile", "credential_source"] as const;
  const [first, second] = choices.filter((key) => section.owns(key));
  const takesProfile = identity === "session" || identity === "aws-profile";
  if (second !== undefined && !(second === "source_profile" && takesProfile)) {
    section.issue(
      second,
      `${first} and ${second} exclude each other`,
      "keep identity for a token, source_profile for another profile's credentials, credential_source for this machine's",
    );
    return undefined;
  }
  if (section.owns("identity")) return identity;
  if (section.owns("source_profile")) return "source-profile";
  if (section.owns("credential_source")) return "credential-source";
  if (section.owns("web_identity_token_file")) return "file";
  if (section.has("identity")) return section.oneOf("identity", IDENTITIES);
  if (section.has("web_identity_token_file")) return "file";
  if (section.has("source_profile")) return "source-profile";
  if (section.has("credential_source")) return "credential-source";
  if (fallback !== undefined) return fallback;
  section.issue(
    undefined,
    "no identity source is configured",
    "add 'identity = gcp-metadata' on a Google Cloud machine, or web_identity_token_file, or source_profile",
  );
  return undefined;
}

function besides(name: SourceName): string {
  if (name === "source-profile") return "next to source_profile";
  return name === "credential-source" ? "next to credential_source" : `with identity = ${name}`;
}

function ownersOf(key: ConfigKey): string {
  const owners = IDENTITIES.filter((name) => SOURCES[name].keys.includes(key)).map((name) => `identity = ${name}`);
  const plain = SOURCES["source-profile"].keys.includes(key) ? ["source_profile (AssumeRole)"] : [];
  const machine = key === "credential_source" ? ["AssumeRole without an identity"] : [];
  return [...plain, ...machine, ...owners].join(" or ");
}

import type { IdentitySource, RoleSource } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import type { SectionReader } from "./section.ts";

/** The values of `identity` that this version serves. */
export const IDENTITIES = ["gcp-metadata", "gcloud", "file", "env", "command"] as const;
type IdentityName = (typeof IDENTITIES)[number];

/** Which keys belong to which way of getting a role: a key of another way in a profile's own section is a mistake. */
const KEYS_OF: Readonly<Record<IdentityName | "source-profile", readonly ConfigKey[]>> = {
  "gcp-metadata": ["audience", "service_account"],
  gcloud: ["audience", "service_account"],
  file: ["audience", "web_identity_token_file"],
  env: ["audience", "identity_env"],
  command: ["audience", "identity_command"],
  "source-profile": ["source_profile", "external_id", "tags", "transitive_tag_keys", "source_identity"],
};

/** STS: AssumeRole, parameters Tags, ExternalId, SourceIdentity (API reference, 2011-06-15). */
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;
const SOURCE_IDENTITY = /^[\w+=,.@-]{2,64}$/;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

/** Reads how the role is assumed: with an identity token, or with the keys of another profile. */
export function readRoleSource(
  section: SectionReader,
  untrusted: string | undefined,
  fallback: IdentityName | undefined,
): RoleSource | undefined {
  const name = chooseSource(section, fallback);
  if (name === undefined) return undefined;
  const applicable = new Set<ConfigKey>(KEYS_OF[name]);
  for (const key of new Set(Object.values(KEYS_OF).flat())) {
    if (section.owns(key) && !applicable.has(key))
      section.mistake(key, `${key} means nothing ${whereItMeansNothing(name)}`, `it belongs to ${ownersOf(key)}`);
  }
  if (name === "source-profile") return readSourceProfile(section);
  const identity = readIdentity(name, section, untrusted);
  return identity === undefined ? undefined : { kind: "web-identity", identity };
}

/**
 * DESIGN: absent `identity` means `file` when there is a token file and plain AssumeRole when there is a
 * `source_profile`. A profile's own choice beats one that comes from `[*]`.
 */
function chooseSource(
  section: SectionReader,
  fallback: IdentityName | undefined,
): IdentityName | "source-profile" | undefined {
  if (section.owns("identity") && section.owns("source_profile")) {
    section.mistake(
      "source_profile",
      "identity and source_profile exclude each other",
      "keep identity for a token, source_profile for the keys of another profile",
    );
    return undefined;
  }
  if (section.owns("identity")) return section.oneOf("identity", IDENTITIES);
  if (section.owns("source_profile")) return "source-profile";
  if (section.owns("web_identity_token_file")) return "file";
  if (section.has("identity")) return section.oneOf("identity", IDENTITIES);
  if (section.has("web_identity_token_file")) return "file";
  if (section.has("source_profile")) return "source-profile";
  if (fallback !== undefined) return fallback;
  section.mistake(
    undefined,
    "nothing says where the identity comes from",
    "add 'identity = gcp-metadata' on a Google Cloud machine, or web_identity_token_file, or source_profile",
  );
  return undefined;
}

function readIdentity(
  name: IdentityName,
  section: SectionReader,
  untrusted: string | undefined,
): IdentitySource | undefined {
  const audience = section.text("audience");
  switch (name) {
    case "gcp-metadata": {
      const serviceAccount = section.matching(
        "service_account",
        SERVICE_ACCOUNT,
        "write default or the account's e-mail address",
      );
      return { kind: name, audience: audience ?? "gcp", serviceAccount: serviceAccount ?? "default" };
    }
    case "gcloud":
      return {
        kind: name,
        audience,
        serviceAccount: section.matching("service_account", SERVICE_ACCOUNT, "write the account's e-mail address"),
      };
    case "file": {
      const path = required(section, "web_identity_token_file", section.path("web_identity_token_file"));
      return path === undefined ? undefined : { kind: name, path, audience };
    }
    case "env": {
      const variable = required(
        section,
        "identity_env",
        section.matching("identity_env", /^[A-Za-z_]\w*$/, "write the name of an environment variable"),
      );
      return variable === undefined ? undefined : { kind: name, variable, audience };
    }
    case "command": {
      const command = required(section, "identity_command", section.text("identity_command"));
      if (command === undefined) return undefined;
      refuseUntrusted(section, "identity_command", untrusted);
      return { kind: name, command, audience };
    }
  }
}

const SERVICE_ACCOUNT = /^(default|\d{6,30}|[\w.+-]+@[\w.-]+)$/;

/** A command from a file that others may write would run their code as us. */
export function refuseUntrusted(section: SectionReader, key: ConfigKey, untrusted: string | undefined): void {
  if (untrusted !== undefined && section.has(key))
    section.mistake(key, `${key} is refused: ${untrusted}`, "chown it to yourself and chmod go-w it");
}

function readSourceProfile(section: SectionReader): RoleSource | undefined {
  const sourceProfile = section.text("source_profile");
  const externalId = section.matching("external_id", EXTERNAL_ID, "2 to 1224 of letters, digits and +=,.@:/-");
  const sourceIdentity = section.matching("source_identity", SOURCE_IDENTITY, "2 to 64 of letters, digits and _+=,.@-");
  const tags = readTags(section);
  const transitiveTagKeys = section.list("transitive_tag_keys");
  return sourceProfile === undefined
    ? undefined
    : { kind: "source-profile", sourceProfile, externalId, tags, transitiveTagKeys, sourceIdentity };
}

function readTags(section: SectionReader): readonly { readonly key: string; readonly value: string }[] {
  const tags = section.list("tags").map((item) => {
    const [key = "", ...rest] = item.split("=");
    return { key: key.trim(), value: rest.join("=").trim(), written: item };
  });
  for (const tag of tags) {
    if (!tag.written.includes("=") || !TAG_KEY.test(tag.key) || !TAG_VALUE.test(tag.value))
      section.mistake("tags", `'${tag.written}' is no session tag`, "write for example team=data, env=prod");
  }
  const keys = tags.map((tag) => tag.key.toLowerCase());
  if (new Set(keys).size < keys.length)
    section.mistake("tags", "a tag key stands twice", "tag keys do not differ by case alone");
  if (tags.length > 50) section.mistake("tags", "there are more than 50 tags");
  return tags.map(({ key, value }) => ({ key, value }));
}

function required<T>(section: SectionReader, key: ConfigKey, value: T | undefined): T | undefined {
  if (value === undefined && !section.has(key))
    section.mistake("identity", `${key} is missing`, `this identity needs it`);
  return value;
}

function whereItMeansNothing(name: IdentityName | "source-profile"): string {
  return name === "source-profile" ? "next to source_profile" : `with identity = ${name}`;
}

function ownersOf(key: ConfigKey): string {
  const owners = IDENTITIES.filter((name) => KEYS_OF[name].includes(key)).map((name) => `identity = ${name}`);
  return owners.length > 0 ? owners.join(" or ") : "source_profile (AssumeRole)";
}

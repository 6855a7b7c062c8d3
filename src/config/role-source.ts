import type { RoleSource } from "./config.ts";
import { KEYS_OF_TOKEN_IDENTITY, readIdentitySource, TOKEN_IDENTITIES } from "./identity-source.ts";
import type { ConfigKey } from "./keys.ts";
import type { SectionReader } from "./section.ts";

/** The values of `identity` that this version serves. */
export const IDENTITIES = [...TOKEN_IDENTITIES] as const;
type IdentityName = (typeof IDENTITIES)[number];

/** Which keys belong to which way of getting a role: a key of another way in a profile's own section is a mistake. */
const KEYS_OF: Readonly<Record<IdentityName | "source-profile", readonly ConfigKey[]>> = {
  ...KEYS_OF_TOKEN_IDENTITY,
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
  const identity = readIdentitySource(name, section, untrusted);
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

function whereItMeansNothing(name: IdentityName | "source-profile"): string {
  return name === "source-profile" ? "next to source_profile" : `with identity = ${name}`;
}

function ownersOf(key: ConfigKey): string {
  const owners = IDENTITIES.filter((name) => KEYS_OF[name].includes(key)).map((name) => `identity = ${name}`);
  return owners.length > 0 ? owners.join(" or ") : "source_profile (AssumeRole)";
}

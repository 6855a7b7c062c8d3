import type { RoleSource } from "./config.ts";
import { KEYS_OF_TOKEN_IDENTITY, readIdentitySource, TOKEN_IDENTITIES, type TokenIdentity } from "./identity-source.ts";
import type { ConfigKey } from "./keys.ts";
import type { SectionReader } from "./section.ts";
import { readSignedSource, SIGNED_IDENTITIES, SIGNED_KEYS, type SignedName } from "./key-source.ts";

/** The values of `identity` that this version serves. */
export const IDENTITIES = [...TOKEN_IDENTITIES, ...SIGNED_IDENTITIES] as const;
type IdentityName = (typeof IDENTITIES)[number];

/** Which keys belong to which way of getting a role: a key of another way in a profile's own section is a mistake. */
const KEYS_OF: Readonly<Record<TokenIdentity | SignedName, readonly ConfigKey[]>> = {
  ...KEYS_OF_TOKEN_IDENTITY,
  ...SIGNED_KEYS,
};

/** Reads how a profile gets its keys: with an identity token, an assertion, or keys that sign. */
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
  if (isSigned(name)) return readSignedSource(name, section, untrusted);
  const identity = readIdentitySource(name, section, untrusted);
  return identity === undefined ? undefined : { kind: "web-identity", identity };
}

/**
 * DESIGN: absent `identity` means `file` when there is a token file and plain AssumeRole when there is a
 * `source_profile` or a `credential_source`. A profile's own choice beats one that comes from `[*]`.
 */
function chooseSource(
  section: SectionReader,
  fallback: IdentityName | undefined,
): TokenIdentity | SignedName | undefined {
  const identity = section.owns("identity") ? section.oneOf("identity", IDENTITIES) : undefined;
  const choices = ["identity", "source_profile", "credential_source"] as const;
  const [first, second] = choices.filter((key) => section.owns(key));
  if (second !== undefined && !(second === "source_profile" && hasSourceProfile(identity))) {
    section.mistake(
      second,
      `${first} and ${second} exclude each other`,
      "keep identity for a token, source_profile for the keys of another profile, credential_source for this machine's",
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
  section.mistake(
    undefined,
    "nothing says where the identity comes from",
    "add 'identity = gcp-metadata' on a Google Cloud machine, or web_identity_token_file, or source_profile",
  );
  return undefined;
}

/** These two say with `source_profile` whose keys they start from. */
function hasSourceProfile(identity: IdentityName | undefined): boolean {
  return identity === "session" || identity === "aws-profile";
}

function isSigned(name: TokenIdentity | SignedName): name is SignedName {
  return Object.hasOwn(SIGNED_KEYS, name);
}

function whereItMeansNothing(name: TokenIdentity | SignedName): string {
  if (name === "source-profile") return "next to source_profile";
  return name === "credential-source" ? "next to credential_source" : `with identity = ${name}`;
}

function ownersOf(key: ConfigKey): string {
  const owners = IDENTITIES.filter((name) => KEYS_OF[name].includes(key)).map((name) => `identity = ${name}`);
  const plain = KEYS_OF["source-profile"].includes(key) ? ["source_profile (AssumeRole)"] : [];
  const machine = key === "credential_source" ? ["AssumeRole without an identity"] : [];
  return [...plain, ...machine, ...owners].join(" or ");
}

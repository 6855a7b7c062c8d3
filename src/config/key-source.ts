import { configuredNameProblem } from "../base/profile-name.ts";
import type { AssertionSource, AssumeRoleOptions, Mfa, RoleSource } from "./config.ts";
import type { ConfigKey } from "./keys.ts";
import { refuseUntrusted, required } from "./identity-source.ts";
import type { SectionReader } from "./section.ts";

/** The ways to a role (or to keys) that need no identity token: `identity`'s names, and those that stand without one. */
export const SIGNED_IDENTITIES = ["saml", "session", "aws-profile"] as const;
/**
 * A way to a role that is signed with keys or proved with an assertion: a word of `identity`, or what its absence
 * means.
 */
export type SignedName = (typeof SIGNED_IDENTITIES)[number] | "source-profile" | "credential-source";

const MFA = ["mfa_serial", "mfa_command"] as const;
const ASSUME_ROLE = ["external_id", "tags", "transitive_tag_keys", "source_identity", ...MFA] as const;

/** Which keys belong to which of them. */
export const SIGNED_KEYS: Readonly<Record<SignedName, readonly ConfigKey[]>> = {
  saml: ["saml_assertion_file", "saml_command", "principal_arn"],
  session: ["source_profile", ...MFA],
  "aws-profile": ["source_profile", ...ASSUME_ROLE],
  "credential-source": ["credential_source", ...ASSUME_ROLE],
  "source-profile": ["source_profile", ...ASSUME_ROLE],
};

/** STS: AssumeRole, parameters Tags, ExternalId, SourceIdentity, SerialNumber (API reference, 2011-06-15). */
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;
const SOURCE_IDENTITY = /^[\w+=,.@-]{2,64}$/;
const SERIAL = /^[\w+=/:,.@-]{9,256}$/;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
/** IAM User Guide, "IAM ARNs": `arn:PARTITION:iam::ACCOUNT:saml-provider/NAME`. */
const SAML_PROVIDER = /^arn:aws(-[a-z]+)*:iam::\d{12}:saml-provider\/[\w.-]{1,128}$/;

/** Reads one of them; every mistake goes to the section's sink. */
export function readSignedSource(
  name: SignedName,
  section: SectionReader,
  untrusted: string | undefined,
): RoleSource | undefined {
  switch (name) {
    case "saml":
      return readSaml(section, untrusted);
    case "session": {
      const sourceProfile = required(section, "source_profile", readSourceProfile(section));
      const mfa = readMfa(section, untrusted);
      return sourceProfile === undefined ? undefined : { kind: name, sourceProfile, mfa };
    }
    case "aws-profile": {
      const awsProfile = required(section, "source_profile", readSourceProfile(section));
      const options = readAssumeRole(section, untrusted);
      return awsProfile === undefined ? undefined : { kind: name, awsProfile, ...options };
    }
    case "credential-source": {
      const credentialSource = section.oneOf("credential_source", CREDENTIAL_SOURCES);
      const options = readAssumeRole(section, untrusted);
      return credentialSource === undefined ? undefined : { kind: name, credentialSource, ...options };
    }
    case "source-profile": {
      const sourceProfile = readSourceProfile(section);
      const options = readAssumeRole(section, untrusted);
      return sourceProfile === undefined ? undefined : { kind: name, sourceProfile, ...options };
    }
  }
}

function readSourceProfile(section: SectionReader): string | undefined {
  const name = section.text("source_profile");
  const problem = name === undefined ? undefined : configuredNameProblem(name);
  if (problem !== undefined) section.mistake("source_profile", `source_profile: ${problem}`);
  return problem === undefined ? name : undefined;
}

/** AWS SDKs and tools reference guide, "Assume role credential provider": `credential_source`. */
const CREDENTIAL_SOURCES = ["Environment", "Ec2InstanceMetadata", "EcsContainer"] as const;

function readSaml(section: SectionReader, untrusted: string | undefined): RoleSource | undefined {
  const principalArn = section.matching(
    "principal_arn",
    SAML_PROVIDER,
    "write arn:aws:iam::ACCOUNT:saml-provider/NAME",
  );
  const assertion = readAssertion(section, untrusted);
  return assertion === undefined ? undefined : { kind: "saml", assertion, principalArn };
}

function readAssertion(section: SectionReader, untrusted: string | undefined): AssertionSource | undefined {
  const path = section.path("saml_assertion_file");
  const command = section.text("saml_command");
  refuseUntrusted(section, "saml_command", untrusted);
  if (section.has("saml_assertion_file") && section.has("saml_command")) {
    section.mistake("saml_command", "saml_assertion_file and saml_command exclude each other", "keep one of them");
    return undefined;
  }
  if (path !== undefined) return { kind: "file", path };
  if (command !== undefined) return { kind: "command", command };
  if (!section.has("saml_assertion_file") && !section.has("saml_command"))
    section.mistake("identity", "saml_assertion_file or saml_command is missing", "this identity needs one of them");
  return undefined;
}

/** The code must come from a command: there is nobody to ask under cron. */
function readMfa(section: SectionReader, untrusted: string | undefined): Mfa | undefined {
  const serial = section.matching("mfa_serial", SERIAL, "write arn:aws:iam::ACCOUNT:mfa/NAME or the device's number");
  const command = section.text("mfa_command");
  refuseUntrusted(section, "mfa_command", untrusted);
  if (section.has("mfa_serial") !== section.has("mfa_command")) {
    const [there, missing] = section.has("mfa_serial") ? MFA : ([MFA[1], MFA[0]] as const);
    section.mistake(there, `${there} needs ${missing} too`, "for example mfa_command = oathtool --totp -b @/path/seed");
  }
  return serial === undefined || command === undefined ? undefined : { serial, command };
}

function readAssumeRole(section: SectionReader, untrusted: string | undefined): AssumeRoleOptions {
  return {
    externalId: section.matching("external_id", EXTERNAL_ID, "2 to 1224 of letters, digits and +=,.@:/-"),
    sourceIdentity: section.matching("source_identity", SOURCE_IDENTITY, "2 to 64 of letters, digits and _+=,.@-"),
    tags: readTags(section),
    transitiveTagKeys: section.list("transitive_tag_keys"),
    mfa: readMfa(section, untrusted),
  };
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

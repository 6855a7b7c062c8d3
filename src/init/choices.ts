import type { ConfigKey } from "../config/keys.ts";
import { IDENTITIES } from "../config/role-source.ts";
import type { IdentityName, Sign } from "./environment-hints.ts";

/** How the role is got: an identity that this version serves, or the keys of another profile. */
export type Choice = IdentityName | "source-profile";

/** Whether this word is an `identity` that the program has. */
export function isServed(identity: string | undefined): identity is IdentityName {
  return IDENTITIES.some((known) => known === identity);
}

/** What the given values say about the choice, as the config's own rules read them; undefined when they leave it open. */
export function chosenBy(values: ReadonlyMap<ConfigKey, string>): Choice | undefined {
  const identity = values.get("identity");
  if (isServed(identity)) return identity;
  if (values.has("source_profile")) return "source-profile";
  if (values.has("web_identity_token_file")) return "file";
  if (values.has("identity_env")) return "env";
  if (values.has("identity_command")) return "command";
  if (values.has("identity_url")) return "url";
  return undefined;
}

/** The choice that this machine leaves no doubt about: an identity that is there now and needs no further word. */
export function obviousChoice(signs: readonly Sign[]): Sign | undefined {
  const usable = signs.filter(({ identity }) => isServed(identity));
  const [only] = usable;
  const needsNoWord = only?.identity === "gcp-metadata" || only?.identity === "github-actions";
  const ready = needsNoWord || only?.suggests["web_identity_token_file"] !== undefined;
  return usable.length === 1 && ready ? only : undefined;
}

/** The keys that a choice cannot do without. */
const NEEDED: Readonly<Record<string, ConfigKey>> = {
  file: "web_identity_token_file",
  env: "identity_env",
  command: "identity_command",
  url: "identity_url",
  "source-profile": "source_profile",
};

/** The key that a choice cannot do without; undefined when it needs none. */
export function neededBy(choice: Choice): ConfigKey | undefined {
  return NEEDED[choice];
}

/** The flags without which no config can be written, as they are typed. */
export function missingFlags(values: ReadonlyMap<ConfigKey, string>): readonly string[] {
  const missing: string[] = values.has("role_arn") ? [] : ["--role-arn"];
  const choice = chosenBy(values);
  const needed = choice === undefined ? undefined : neededBy(choice);
  if (choice === undefined) missing.push("--identity (or --source-profile)");
  else if (needed !== undefined && !values.has(needed)) missing.push(`--${needed.replaceAll("_", "-")}`);
  return missing;
}

/**
 * What the config and the notes say of signs whose identity is not served by this version: that it is there. Nothing is
 * promised.
 */
export function remarksOn(signs: readonly Sign[]): readonly string[] {
  return signs.map(({ identity, seen }) => {
    if (identity === undefined || isServed(identity)) return `seen here: ${seen}`;
    return `seen here: ${seen}; this version has no identity = ${identity}`;
  });
}

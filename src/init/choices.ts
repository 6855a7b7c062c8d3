import type { ConfigKey } from "../config/keys.ts";
import { IDENTITIES } from "../config/role-source.ts";
import type { IdentityName, Hint } from "./environment-hints.ts";

/** Where the identity comes from: a value of `identity`, or the credentials of another profile. */
export type Choice = IdentityName | "source-profile";

/** The key that a choice cannot do without; when it is given, it implies the choice. */
const REQUIRED_KEYS: readonly (readonly [Choice, ConfigKey])[] = [
  ["source-profile", "source_profile"],
  ["file", "web_identity_token_file"],
  ["env", "identity_env"],
  ["command", "identity_command"],
  ["url", "identity_url"],
];

/** Whether `identity` may have this value. */
export function isIdentity(identity: string | undefined): identity is IdentityName {
  return IDENTITIES.some((known) => known === identity);
}

/** What the values say about the choice, as the config's own rules read them; undefined when they leave it open. */
export function chosenBy(values: ReadonlyMap<ConfigKey, string>): Choice | undefined {
  const identity = values.get("identity");
  return isIdentity(identity) ? identity : REQUIRED_KEYS.find(([, key]) => values.has(key))?.[0];
}

/** The one identity that this machine offers, if it needs no further value. */
export function obviousChoice(hints: readonly Hint[]): Hint | undefined {
  const usable = hints.filter(({ identity }) => identity !== undefined);
  const [only] = usable;
  const isReady =
    only?.identity === "gcp-metadata" ||
    only?.identity === "github-actions" ||
    only?.suggests["web_identity_token_file"] !== undefined;
  return usable.length === 1 && isReady ? only : undefined;
}

/** The key that a choice cannot do without; undefined when it needs none. */
export function requiredKeyOf(choice: Choice): ConfigKey | undefined {
  return REQUIRED_KEYS.find(([name]) => name === choice)?.[1];
}

/** The flags without which no config can be written, as they are typed. */
export function missingFlags(values: ReadonlyMap<ConfigKey, string>): readonly string[] {
  const missing: string[] = values.has("role_arn") ? [] : ["--role-arn"];
  const choice = chosenBy(values);
  const required = choice === undefined ? undefined : requiredKeyOf(choice);
  if (choice === undefined) missing.push("--identity (or --source-profile)");
  else if (required !== undefined && !values.has(required)) missing.push(`--${required.replaceAll("_", "-")}`);
  return missing;
}

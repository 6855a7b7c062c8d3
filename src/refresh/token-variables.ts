import type { Config, IdentitySource } from "../config/config.ts";

/** The environment variables that a configuration names as holding a token, of all of its profiles. */
export function tokenVariables({ profiles }: Pick<Config, "profiles">): ReadonlySet<string> {
  return new Set(
    profiles.flatMap(({ source }) => (source.kind === "web-identity" ? variablesOf(source.identity) : [])),
  );
}

function variablesOf(identity: IdentitySource): readonly string[] {
  if ("variable" in identity) return [identity.variable];
  if (identity.kind !== "url") return [];
  return identity.headers.flatMap(({ template }) =>
    [...template.matchAll(/\{env:(\w+)\}/g)].map(([, name = ""]) => name),
  );
}

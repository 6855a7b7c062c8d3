import { Failure } from "../base/failure.ts";
import type { Settings, SharedFiles } from "./shared-files.ts";

/**
 * Follows a profile's `source_profile`s and rejects a section that rolefresh writes. The SDK prefers the credentials of such
 * a section to every other setting: the profile would be fed from itself until they expire, and then never again.
 *
 * @returns the profile's settings, merged as the SDK merges them
 * @throws Failure SOURCE_KEYS_MISSING, CONFIG_INVALID
 */
export function rejectSelfReference(
  profile: { readonly name: string; readonly writes: readonly string[] },
  files: SharedFiles,
  configPath: string,
): Settings {
  const find = (name: string): Settings | undefined => {
    const [configured, written] = [files.configFile[name], files.credentialsFile[name]];
    return configured || written ? { ...configured, ...written } : undefined;
  };
  const first = find(profile.name);
  if (!first) {
    throw new Failure("SOURCE_KEYS_MISSING", `there is no profile '${profile.name}' in ${configPath}`, {
      hint: "set source_profile to one of those that `aws configure list-profiles` shows",
    });
  }
  const seen = new Set<string>();
  let name: string | undefined = profile.name;
  while (name !== undefined && !seen.has(name)) {
    seen.add(name);
    if (profile.writes.includes(name) || files.credentialsFile[name]?.["manager"] === "rolefresh") {
      const cause = `profile '${profile.name}' leads to [${name}], a section that rolefresh writes`;
      throw new Failure("CONFIG_INVALID", cause, {
        hint: "use another source; to start from a section of rolefresh, set source_profile without identity",
      });
    }
    const step: Settings | undefined = find(name);
    name = step?.["role_arn"] === undefined ? undefined : step["source_profile"];
  }
  return first;
}

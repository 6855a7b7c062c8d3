import { Failure } from "../base/failure.ts";

type Profile = Readonly<Record<string, string | undefined>>;

/** What the SDK's loader made of `~/.aws/config` and `~/.aws/credentials`. */
interface SharedFiles {
  readonly configFile: Readonly<Record<string, Profile>>;
  readonly credentialsFile: Readonly<Record<string, Profile>>;
}

/**
 * Walks from a profile along its `source_profile`s and refuses a way that passes through a section that rolefresh writes:
 * the SDK prefers the keys of such a section to everything else that is said of the profile, so they would be handed back
 * to themselves until they have expired, and then nothing would be left to start from.
 *
 * @returns the profile, as the SDK merges it
 * @throws Failure SOURCE_KEYS_MISSING, CONFIG_INVALID
 */
export function refuseOwnKeys(
  profile: string,
  files: SharedFiles,
  writes: readonly string[],
  configPath: string,
): Profile {
  const find = (name: string): Profile | undefined => {
    const [configured, written] = [files.configFile[name], files.credentialsFile[name]];
    return configured || written ? { ...configured, ...written } : undefined;
  };
  const first = find(profile);
  if (!first) {
    throw new Failure("SOURCE_KEYS_MISSING", `there is no profile '${profile}' in ${configPath}`, {
      hint: "source_profile names a profile of it here: `aws configure list-profiles` shows them",
    });
  }
  const seen = new Set<string>();
  let name: string | undefined = profile;
  while (name !== undefined && !seen.has(name)) {
    seen.add(name);
    if (writes.includes(name) || files.credentialsFile[name]?.["manager"] === "rolefresh") {
      throw new Failure("CONFIG_INVALID", `profile '${profile}' leads to [${name}], a section that rolefresh writes`, {
        hint: "let the profile start from something else; a section of rolefresh is a source_profile without identity",
      });
    }
    const step: Profile | undefined = find(name);
    name = step?.["role_arn"] === undefined ? undefined : step["source_profile"];
  }
  return first;
}

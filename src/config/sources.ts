import type { ProfileReference } from "./config.ts";
import type { MistakeSink } from "./config-issues.ts";
import type { RawConfig } from "./section.ts";

/**
 * What can only be judged across profiles: cycles of `source_profile`, and a chained role that asks for more than the
 * 3600 s that STS gives a caller who is a role session himself (IAM User Guide, "Role chaining").
 */
export function checkSources(raw: RawConfig, profiles: readonly ProfileReference[], mistakes: MistakeSink): void {
  const bySection = new Map(profiles.map((spec) => [spec.profile, spec]));
  const configured = new Map(raw.profiles.map((profile) => [profile.profile, profile]));
  const whereOf = (spec: ProfileReference): string =>
    configured.get(spec.profile)?.own.get("source_profile")?.where ?? spec.origin;

  const reported = new Set<string>();
  for (const spec of profiles) {
    checkOwnKeys(spec, configured, whereOf(spec), mistakes);
    const cycle = cycleFrom(spec, bySection);
    if (cycle && !reported.has([...cycle].toSorted().join("\n"))) {
      reported.add([...cycle].toSorted().join("\n"));
      mistakes.add(
        whereOf(spec),
        `[${spec.profile}] source_profile goes round in a circle: ${[...cycle, cycle[0]].join(" → ")}`,
      );
    }
    // A session of GetSessionToken is the user himself and no role: what follows is no chain.
    const from = spec.source.kind === "source-profile" ? bySection.get(spec.source.sourceProfile) : undefined;
    const chained = from !== undefined && from.source.kind !== "session";
    if (chained && (spec.durationSeconds ?? 0) > 3600) {
      mistakes.add(
        spec.origin,
        `[${spec.profile}] duration_seconds = ${spec.durationSeconds} is more than a chained role can get`,
        "set duration_seconds = 3600 in this section: STS limits role chaining to one hour",
      );
    }
  }
}

/**
 * Two identities start from keys that rolefresh does not make: the long-lived ones of GetSessionToken (STS refuses a
 * session's: "Cannot call GetSessionToken with session credentials"), and a profile that the SDK resolves, where a section
 * of ours would hide the real source and hand back its own keys until they have expired.
 */
function checkOwnKeys(
  spec: ProfileReference,
  configured: ReadonlyMap<string, unknown>,
  where: string,
  mistakes: MistakeSink,
): void {
  const { source, profile } = spec;
  if (source.kind === "session" && configured.has(source.sourceProfile))
    mistakes.add(
      where,
      `[${profile}] source_profile '${source.sourceProfile}' has no long-lived keys: rolefresh writes that section`,
      "keep the long-lived keys in a section that is not configured here, for example [NAME-long-term]",
    );
  if (source.kind === "aws-profile" && configured.has(source.awsProfile))
    mistakes.add(
      where,
      `[${profile}] source_profile '${source.awsProfile}' is a section that rolefresh writes: the SDK would read those keys`,
      source.awsProfile === profile
        ? "name this section otherwise than the profile of ~/.aws/config"
        : "leave identity out to call AssumeRole with its keys",
    );
}

function cycleFrom(
  start: ProfileReference,
  bySection: ReadonlyMap<string, ProfileReference>,
): readonly string[] | undefined {
  const path: string[] = [];
  let current: ProfileReference | undefined = start;
  while (current?.source.kind === "source-profile") {
    path.push(current.profile);
    if (current.source.sourceProfile === start.profile) return path;
    if (path.includes(current.source.sourceProfile)) return undefined;
    current = bySection.get(current.source.sourceProfile);
  }
  return undefined;
}

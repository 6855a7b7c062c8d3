import type { ProfileReference } from "./config.ts";
import type { IssueSink } from "./config-issues.ts";
import type { RawConfig } from "./section.ts";

/**
 * Checks across profiles: cycles of `source_profile`, and a chained role that requests more than the 3600 s that STS gives
 * a role session (IAM User Guide, "Role chaining").
 */
export function checkSources(raw: RawConfig, profiles: readonly ProfileReference[], issues: IssueSink): void {
  const bySection = new Map(profiles.map((spec) => [spec.profile, spec]));
  const configured = new Map(raw.profiles.map((profile) => [profile.profile, profile]));
  const whereOf = (spec: ProfileReference): string =>
    configured.get(spec.profile)?.own.get("source_profile")?.where ?? spec.origin;

  const reported = new Set<string>();
  for (const spec of profiles) {
    checkOwnKeys(spec, configured, whereOf(spec), issues);
    const cycle = cycleFrom(spec, bySection);
    if (cycle && !reported.has([...cycle].toSorted().join("\n"))) {
      reported.add([...cycle].toSorted().join("\n"));
      issues.add(whereOf(spec), `[${spec.profile}] source_profile forms a cycle: ${[...cycle, cycle[0]].join(" → ")}`);
    }
    // A session of GetSessionToken is the user, not a role: it starts no chain.
    const from = spec.source.kind === "source-profile" ? bySection.get(spec.source.sourceProfile) : undefined;
    const chained = from !== undefined && from.source.kind !== "session";
    if (chained && (spec.durationSeconds ?? 0) > 3600) {
      issues.add(
        spec.origin,
        `[${spec.profile}] duration_seconds = ${spec.durationSeconds} exceeds the hour of a chained role`,
        "set duration_seconds = 3600: STS limits role chaining to one hour",
      );
    }
  }
}

/**
 * Two identities must not start from keys that rolefresh writes: GetSessionToken takes long-lived keys alone (STS: "Cannot
 * call GetSessionToken with session credentials"), and the SDK would read a section of ours instead of the real source.
 */
function checkOwnKeys(
  spec: ProfileReference,
  configured: ReadonlyMap<string, unknown>,
  where: string,
  issues: IssueSink,
): void {
  const { source, profile } = spec;
  if (source.kind === "session" && configured.has(source.sourceProfile))
    issues.add(
      where,
      `[${profile}] source_profile '${source.sourceProfile}' has no long-lived keys: rolefresh writes that section`,
      "keep the long-lived keys in a section that is not configured here, for example [NAME-long-term]",
    );
  if (source.kind === "aws-profile" && configured.has(source.awsProfile))
    issues.add(
      where,
      `[${profile}] source_profile '${source.awsProfile}' is a section that rolefresh writes: the SDK would read its keys`,
      source.awsProfile === profile
        ? "rename this section: it must differ from the profile in ~/.aws/config"
        : "remove identity to call AssumeRole with its keys",
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

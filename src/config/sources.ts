import type { ProfileSpec } from "./config.ts";
import type { MistakeSink } from "./mistakes.ts";
import type { RawConfig } from "./validate.ts";

/**
 * What can only be judged across profiles: cycles of `source_profile`, and a chained role that asks for more than the
 * 3600 s that STS gives a caller who is a role session himself (IAM User Guide, "Role chaining").
 */
export function checkSources(raw: RawConfig, profiles: readonly ProfileSpec[], mistakes: MistakeSink): void {
  const bySection = new Map(profiles.map((spec) => [spec.profile, spec]));
  const configured = new Set(raw.profiles.map((profile) => profile.profile));
  const whereOf = (spec: ProfileSpec): string =>
    raw.profiles.find((profile) => profile.profile === spec.profile)?.own.get("source_profile")?.where ?? spec.origin;

  const reported = new Set<string>();
  for (const spec of profiles) {
    const cycle = cycleFrom(spec, bySection);
    if (cycle && !reported.has([...cycle].toSorted().join("\n"))) {
      reported.add([...cycle].toSorted().join("\n"));
      mistakes.add(
        whereOf(spec),
        `[${spec.profile}] source_profile goes round in a circle: ${[...cycle, cycle[0]].join(" → ")}`,
      );
    }
    const chained = spec.source.kind === "source-profile" && configured.has(spec.source.sourceProfile);
    if (chained && (spec.durationSeconds ?? 0) > 3600) {
      mistakes.add(
        spec.origin,
        `[${spec.profile}] duration_seconds = ${spec.durationSeconds} is more than a chained role can get`,
        "set duration_seconds = 3600 in this section: STS limits role chaining to one hour",
      );
    }
  }
}

function cycleFrom(start: ProfileSpec, bySection: ReadonlyMap<string, ProfileSpec>): readonly string[] | undefined {
  const path: string[] = [];
  let current: ProfileSpec | undefined = start;
  while (current?.source.kind === "source-profile") {
    path.push(current.profile);
    if (current.source.sourceProfile === start.profile) return path;
    if (path.includes(current.source.sourceProfile)) return undefined;
    current = bySection.get(current.source.sourceProfile);
  }
  return undefined;
}

import type { ProfileSpec } from "../config/config.ts";
import { isDue, classifyProfile, type ProfileState, type WrittenProfile } from "./profile-state.ts";

/** One profile of a run and its action. */
export interface Step {
  readonly spec: ProfileSpec;
  readonly written: WrittenProfile | undefined;
  readonly state: ProfileState;
  /** `refresh`: assume the role and write; `keep`: nothing to do; `refuse`: rolefresh did not write the section. */
  readonly action: "refresh" | "keep" | "refuse";
  /** The step whose keys sign this one's call, when its `source_profile` is configured. */
  readonly source: Step | undefined;
}

/** Everything that the plan depends on. */
export interface PlanInput {
  readonly profiles: readonly ProfileSpec[];
  /** The names on the command line, all of them configured; empty means all. */
  readonly selected: readonly string[];
  readonly force: boolean;
  readonly now: Date;
  readonly hostname: string;
  readonly written: (spec: ProfileSpec) => WrittenProfile | undefined;
}

/**
 * What a run does; every source comes before the profiles that need its keys. A source that was not selected takes part
 * only when it is due and a profile that needs it is refreshed.
 */
export function planRun(input: PlanInput): readonly Step[] {
  const byName = new Map(input.profiles.map((spec) => [spec.profile, spec]));
  const wanted = new Set(input.selected.length > 0 ? input.selected : byName.keys());
  const steps = new Map<string, Step>();

  const visit = (spec: ProfileSpec): Step => {
    const done = steps.get(spec.profile);
    if (done) return done;
    const sourceSpec = "sourceProfile" in spec.source ? byName.get(spec.source.sourceProfile) : undefined;
    const source = sourceSpec && visit(sourceSpec);
    const written = input.written(spec);
    const judged = classifyProfile(spec, written, input.now, input.hostname);
    const forced = input.force && wanted.has(spec.profile) && judged.state !== "foreign";
    const state: ProfileState = forced ? { ...judged, reason: "forced" } : judged;
    const action = judged.state === "foreign" ? "refuse" : forced || isDue(judged) ? "refresh" : "keep";
    const step: Step = { spec, written, state, action, source };
    steps.set(spec.profile, step);
    return step;
  };
  for (const spec of input.profiles) if (wanted.has(spec.profile)) visit(spec);

  const needed = new Set<Step>();
  for (const step of steps.values()) {
    if (wanted.has(step.spec.profile)) needed.add(step);
    for (
      let source = step.action === "refresh" ? step.source : undefined;
      source;
      source = source.action === "refresh" ? source.source : undefined
    )
      needed.add(source);
  }
  return [...steps.values()].filter(
    (step) => needed.has(step) && (wanted.has(step.spec.profile) || step.action !== "keep"),
  );
}

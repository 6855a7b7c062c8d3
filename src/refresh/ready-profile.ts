import { Failure } from "../base/failure.ts";
import type { Secret } from "../base/secret.ts";
import type { ProfileSpec } from "../config/config.ts";
import { isSameRole, isStillValid } from "../plan/profile-state.ts";
import type { World } from "../base/world.ts";
import { type ExecuteOptions, executePlan } from "./execute-plan.ts";
import { type Loaded, planLoaded } from "./load.ts";
import { type Outcome, withRemaining } from "./outcome.ts";

/** A profile whose keys in the credentials file can be used now. */
export interface ReadyProfile {
  readonly spec: ProfileSpec;
  /** The credentials file, absolute. */
  readonly path: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  readonly expiresAt: Date | undefined;
}

/**
 * Refreshes one profile, with its sources, if it is due, and reads its keys back from the credentials file. A refresh
 * that fails while the old keys of the same role are still valid is a warning.
 *
 * @throws Failure the refresh's own; USAGE for a name that is not configured
 */
export async function readyProfile(
  name: string,
  loaded: Loaded,
  { global, reporter }: Pick<ExecuteOptions, "global" | "reporter">,
  world: World,
): Promise<ReadyProfile> {
  const startedMs = world.monotonicMs();
  const steps = planLoaded(loaded, [name], false, world);
  const outcomes = await executePlan(steps, loaded, { global, force: false, reporter }, world);
  world.interrupted.throwIfAborted();
  if (global.metricsFile !== undefined) {
    try {
      const { recordMetrics } = await import("./run-metrics.ts");
      const run = { outcomes, config: loaded.config, durationMs: world.monotonicMs() - startedMs };
      await recordMetrics(global.metricsFile, run, world);
    } catch (error) {
      // The tool that waits for its keys comes first.
      if (!(error instanceof Failure)) throw error;
      reporter.warning(error);
    }
  }
  const own = outcomes.find(({ step }) => step.spec.profile === name);
  if (!own) throw new Error(`no outcome for profile ${name}`);
  for (const outcome of outcomes) {
    const { failure, hookFailure, step, expiresAt } = outcome;
    const { profile } = step.spec;
    if (hookFailure) reporter.warning(hookFailure, profile);
    if (!failure) continue;
    const dated = withRemaining(failure, step, expiresAt, world.now());
    if (outcome === own && !isStillUsable(outcome, world.now())) throw dated;
    reporter.warning(dated, profile);
  }
  return readBack(own.step.spec, loaded);
}

/** Whether the keys from before a failed refresh may be used: not expired, and of the configured role. */
function isStillUsable({ step }: Outcome, now: Date): boolean {
  return isSameRole(step.state.reason) && isStillValid(step.spec, step.written, now);
}

async function readBack(spec: ProfileSpec, loaded: Loaded): Promise<ReadyProfile> {
  const view = loaded.viewOf(spec);
  await view.lookAgain();
  if (view.failure) throw view.failure;
  const section = view.document?.profile(spec.profile);
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = section ?? {};
  if (!view.file || accessKeyId === undefined || !secretAccessKey || !sessionToken) {
    throw new Failure("SOURCE_KEYS_MISSING", `profile '${spec.profile}' has no readable keys in ${view.path}`, {
      hint: "try again: another program changed the file just now",
    });
  }
  return { spec, path: view.file.path, accessKeyId, secretAccessKey, sessionToken, expiresAt };
}

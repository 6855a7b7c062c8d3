import { Failure } from "../base/failure.ts";
import type { Secret } from "../base/secret.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import type { Reporter } from "../output/report.ts";
import type { ProfileSpec } from "../config/config.ts";
import { isSameRole, isStillValid } from "../plan/profile-state.ts";
import type { World } from "../base/world.ts";
import { carryOut } from "./execute-plan.ts";
import { type Loaded, planLoaded } from "./load.ts";
import { type Outcome, withRemaining } from "./outcome.ts";
import { recordMetrics } from "./record-metrics.ts";

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
  global: GlobalOptions,
  reporter: Reporter,
  world: World,
): Promise<ReadyProfile> {
  const startedAt = world.monotonicMs();
  const steps = planLoaded(loaded, [name], false, world);
  const outcomes = await carryOut(steps, loaded, { global, force: false }, reporter, world);
  world.interrupted.throwIfAborted();
  if (global.metricsFile !== undefined) {
    try {
      await recordMetrics(global.metricsFile, outcomes, loaded.config, world.monotonicMs() - startedAt, world);
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
    const told = withRemaining(failure, step, expiresAt, world.now());
    if (outcome === own && !isStillGood(outcome, world.now())) throw told;
    reporter.warning(told, profile);
  }
  return readBack(own.step.spec, loaded);
}

/**
 * Whether the keys from before a failed refresh may still be used: they have not expired, and only their age (or the name
 * of their session) made the profile due, if it was. Keys of another role than the configured one would be a surprise.
 */
function isStillGood({ step }: Outcome, now: Date): boolean {
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
      hint: "something else changed the file just now: try again",
    });
  }
  return { spec, path: view.file.path, accessKeyId, secretAccessKey, sessionToken, expiresAt };
}

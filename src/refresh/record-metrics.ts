import type { Config } from "../config/config.ts";
import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import { isPassThrough } from "../plan/profile-state.ts";
import type { World } from "../base/world.ts";
import type { Outcome } from "./outcome.ts";

/**
 * Writes the figures of a run to the metrics file.
 *
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED, FILE_UNSAFE
 */
export async function recordMetrics(
  path: string,
  outcomes: readonly Outcome[],
  { profiles: specs }: Config,
  durationMs: number,
  world: World,
): Promise<void> {
  const { writeMetrics } = await import("./run-metrics.ts");
  const profiles = outcomes.map(({ step, outcome, accessKeyId, expiresAt, failure, hookFailure }) => ({
    profile: step.spec.profile,
    roleArn: step.spec.role?.arn ?? "",
    expiresAt: expiresAt ?? (accessKeyId !== undefined && isPassThrough(step.spec) ? ("never" as const) : undefined),
    refreshed: outcome === "refreshed",
    attempted: step.action === "refresh",
    failure: failure?.code ?? hookFailure?.code,
  }));
  await writeMetrics(
    pathOrThrow("--metrics-file", expandPath(path, world, world.cwd)),
    { now: world.now(), durationMs, profiles, configured: specs.map(({ profile }) => profile) },
    world,
  );
}

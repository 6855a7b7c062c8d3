import { renderDuration, renderInstant } from "../base/duration.ts";
import type { Failure } from "../base/failure.ts";
import type { RefreshInvocation } from "../cli/invocation.ts";
import { openReporter } from "../cli/report.ts";
import type { Step } from "../plan/plan.ts";
import type { World } from "../world.ts";
import { carryOut } from "./carry-out.ts";
import { type Loaded, loadProfiles, planLoaded } from "./load.ts";
import { type Outcome, settleAtOnce, unchanged } from "./outcome.ts";
import { recordMetrics } from "./record-metrics.ts";
import { reportOutcomes } from "./report-outcomes.ts";

/**
 * The main job: refresh what is due, write, say how it went.
 *
 * @returns the exit status: 0 when everything asked for is fresh now, else the most permanent fault's
 */
export async function refresh(invocation: RefreshInvocation, world: World): Promise<number> {
  const { global } = invocation;
  const reporter = openReporter(world, global);
  const loaded = await loadProfiles(invocation.config, world);
  const steps = planLoaded(loaded, invocation.profiles, invocation.force, world);
  const startedAt = world.monotonicMs();
  const outcomes = invocation.dryRun
    ? steps.map((step) => dryOutcome(step, loaded))
    : await carryOut(steps, loaded, invocation, reporter, world);

  const code = reportOutcomes(outcomes, global, reporter, world.now());
  if (global.metricsFile !== undefined && !invocation.dryRun) {
    await recordMetrics(global.metricsFile, outcomes, world.monotonicMs() - startedAt, world);
  }
  world.interrupted.throwIfAborted();
  if (global.json) world.out.write(`${JSON.stringify(toJson(outcomes, invocation, world.now()))}\n`);
  else if (!global.quiet && (invocation.dryRun || world.out.isTTY))
    world.out.write(await toTable(outcomes, world.now()));
  return code;
}

function dryOutcome(step: Step, loaded: Loaded): Outcome {
  return settleAtOnce(step, loaded.viewOf(step.spec)) ?? unchanged(step, "due");
}

function toJson(outcomes: readonly Outcome[], invocation: RefreshInvocation, now: Date): unknown {
  const profiles = outcomes.map(
    ({ step, outcome, reason, accessKeyId, principalArn, expiresAt, failure, hookFailure }) => ({
      profile: step.spec.profile,
      outcome,
      reason,
      role_arn: step.spec.role.arn,
      principal_arn: principalArn ?? null,
      access_key_id: accessKeyId ?? null,
      expires_at: expiresAt ? renderInstant(expiresAt) : null,
      remaining_seconds: expiresAt ? Math.floor((expiresAt.getTime() - now.getTime()) / 1000) : null,
      credentials_file: step.spec.credentialsFile,
      error: errorOf(failure ?? hookFailure),
    }),
  );
  return invocation.dryRun ? { dry_run: true, profiles } : { profiles };
}

function errorOf(failure: Failure | undefined): unknown {
  return failure ? { code: failure.code, message: failure.message, hint: failure.hint ?? null } : null;
}

async function toTable(outcomes: readonly Outcome[], now: Date): Promise<string> {
  const { renderTable } = await import("../cli/table.ts");
  return renderTable(
    ["PROFILE", "OUTCOME", "REASON", "EXPIRES", "LEFT"],
    outcomes.map(({ step, outcome, reason, expiresAt }) => [
      step.spec.profile,
      outcome,
      reason,
      expiresAt ? renderInstant(expiresAt) : "-",
      expiresAt ? renderDuration(Math.max(0, expiresAt.getTime() - now.getTime())) : "-",
    ]),
  );
}

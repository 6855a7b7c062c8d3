import { renderDuration, renderInstant } from "../base/duration.ts";
import { exitCodeOf, worstExitCode } from "../cli/exit-code.ts";
import type { RefreshInvocation } from "../cli/invocation.ts";
import { openReporter } from "../cli/report.ts";
import type { Step } from "../plan/plan.ts";
import type { World } from "../world.ts";
import { carryOut } from "./carry-out.ts";
import { type Loaded, loadProfiles, planLoaded } from "./load.ts";
import { type Outcome, settleAtOnce, unchanged, withRemaining } from "./outcome.ts";

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
  const outcomes = invocation.dryRun
    ? steps.map((step) => dryOutcome(step, loaded))
    : await carryOut(steps, loaded, invocation, reporter, world);

  for (const { failure, step, expiresAt } of outcomes) {
    // That the run was stopped is said once, below, and not for every profile that was under way.
    if (failure && failure.code !== "INTERRUPTED") reporter.error(withRemaining(failure, step, expiresAt, world.now()));
  }
  world.interrupted.throwIfAborted();
  if (global.json) world.out.write(`${JSON.stringify(toJson(outcomes, invocation, world.now()))}\n`);
  else if (!global.quiet && (invocation.dryRun || world.out.isTTY))
    world.out.write(await toTable(outcomes, world.now()));
  return worstExitCode(outcomes.flatMap(({ failure }) => (failure ? [exitCodeOf(failure.code)] : [])));
}

function dryOutcome(step: Step, loaded: Loaded): Outcome {
  return settleAtOnce(step, loaded.viewOf(step.spec)) ?? unchanged(step, "due");
}

function toJson(outcomes: readonly Outcome[], invocation: RefreshInvocation, now: Date): unknown {
  const profiles = outcomes.map(({ step, outcome, reason, accessKeyId, principalArn, expiresAt, failure }) => ({
    profile: step.spec.profile,
    outcome,
    reason,
    role_arn: step.spec.role.arn,
    principal_arn: principalArn ?? null,
    access_key_id: accessKeyId ?? null,
    expires_at: expiresAt ? renderInstant(expiresAt) : null,
    remaining_seconds: expiresAt ? Math.floor((expiresAt.getTime() - now.getTime()) / 1000) : null,
    credentials_file: step.spec.credentialsFile,
    error: failure ? { code: failure.code, message: failure.message, hint: failure.hint ?? null } : null,
  }));
  return invocation.dryRun ? { dry_run: true, profiles } : { profiles };
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

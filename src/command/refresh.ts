import type { RefreshInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import type { Step } from "../plan/plan.ts";
import type { World } from "../base/world.ts";
import { executePlan } from "../refresh/execute-plan.ts";
import { type Loaded, loadProfiles, planLoaded } from "../refresh/load.ts";
import { type Outcome, settleAtOnce, unchanged } from "../refresh/outcome.ts";
import { outcomesToJson, outcomesToTable, reportOutcomes } from "../refresh/report-outcomes.ts";

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
  const startedMs = world.monotonicMs();
  const outcomes = invocation.dryRun
    ? steps.map((step) => dryOutcome(step, loaded))
    : await executePlan(steps, loaded, { global, force: invocation.force, reporter }, world);

  const code = reportOutcomes(outcomes, global, reporter, world.now());
  if (global.metricsFile !== undefined && !invocation.dryRun) {
    const { recordMetrics } = await import("../refresh/run-metrics.ts");
    const { config } = loaded;
    await recordMetrics(global.metricsFile, { outcomes, config, durationMs: world.monotonicMs() - startedMs }, world);
  }
  world.interrupted.throwIfAborted();
  if (global.json) {
    const profiles = outcomesToJson(outcomes, world.now());
    world.out.write(`${JSON.stringify(invocation.dryRun ? { dry_run: true, profiles } : { profiles })}\n`);
  }
  if (!global.json && !global.quiet && (invocation.dryRun || world.out.isTTY))
    world.out.write(await outcomesToTable(outcomes, world.now()));
  return code;
}

function dryOutcome(step: Step, loaded: Loaded): Outcome {
  return settleAtOnce(step, loaded.viewOf(step.spec)) ?? unchanged(step, "due");
}

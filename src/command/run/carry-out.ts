import { startDeadline } from "../../base/deadline.ts";
import type { GlobalOptions } from "../../cli/invocation.ts";
import type { Progress } from "../../cli/progress.ts";
import type { Reporter } from "../../cli/report.ts";
import type { Step } from "../../plan/plan.ts";
import type { World } from "../../world.ts";
import type { Loaded } from "./load.ts";
import { type Outcome, settleAtOnce } from "./outcome.ts";

/** What was obtained in time is still written when the deadline has passed; this long at most. */
const WRITE_GRACE_MS = 5000;

/**
 * Carries out a plan within the run's deadline, then runs the `on_refresh` commands of what was refreshed, one by one and
 * with as much time again. Where nothing is due, neither the network rooms nor the progress lines are loaded.
 *
 * @returns one outcome for each step, failures included: one profile's failure spares the others
 */
export async function carryOut(
  steps: readonly Step[],
  loaded: Loaded,
  options: { readonly global: GlobalOptions; readonly force: boolean },
  reporter: Reporter,
  world: World,
): Promise<readonly Outcome[]> {
  const settled = steps.flatMap((step) => settleAtOnce(step, loaded.viewOf(step.spec)) ?? []);
  if (settled.length === steps.length) return settled;

  const { global, force } = options;
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  const writeDeadline = startDeadline(global.timeoutMs + WRITE_GRACE_MS, world, new AbortController().signal);
  const { openProgress } = await import("../../cli/progress.ts");
  const progress = await openProgress(world.err, !global.quiet && !global.json);
  try {
    const { runSteps } = await import("./refresh-run.ts");
    const outcomes = await runSteps(steps, loaded, {
      world,
      deadline,
      writeDeadline,
      concurrency: global.concurrency,
      force,
      reporter,
      progress,
    });
    return await runHooks(outcomes, global.timeoutMs, { progress, reporter, world });
  } finally {
    progress.done();
    deadline.clear();
    writeDeadline.clear();
  }
}

async function runHooks(
  outcomes: readonly Outcome[],
  timeoutMs: number,
  { progress, reporter, world }: { readonly progress: Progress; readonly reporter: Reporter; readonly world: World },
): Promise<readonly Outcome[]> {
  const isDue = ({ outcome, step }: Outcome) => outcome === "refreshed" && step.spec.onRefresh !== undefined;
  if (!outcomes.some(isDue)) return outcomes;
  const { runHook } = await import("./hook.ts");
  const deadline = startDeadline(timeoutMs, world, world.interrupted);
  const after: Outcome[] = [];
  for (const outcome of outcomes) {
    const { spec } = outcome.step;
    if (!isDue(outcome) || outcome.expiresAt === undefined) {
      after.push(outcome);
      continue;
    }
    progress.set(spec.profile, "running on_refresh");
    const startedMs = world.monotonicMs();
    const hookFailure = await runHook(spec, outcome.expiresAt, deadline, world);
    const seconds = ((world.monotonicMs() - startedMs) / 1000).toFixed(1);
    if (!hookFailure) reporter.detail(`profile '${spec.profile}': on_refresh ended with exit 0 after ${seconds} s`);
    after.push(hookFailure ? { ...outcome, hookFailure } : outcome);
  }
  deadline.clear();
  return after;
}

import { startDeadline } from "../base/deadline.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import type { World } from "../base/world.ts";
import type { Reporter } from "../output/report.ts";
import type { Step } from "../plan/plan.ts";
import type { Loaded } from "./load.ts";
import { type Outcome, settleAtOnce } from "./outcome.ts";

/** How long after the deadline credentials that were obtained in time may still be written; milliseconds. */
const WRITE_GRACE_MS = 5000;

/** How a plan is executed. */
export interface ExecuteOptions {
  readonly global: GlobalOptions;
  readonly force: boolean;
  readonly reporter: Reporter;
}

/**
 * Executes a plan within the run's deadline. The `on_refresh` commands have
 * as much time again. Where nothing is due, neither the network rooms nor the progress lines are loaded.
 *
 * @returns one outcome for each step, failures included: one profile's failure does not stop the others
 */
export async function executePlan(
  steps: readonly Step[],
  loaded: Loaded,
  options: ExecuteOptions,
  world: World,
): Promise<readonly Outcome[]> {
  const settled = steps.flatMap((step) => settleAtOnce(step, loaded.viewOf(step.spec)) ?? []);
  if (settled.length === steps.length) return settled;

  const { global, force, reporter } = options;
  const { timeoutMs, concurrency } = global;
  const deadline = startDeadline(timeoutMs, world, world.interrupted);
  const writeDeadline = startDeadline(timeoutMs + WRITE_GRACE_MS, world, new AbortController().signal);
  const hookDeadline = startDeadline(2 * timeoutMs + WRITE_GRACE_MS, world, world.interrupted);
  const { openProgress } = await import("../output/progress.ts");
  const progress = await openProgress(world.err, !global.quiet && !global.json);
  try {
    const [{ runSteps }, { openHooks }] = await Promise.all([import("./run-steps.ts"), import("./hook.ts")]);
    const { config } = loaded;
    const runHook = openHooks({ world, timeoutMs, deadline: hookDeadline, config, reporter, progress });
    const context = { world, deadline, writeDeadline, concurrency, force, reporter, progress, runHook };
    return await runSteps(steps, loaded, context);
  } finally {
    progress.done();
    deadline.clear();
    writeDeadline.clear();
    hookDeadline.clear();
  }
}

import { startDeadline } from "../base/deadline.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import type { Reporter } from "../output/report.ts";
import type { Step } from "../plan/plan.ts";
import type { World } from "../base/world.ts";
import type { Loaded } from "./load.ts";
import { type Outcome, settleAtOnce } from "./outcome.ts";
import { tokenVariables } from "./token-variables.ts";

/** What was obtained in time is still written when the deadline has passed; this long at most. */
const WRITE_GRACE_MS = 5000;

/**
 * Carries out a plan within the run's deadline; the `on_refresh` commands of what was refreshed have as much time again.
 * Where nothing is due, neither the network rooms nor the progress lines are loaded.
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
  const { timeoutMs } = global;
  const deadline = startDeadline(timeoutMs, world, world.interrupted);
  const writeDeadline = startDeadline(timeoutMs + WRITE_GRACE_MS, world, new AbortController().signal);
  const hookDeadline = startDeadline(2 * timeoutMs + WRITE_GRACE_MS, world, world.interrupted);
  const { openProgress } = await import("../output/progress.ts");
  const progress = await openProgress(world.err, !global.quiet && !global.json);
  try {
    const [{ runSteps }, { openHooks }] = await Promise.all([import("./refresh-run.ts"), import("./hook.ts")]);
    const runHook = openHooks({
      world,
      timeoutMs,
      deadline: hookDeadline,
      tokenVariables: tokenVariables(loaded.config),
      reporter,
      progress,
    });
    return await runSteps(steps, loaded, {
      world,
      deadline,
      writeDeadline,
      concurrency: global.concurrency,
      force,
      reporter,
      progress,
      runHook,
    });
  } finally {
    progress.done();
    deadline.clear();
    writeDeadline.clear();
    hookDeadline.clear();
  }
}

import type { Failure } from "../base/failure.ts";
import { CHECK_DUE, CHECK_ERROR, CHECK_NOTHING_DUE } from "../output/exit-code.ts";
import type { CheckInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import type { World } from "../base/world.ts";
import { loadProfiles, planLoaded } from "../refresh/load.ts";
import { refusalOf } from "../refresh/outcome.ts";

/**
 * Tells by the exit status whether anything is due: no network, no lock, nothing on standard output.
 *
 * @returns 0 due, 1 nothing due, 255 error (`main` makes it of everything thrown). Something due outranks a refused section,
 *   which `refresh` then reports.
 */
export async function check(invocation: CheckInvocation, world: World): Promise<number> {
  const loaded = await loadProfiles(invocation.config, world);
  const steps = planLoaded(loaded, invocation.profiles, false, world);
  const refused: Failure[] = [];
  let due = false;
  for (const step of steps) {
    const failure = refusalOf(step, loaded.viewOf(step.spec));
    if (failure) refused.push(failure);
    else if (step.action === "refresh") due = true;
  }
  if (due) return CHECK_DUE;
  const reporter = openReporter(world, invocation.global);
  for (const failure of refused) reporter.error(failure);
  return refused.length > 0 ? CHECK_ERROR : CHECK_NOTHING_DUE;
}

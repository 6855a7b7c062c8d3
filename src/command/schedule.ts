import { renderDuration } from "../base/duration.ts";
import type { World } from "../base/world.ts";
import type { ScheduleInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import type { ScheduledFile } from "../schedule/job.ts";
import { runSchedule } from "../schedule/run.ts";

/**
 * Prints, installs or uninstalls what runs `refresh` periodically.
 *
 * @returns 0; everything else is thrown
 */
export async function schedule(invocation: ScheduleInvocation, world: World): Promise<number> {
  const reporter = openReporter(world, invocation.global);
  show(await runSchedule(invocation, reporter, world), invocation, world);
  return 0;
}

function show(files: readonly ScheduledFile[], invocation: ScheduleInvocation, world: World): void {
  const { scheduler, action, global, interval } = invocation;
  if (global.json) {
    world.out.write(`${JSON.stringify({ scheduler, action, files })}\n`);
  } else if (action === "print") {
    // Several units are printed as `systemctl cat` prints them.
    const shown = files.map(({ path, content }) => (files.length > 1 && path !== null ? `# ${path}\n` : "") + content);
    world.out.write(shown.join("\n"));
  } else if (!global.quiet) {
    const places = files.map(({ path }) => path ?? "the crontab").join(" and ");
    if (action === "install") {
      world.out.write(`installed in ${places}: runs every ${renderDuration(interval.minutes * 60_000)}\n`);
    } else world.out.write(files.length === 0 ? "nothing was installed\n" : `removed from ${places}\n`);
  }
}

import { renderDuration } from "../base/duration.ts";
import { DEFAULT_LIFETIME_MS } from "../plan/due.ts";
import type { DoctorContext } from "./context.ts";
import { lookAtCron } from "./cron-lines.ts";
import { finding, type Finding } from "./finding.ts";
import type { Target } from "./setup.ts";
import { lookAtSystemd, type Schedule } from "./systemd-timer.ts";

/** Everything on this machine that starts rolefresh again and again. */
export async function findSchedules(context: DoctorContext): Promise<readonly Schedule[]> {
  const [user, system, cron] = await Promise.all([
    lookAtSystemd("user", context),
    lookAtSystemd("system", context),
    lookAtCron(context),
  ]);
  return [user, system, ...cron].filter((schedule) => schedule !== undefined);
}

/** The shortest known time between two runs; undefined when none is known. */
export function shortestInterval(schedules: readonly Schedule[]): number | undefined {
  const known = schedules.flatMap(({ intervalMs }) => intervalMs ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** @param isStale a profile is expired, missing or long due: then the missing timer may be why. */
export function timerFindings(schedules: readonly Schedule[], isStale: boolean): readonly Finding[] {
  if (schedules.length > 0) return schedules.flatMap(({ findings }) => findings);
  return [
    finding(
      "timer",
      isStale ? "warning" : "ok",
      "no systemd timer and no crontab line starts rolefresh; 'watch', 'exec' or another scheduler may",
      isStale ? { hint: "rolefresh schedule systemd --install, or rolefresh schedule cron --install" } : {},
    ),
  ];
}

/** A timer that runs less often than a profile is due for leaves gaps without valid credentials. */
export function windowFindings(targets: readonly Target[], intervalMs: number | undefined): readonly Finding[] {
  if (intervalMs === undefined) return [];
  const found = targets.flatMap(({ profile, step }) => {
    if (!step) return [];
    const lifetimeMs = step.spec.lifetimeMs ?? DEFAULT_LIFETIME_MS;
    const windowMs = step.spec.refreshBeforeMs ?? lifetimeMs / 2;
    if (intervalMs < windowMs) return [];
    return [
      finding(
        "refresh-window",
        "warning",
        `the timer runs every ${renderDuration(intervalMs)}, and the last ${renderDuration(windowMs)} of its lifetime are for refreshing: it may expire in between`,
        { profile, hint: "run the timer more often: rolefresh schedule systemd --install --interval 5m" },
      ),
    ];
  });
  if (found.length > 0) return found;
  return [
    finding(
      "refresh-window",
      "ok",
      `the timer runs every ${renderDuration(intervalMs)}, often enough for every profile`,
    ),
  ];
}

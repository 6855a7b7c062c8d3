import { parseDuration } from "../base/duration.ts";

/** How often a job runs: minutes that divide an hour, or hours that divide a day, as calendar rules need it. */
export interface Interval {
  readonly minutes: number;
}

/** An hour-long session is due at half of its lifetime: six runs before it expires, 288 cheap starts a day. */
export const DEFAULT_INTERVAL = "5m";

/** @returns undefined when crontab and `OnCalendar=` cannot express it. */
export function parseInterval(text: string): Interval | undefined {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0 || ms % 60_000 !== 0) return undefined;
  const minutes = ms / 60_000;
  const isEven = minutes < 60 ? 60 % minutes === 0 : minutes % 60 === 0 && 1440 % minutes === 0;
  return isEven ? { minutes } : undefined;
}

/** The five time fields of crontab(5). */
export function toCronFields({ minutes }: Interval): string {
  if (minutes === 1) return "* * * * *";
  if (minutes < 60) return `*/${minutes} * * * *`;
  if (minutes === 60) return "0 * * * *";
  return minutes === 1440 ? "0 0 * * *" : `0 */${minutes / 60} * * *`;
}

/** A calendar event of systemd.time(7). */
export function toCalendar({ minutes }: Interval): string {
  if (minutes === 1) return "*:*";
  if (minutes < 60) return `*:0/${minutes}`;
  if (minutes === 60) return "hourly";
  return minutes === 1440 ? "daily" : `0/${minutes / 60}:00`;
}

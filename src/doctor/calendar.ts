/** How far apart the runs of a schedule are, by the fields of crontab(5) and of systemd.time(7). */

/**
 * The longest time between two runs of a crontab(5) line.
 *
 * @param schedule the five fields, or `@hourly` and the like
 * @returns undefined when it runs on some days only, or at boot
 */
export function cronGapMs(schedule: string): number | undefined {
  const named: Readonly<Record<string, string>> = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
  };
  const [minutes, hours, ...days] = (named[schedule] ?? schedule).trim().split(/\s+/);
  if (minutes === undefined || hours === undefined || days.length !== 3) return undefined;
  if (days.some((field) => field !== "*")) return undefined;
  return largestGapMs(hours, minutes);
}

/**
 * The longest time between two runs of a calendar event in the form in which systemd shows it: `*-*-* *:00/5:00`.
 *
 * @returns undefined for what runs on some days only
 */
export function calendarGapMs(event: string): number | undefined {
  const [, hours, minutes] = /^\*-\*-\* (\S+):(\S+):\d\d(?: [\w/+-]+)?$/.exec(event.trim()) ?? [];
  return hours === undefined || minutes === undefined ? undefined : largestGapMs(hours, minutes);
}

function largestGapMs(hourField: string, minuteField: string): number | undefined {
  const hours = expand(hourField, 24);
  const minutes = expand(minuteField, 60);
  if (!hours || !minutes) return undefined;
  const runs = hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
  const gaps = runs.map((run, index) => (runs[index + 1] ?? (runs[0] ?? 0) + 1440) - run);
  return Math.max(...gaps) * 60_000;
}

/** The numbers below `end` that a field names, in order: `*`, `5`, `0,30`, `8-18` or `8..18`, each with `/step`. */
function expand(field: string, end: number): readonly number[] | undefined {
  const numbers = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(?:\*|(\d+)(?:(?:-|\.\.)(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (!match) return undefined;
    const [, from, to, step] = match;
    const first = Number(from ?? 0);
    // A single number with a step goes on to the end, as `*` does.
    const last = to !== undefined ? Number(to) : from === undefined || step !== undefined ? end - 1 : first;
    const by = Number(step ?? 1);
    if (by === 0 || first >= end || last >= end) return undefined;
    for (let number = first; number <= last; number += by) numbers.add(number);
  }
  return numbers.size === 0 ? undefined : [...numbers].toSorted((a, b) => a - b);
}

/** When `watch` looks again. Pure: every number comes in as an argument. */

/** Longest sleep: the clock may jump and a laptop may be suspended, and both are noticed within this. */
export const LONGEST_SLEEP_MS = 60_000;

/** Shortest sleep: a profile that is due again at once must not spin. */
export const SHORTEST_SLEEP_MS = 1000;

/** Shortest pause before a source is asked again that had nothing newer. */
const SHORTEST_LOOK_MS = 15_000;

const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 300_000;

/**
 * How long a profile is left alone after it failed `failures` times in a row: 5 s, doubled each time, 5 min at most, the
 * half of it by chance so that a fleet does not come back together.
 *
 * @param chance in [0, 1)
 */
export function pauseAfter(failures: number, chance: number): number {
  const full = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS);
  return Math.round(full / 2 + (full / 2) * chance);
}

/**
 * How long a source is left alone whose newest keys are due already: half of what they have left, 15 s at least, the
 * refresh window at most. A source that caches hands on the same keys until shortly before their end.
 *
 * @param leftMs until the keys expire
 * @param windowMs how long before their expiry they are due
 */
export function lookAgainAfter(leftMs: number, windowMs: number): number {
  return Math.max(SHORTEST_LOOK_MS, Math.min(leftMs / 2, windowMs));
}

/** How long to sleep until the first of some moments (milliseconds from now), within the two bounds. */
export function sleepUntil(moments: readonly number[]): number {
  return Math.max(SHORTEST_SLEEP_MS, Math.min(LONGEST_SLEEP_MS, ...moments));
}

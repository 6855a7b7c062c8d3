/** When `watch` looks again. Pure: every number comes in as an argument. */

/** Longest sleep: clock jumps and suspends are noticed within it. */
export const LONGEST_SLEEP_MS = 60_000;

/** Shortest sleep: a profile that is always due must not spin. */
export const SHORTEST_SLEEP_MS = 1000;

/** Shortest pause after a source had nothing newer. */
const SHORTEST_LOOK_MS = 15_000;

const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 300_000;

/**
 * The pause after `failures` failures in a row: 5 s, doubled each time, 5 min at most. Half of it is random, so that a fleet
 * does not retry together.
 *
 * @param chance in [0, 1)
 */
export function pauseAfter(failures: number, chance: number): number {
  const full = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS);
  return Math.round(full / 2 + (full / 2) * chance);
}

/**
 * The pause after a source gave keys that are due already: half of what they have left, at least 15 s, at most the refresh
 * window. A caching source gives the same keys until shortly before they expire.
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

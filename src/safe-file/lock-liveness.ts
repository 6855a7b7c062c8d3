import { type BigIntStats, lstatSync, mkdirSync, rmdirSync } from "node:fs";
import { errnoOf } from "../base/failure.ts";

/** A lock whose holder has not shown itself for this long is dead. */
export const STALE_MS = 10_000;
/** How often a holder touches its lock: four missed in a row, for a busy event loop, do not kill it. */
export const HEARTBEAT_MS = 2000;

/** A take-over lasts microseconds: one that is older belongs to a process that was killed at it. */
const TAKEOVER_MS = 1000;

interface Seen {
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly sinceMs: number;
}

/**
 * Tells dead locks from held ones. It remembers what it saw: a lock dated in the future (the clock was put back after its
 * holder was killed) has no age, but stays the same while a held one is touched.
 */
export interface LockWatch {
  /** Takes a lock away if its holder is dead. True when it is gone, so that trying again makes sense. */
  clearIfDead(lock: string): boolean;
}

/**
 * Locks are about real time: this is not the run's clock, which tests set.
 *
 * @param monotonicMs a clock that never jumps; `performance` is loaded when it is first asked, by a process that meets a lock
 */
export function watchLocks(monotonicMs: () => number = () => performance.now()): LockWatch {
  const seen = new Map<string, Seen>();
  const checkedMs = new Map<string, number>();

  /** For how long this process has seen the lock as it is. */
  const unchangedMs = (lock: string, { ino, mtimeNs }: BigIntStats): number => {
    const before = seen.get(lock);
    if (before?.ino === ino && before.mtimeNs === mtimeNs) return monotonicMs() - before.sinceMs;
    seen.set(lock, { ino, mtimeNs, sinceMs: monotonicMs() });
    return 0;
  };

  /**
   * Two processes that find the same lock dead must not both remove it: the second would remove the lock that the first
   * has made meanwhile (moxystudio/node-proper-lockfile issue 121). So a lock is judged and removed under a lock of its
   * own that exists for microseconds. Its date also tells the file system's time, by which the age is reckoned: with NFS
   * it is another machine's. Synchronous, so that no signal comes in between.
   */
  const removeIfDead = (lock: string): boolean => {
    const takeover = takeoverOf(lock);
    try {
      mkdirSync(takeover, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      // Another process holds it, or was killed while holding it.
      if (unchangedMs(takeover, lstatSync(takeover, { bigint: true })) > STALE_MS) rmdirSync(takeover);
      return false;
    }
    try {
      const now = lstatSync(takeover, { bigint: true });
      const held = lstatSync(lock, { bigint: true });
      const ageMs = Number(now.mtimeNs - held.mtimeNs) / 1e6;
      if (ageMs <= STALE_MS && unchangedMs(lock, held) <= STALE_MS) return false;
      rmdirSync(lock);
      return true;
    } finally {
      rmdirSync(takeover);
    }
  };

  return {
    clearIfDead: (lock) => {
      try {
        unchangedMs(lock, lstatSync(lock, { bigint: true }));
        const last = checkedMs.get(lock);
        if (last !== undefined && monotonicMs() - last < HEARTBEAT_MS) return false;
        checkedMs.set(lock, monotonicMs());
        return removeIfDead(lock);
      } catch (error) {
        if (errnoOf(error) === "ENOENT") return true;
        throw error;
      }
    },
  };
}

/**
 * Removes what a process left that was killed while it took a lock over; called by the holder of the lock. Should it be a
 * slow one that lives, then it finds the lock held, and that is all it wanted to know.
 */
export function sweepTakeover(lock: string): void {
  try {
    const found = lstatSync(takeoverOf(lock), { bigint: true, throwIfNoEntry: false });
    if (!found) return;
    const ageMs = Number(lstatSync(lock, { bigint: true }).ctimeNs - found.ctimeNs) / 1e6;
    if (ageMs > TAKEOVER_MS) rmdirSync(takeoverOf(lock));
  } catch (error) {
    // It is in nobody's way: the next one may do it.
    if (errnoOf(error) === undefined) throw error;
  }
}

function takeoverOf(lock: string): string {
  return `${lock}.takeover`;
}

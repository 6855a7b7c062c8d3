import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../base/world.ts";

/** What the pauses add up to at least, in milliseconds, as for STS and token servers. */
const RETRY_MS = 15_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/**
 * Asks again while a source of keys fails in passing (IDENTITY_TEMPORARY): the SDK's providers of a machine's keys try
 * twice without a pause. No pause is begun that would outlast the deadline, so that the reason is told.
 *
 * @throws the last failure; what else `work` throws; INTERRUPTED
 */
export async function retryTemporary<T>(work: () => Promise<T>, clock: Clock, deadline: Deadline): Promise<T> {
  let pausedMs = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "IDENTITY_TEMPORARY") throw error;
      const full = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
      const pauseMs = full / 2 + (full / 2) * clock.random();
      if (pausedMs >= RETRY_MS || pauseMs >= deadline.remainingMs()) throw error;
      await clock.sleep(pauseMs, deadline.signal);
      pausedMs += pauseMs;
    }
  }
}

import type { Clock } from "../world.ts";
import type { Deadline } from "../base/deadline.ts";

/** Attempts of a call, the first included. */
export const MAX_ATTEMPTS = 5;

/** The SDK's own figures (smithy's util-retry/retries-2026-config.js and constants.js). */
const BASE_MS = { THROTTLING: 1000, TRANSIENT: 100 };
const LONGEST_MS = 20_000;

interface RetryToken {
  readonly getRetryCount: () => number;
  readonly getRetryDelay: () => number;
}

interface RetryErrorInfo {
  readonly error?: unknown;
  readonly errorType: string;
  readonly retryAfterHint?: Date;
}

const token = (count: number): RetryToken => ({ getRetryCount: () => count, getRetryDelay: () => 0 });

/** Called before each pause, for `--verbose`. */
export type OnRetry = (error: unknown, attempt: number, pauseMs: number) => void;

/**
 * The SDK's standard retries (it says what is transient and calls this; full jitter, doubling, twenty seconds at most),
 * with two differences: pauses end with the deadline and not after it (StandardRetryStrategy sleeps on an uncancelled
 * timer that keeps the process alive), and a pause that would outlast the deadline is not begun, so that the reason is
 * told instead of a timeout.
 *
 * @returns what the SDK takes as `retryStrategy` (smithy's RetryStrategyV2).
 */
export function retryWithin(deadline: Deadline, clock: Clock, onRetry: OnRetry) {
  return {
    mode: "standard",
    acquireInitialRetryToken: async (): Promise<RetryToken> => token(0),
    refreshRetryTokenForRetry: async (used: RetryToken, info: RetryErrorInfo): Promise<RetryToken> => {
      const count = used.getRetryCount() + 1;
      if (info.errorType !== "THROTTLING" && info.errorType !== "TRANSIENT") throw new Error("not transient");
      if (count >= MAX_ATTEMPTS) throw new Error("no attempts left");
      const jittered = clock.random() * Math.min(BASE_MS[info.errorType] * 2 ** (count - 1), LONGEST_MS);
      // As the SDK does, what the server asks for counts up to five seconds more than our own pause.
      const asked = (info.retryAfterHint?.getTime() ?? 0) - clock.now().getTime();
      const pauseMs = Math.max(jittered, Math.min(asked, jittered + 5000));
      if (pauseMs >= deadline.remainingMs()) throw new Error("no time left");
      onRetry(info.error, count, pauseMs);
      await clock.sleep(pauseMs, deadline.signal);
      return token(count);
    },
    recordSuccess: (): void => {},
  };
}

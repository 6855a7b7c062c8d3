import type { Clock } from "../base/world.ts";
import type { Deadline } from "../base/deadline.ts";

/**
 * How long a transient fault is tried again at least, in milliseconds: a resolver, an STS behind a balancer or an issuer
 * that STS cannot reach needs some seconds to come back, and a tool waits for its keys.
 */
const RETRY_MS = 15_000;

/** Attempts of a call at least, the first included, however long each of them takes. */
export const FEWEST_ATTEMPTS = 5;

/** The first pause is the SDK's own (smithy's util-retry/retries-2026-config.js); a throttled call waits longer. */
const BASE_MS = { THROTTLING: 1000, TRANSIENT: 100 };
const LONGEST_MS = { THROTTLING: 20_000, TRANSIENT: 2000 };

interface RetryToken {
  readonly getRetryCount: () => number;
  readonly getRetryDelay: () => number;
}

interface RetryErrorInfo {
  readonly error?: unknown;
  readonly errorType: string;
  readonly retryAfterHint?: Date;
}

/** What the SDK hands from one attempt to the next. */
class Attempts implements RetryToken {
  readonly #count: number;
  /** By the monotonic clock. */
  readonly startedMs: number;
  /** All pauses together. */
  readonly pausedMs: number;

  constructor(count: number, startedMs: number, pausedMs: number) {
    this.#count = count;
    this.startedMs = startedMs;
    this.pausedMs = pausedMs;
  }

  getRetryCount(): number {
    return this.#count;
  }

  getRetryDelay(): number {
    return 0;
  }
}

/** Called before each pause, for `--verbose`. */
export type OnRetry = (error: unknown, attempt: number, pauseMs: number) => void;

/**
 * Tries transient faults again (the SDK says what is transient and calls this) for 15 s and five attempts at least, with
 * doubling pauses, half of each by chance. Pauses end with the deadline (the SDK's StandardRetryStrategy sleeps on an
 * uncancelled timer that keeps the process alive), and a pause that would outlast it is not begun, so that the reason is
 * told instead of a timeout. Permanent faults are never tried again.
 *
 * @returns what the SDK takes as `retryStrategy` (smithy's RetryStrategyV2).
 */
export function retryWithin(deadline: Deadline, clock: Clock, onRetry: OnRetry) {
  return {
    mode: "standard",
    acquireInitialRetryToken: async (): Promise<Attempts> => new Attempts(0, clock.monotonicMs(), 0),
    refreshRetryTokenForRetry: async (used: RetryToken, info: RetryErrorInfo): Promise<Attempts> => {
      if (!(used instanceof Attempts)) throw new TypeError("not a token of this strategy");
      const count = used.getRetryCount() + 1;
      if (info.errorType !== "THROTTLING" && info.errorType !== "TRANSIENT") throw new Error("not transient");
      const triedMs = Math.max(clock.monotonicMs() - used.startedMs, used.pausedMs);
      if (count >= FEWEST_ATTEMPTS && triedMs >= RETRY_MS) throw new Error("tried for long enough");
      const full = Math.min(BASE_MS[info.errorType] * 2 ** (count - 1), LONGEST_MS[info.errorType]);
      const jittered = full / 2 + (full / 2) * clock.random();
      // As the SDK does, what the server asks for counts up to five seconds more than our own pause.
      const asked = (info.retryAfterHint?.getTime() ?? 0) - clock.now().getTime();
      const pauseMs = Math.max(jittered, Math.min(asked, jittered + 5000));
      if (pauseMs >= deadline.remainingMs()) throw new Error("no time left");
      onRetry(info.error, count, pauseMs);
      await clock.sleep(pauseMs, deadline.signal);
      return new Attempts(count, used.startedMs, used.pausedMs + pauseMs);
    },
    recordSuccess: (): void => {},
  };
}

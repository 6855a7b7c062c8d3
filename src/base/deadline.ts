import { setMaxListeners } from "node:events";

import type { Clock } from "./world.ts";
import { Failure } from "./failure.ts";

/**
 * The one deadline of a run. Every wait and every call takes its `signal`; when the time is up the signal is aborted
 * with a `TIMEOUT` failure, when the process is told to stop with an `INTERRUPTED` one.
 */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds left, never below 0. */
  readonly remainingMs: () => number;
  /** Stops the timer; call it when the run is over. */
  readonly clear: () => void;
}

/** For what may still be written after the deadline, and for cleaning up; then the process is killed. */
export const GRACE_MS = 10_000;

/**
 * Starts a deadline of `timeoutMs` from now.
 *
 * @param interrupted aborts the deadline at once, with its own reason.
 */
export function startDeadline(
  timeoutMs: number,
  clock: Pick<Clock, "monotonicMs" | "lastResort">,
  interrupted: AbortSignal,
): Deadline {
  const controller = new AbortController();
  // Every call under way listens: with --concurrency 11 Node would warn on stderr of a leak, and cron would mail it.
  setMaxListeners(0, controller.signal);
  const endsAt = clock.monotonicMs() + timeoutMs;
  const timer = setTimeout(() => {
    controller.abort(timedOut(timeoutMs));
  }, timeoutMs);
  const onInterrupt = () => controller.abort(interrupted.reason);
  if (interrupted.aborted) onInterrupt();
  else interrupted.addEventListener("abort", onInterrupt, { once: true });
  const { lastResort } = clock;
  let spare = lastResort?.watch(timeoutMs + GRACE_MS);
  controller.signal.addEventListener("abort", () => {
    spare?.();
    spare = lastResort?.killAfter(GRACE_MS);
  });
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, endsAt - clock.monotonicMs()),
    clear: () => {
      clearTimeout(timer);
      spare?.();
      interrupted.removeEventListener("abort", onInterrupt);
    },
  };
}

/** The end of a deadline, in tenths of a second: what was left of another one has many digits. */
export function timedOut(timeoutMs: number): Failure {
  return new Failure("TIMEOUT", `timed out after ${Math.round(timeoutMs / 100) / 10} s`, {
    hint: "raise --timeout, or find what is slow with --verbose",
  });
}

/**
 * Lets a deadline's timer and the handlers of signals run in the middle of long synchronous work. One turn of the event loop
 * begins with the timers and ends with `setImmediate` (nodejs.org, "The Node.js Event Loop"); the first of two may be in mid-turn.
 *
 * @throws the reason of `signal` when it is aborted
 */
export async function pauseFor(signal: AbortSignal): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resume) => setImmediate(resume));
  signal.throwIfAborted();
}

/**
 * What to throw when the deadline cut something off: an interruption as it is, a timeout with the name of what was slow.
 *
 * @param what for example `the metadata server at 169.254.169.254 has not answered`
 */
export function interruption(deadline: Deadline, what: string): unknown {
  const reason: unknown = deadline.signal.reason;
  if (!(reason instanceof Failure) || reason.code !== "TIMEOUT") return reason;
  return new Failure("TIMEOUT", `${what}: ${reason.message}`, { hint: reason.hint, cause: reason });
}

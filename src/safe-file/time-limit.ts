import { Failure } from "../base/failure.ts";
import { statPath } from "./calls.ts";

/** For how long a file call may be waited for: a mount whose server is gone blocks it for ever. */
export interface TimeLimit {
  /** Milliseconds; absent: until `interrupted`. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with its reason: the deadline's signal, or the one of SIGTERM. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * Waits for a file call within the limit. The call itself cannot be stopped: it is left behind.
 *
 * @throws Failure TIMEOUT when it takes longer, the signal's reason, and what the work throws
 */
export async function withinLimit<T>(path: string, work: Promise<T>, limit: TimeLimit): Promise<T> {
  const { timeoutMs, interrupted } = limit;
  if (timeoutMs === undefined && interrupted === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => finish(() => reject(interrupted?.reason));
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => finish(() => reject(slow(path, timeoutMs))), timeoutMs);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      interrupted?.removeEventListener("abort", onAbort);
      settle();
    };
    if (interrupted?.aborted) {
      onAbort();
      return;
    }
    interrupted?.addEventListener("abort", onAbort, { once: true });
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}

function slow(path: string, timeoutMs: number): Failure {
  return new Failure("TIMEOUT", `${path} could not be read within ${timeoutMs / 1000} s`, {
    hint: "check that the file system it is on responds: 'df' hangs where a server is gone",
  });
}

/**
 * Waits until the file system of a path responds, whatever it says, so that synchronous calls after it do not block the
 * event loop on a dead mount.
 *
 * @throws Failure TIMEOUT, the signal's reason
 */
export async function awaitFileSystem(path: string, limit: TimeLimit): Promise<void> {
  const look = statPath(path).then(
    () => undefined,
    () => undefined,
  );
  await withinLimit(path, look, limit);
}

import { Failure } from "./failure.ts";
import type { Deadline } from "./deadline.ts";

/**
 * What to throw when the deadline cut something off: an interruption as it is, a timeout with the name of what was slow.
 *
 * @param what for example `the metadata server at 169.254.169.254 has not answered`.
 */
export function interruption(deadline: Deadline, what: string): unknown {
  const reason: unknown = deadline.signal.reason;
  if (!(reason instanceof Failure) || reason.code !== "TIMEOUT") return reason;
  return new Failure("TIMEOUT", `${what}: ${reason.message}`, { hint: reason.hint, cause: reason });
}

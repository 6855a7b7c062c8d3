import { type Deadline, startDeadline } from "../base/deadline.ts";
import type { World } from "../base/world.ts";

/** What a check may use. */
export interface DoctorContext {
  readonly world: World;
  /** The whole run's. */
  readonly deadline: Deadline;
  /** How many calls to STS at a time. */
  readonly concurrency: number;
  /** Takes a line for `--verbose`; it never holds a secret. */
  readonly verbose: (message: string) => void;
}

/** For the machine's own programs: one that hangs (a dead bus, NFS) must not delay the rest. */
export const TOOL_MS = 3_000;
/** For what crosses the network: one hung server leaves time for the others. */
export const NETWORK_MS = 10_000;

/** Runs work with a shorter deadline of its own. */
export async function within<T>(
  context: DoctorContext,
  ms: number,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const { world, deadline } = context;
  // Half of what is left at most: with a short --timeout the later steps still get their turn.
  const allowed = Math.max(1, Math.min(ms, deadline.remainingMs() / 2));
  const own = startDeadline(allowed, world, deadline.signal);
  try {
    return await work(own);
  } finally {
    own.clear();
  }
}

import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../base/world.ts";
import { readTarget, type Snapshot } from "./read-target.ts";
import type { ResolvedFile } from "./sibling-paths.ts";

/** What waiting for a file needs of the process. */
export interface SettledContext {
  readonly clock: Clock;
  readonly deadline: Deadline;
  readonly uid: number | undefined;
}

/** How long an emptied file is given to be filled, by a writer that truncates first. */
const EMPTIED_MS = 1000;
/** How long a file that is written over must have been left alone before it is taken for whole. */
const QUIET_MS = 200;

/**
 * Reads the file once it is whole. Most other tools write over it: they truncate it, then write it in one piece or in
 * several. Reading it in between would lose every other profile (aws-cli issue 10648).
 *
 * @throws Failure FILE_BUSY when the deadline passes first, and what `readTarget` throws
 */
export async function readSettled(file: ResolvedFile, { clock, deadline, uid }: SettledContext): Promise<Snapshot> {
  for (;;) {
    const snapshot = await readTarget(file, uid);
    const waitMs = unsettledMs(snapshot, clock.now());
    if (waitMs === 0) return snapshot;
    await pauseForWriter(file, Math.min(waitMs, EMPTIED_MS / 10), { clock, deadline });
  }
}

/** For how long the file may still be in the middle of a write; 0 when it is not. */
function unsettledMs({ bytes, stamp }: Snapshot, now: Date): number {
  if (!stamp || !bytes) return 0;
  const ageMs = now.getTime() - Number(stamp.mtimeNs / 1_000_000n);
  // A file that came by a rename, as ours do, was changed after it was last written; and it is whole.
  const quietMs = bytes.length === 0 ? EMPTIED_MS : stamp.ctimeNs === stamp.mtimeNs ? QUIET_MS : 0;
  return ageMs < 0 || ageMs > quietMs ? 0 : quietMs - ageMs + 1;
}

/**
 * Waits before a file that another program is changing is read again.
 *
 * @throws Failure FILE_BUSY at the deadline, INTERRUPTED
 */
export async function pauseForWriter(
  file: ResolvedFile,
  ms: number,
  { clock, deadline: { signal } }: Pick<SettledContext, "clock" | "deadline">,
): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    const reason: unknown = signal.reason;
    if (reason instanceof Failure && reason.code === "INTERRUPTED") throw reason;
    throw new Failure("FILE_BUSY", `another program keeps changing ${file.path}`, {
      hint: "find the program with fuser or lsof",
      cause: reason,
    });
  }
}

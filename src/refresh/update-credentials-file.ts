import { type Deadline, pauseFor } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../base/world.ts";
import { keepBackup } from "../safe-file/backup.ts";
import { type FileWarning, parseDocument } from "../credentials-file/document.ts";
import type { EditResult, PendingEdit } from "../credentials-file/edit.ts";
import { type FileOps, systemOps } from "../safe-file/file-ops.ts";
import { healTornFile } from "../safe-file/recover.ts";
import { writeInPlace } from "../safe-file/in-place.ts";
import type { ResolvedFile } from "../safe-file/resolve-file.ts";
import { lockFile } from "../safe-file/lock.ts";
import { readCredentialsFile, type Snapshot } from "../safe-file/read-target.ts";
import {
  type AcceptedEdit,
  acceptEdits,
  composeApart,
  composeFile,
  type Composition,
} from "../credentials-file/accept-edits.ts";
import { ignoringErrors } from "../safe-file/file-handle.ts";
import { expiryWarnings } from "../credentials-file/warnings.ts";
import { replaceFile, sweepTemporaries } from "../safe-file/replace-target.ts";

/** The edits of one file, for one write. */
export interface UpdateRequest {
  readonly file: ResolvedFile;
  readonly edits: readonly PendingEdit[];
  readonly writeMode: "atomic" | "in-place";
}

/** What a write needs of the process. The deadline bounds the wait for the file's lock. */
export interface UpdateContext {
  readonly clock: Clock;
  readonly deadline: Deadline;
  readonly uid: number | undefined;
  readonly ops?: FileOps;
}

/** What a write came to; one profile's failure leaves the others' results as they are. */
export interface UpdateOutcome {
  /** By profile, one for each edit. */
  readonly results: ReadonlyMap<string, EditResult>;
  /** About the file as it is now; empty when nothing was written. */
  readonly warnings: readonly FileWarning[];
  /** The copy that was kept before a section of somebody else was overwritten. */
  readonly backup: string | undefined;
}

/** How long a file that was emptied a moment ago is given to be filled, by a writer that truncates first. */
const EMPTIED_MS = 1000;
/** How long a file that somebody writes over must have been left alone before it is believed to be whole. */
const QUIET_MS = 200;

/**
 * A file that is larger is not looked over for others' mistakes after each write, which would take longer than the write;
 * `doctor` does it. 1 MiB is a thousand sections.
 */
const LARGE = 1024 * 1024;

/**
 * Puts edits into the file, all with one write: lock, read, see what is still wanted and allowed, splice, check, write,
 * unlock. A profile that cannot be written spares the others; a write that fails fails all that were to be in it.
 *
 * @throws Failure when the file cannot be locked (FILE_BUSY, FILE_CANNOT_CREATE) or read (see `readCredentialsFile`)
 */
export async function updateCredentialsFile(request: UpdateRequest, context: UpdateContext): Promise<UpdateOutcome> {
  const { file } = request;
  const { clock, deadline, uid, ops = systemOps } = context;
  const lease = await lockFile(file, clock, deadline);
  try {
    for (;;) {
      const snapshot = await sweepAndRead(file, context, ops);
      const isHealed = snapshot.isTorn && (await healTornFile(snapshot, ops, clock.now(), uid));
      const outcome = isHealed ? undefined : await attempt(request, snapshot, { ...context, ops }, lease.lost);
      if (outcome) return outcome;
      // Somebody who does not know of the lock changed the file meanwhile: once more from the start.
      try {
        await clock.sleep(5 + 20 * clock.random(), deadline.signal);
      } catch {
        throw changing(file, deadline);
      }
    }
  } finally {
    await lease.release();
  }
}

/** The directory is listed for killed runs' leftovers while the file is read. Both are over when this returns or throws: no sweep without the lock. */
async function sweepAndRead(file: ResolvedFile, context: UpdateContext, ops: FileOps): Promise<Snapshot> {
  const [swept, read] = await Promise.allSettled([sweepTemporaries(file, ops), readSettled(file, context)]);
  if (read.status === "rejected") throw read.reason;
  if (swept.status === "rejected") throw swept.reason;
  return read.value;
}

type WriteContext = UpdateContext & { readonly ops: FileOps };

/** @returns undefined when the file changed meanwhile. */
async function attempt(
  request: UpdateRequest,
  snapshot: Snapshot,
  context: WriteContext,
  lost: AbortSignal,
): Promise<UpdateOutcome | undefined> {
  const { signal } = context.deadline;
  const document = parseDocument(snapshot);
  const results = new Map<string, EditResult>();
  const chosen = acceptEdits(document, request.edits, results);
  if ((snapshot.bytes?.length ?? 0) > LARGE) await pauseFor(signal);
  const together = composeFile(document, chosen);
  const outcome = await write(request, snapshot, together, results, context, lost);
  if (outcome !== "refused") return outcome;
  const apart = await composeApart(document, chosen, results, () => pauseFor(signal));
  const second = await write(request, snapshot, apart, results, context, lost);
  if (second === "refused") throw new Error("the guard refuses what it let pass");
  return second;
}

/** @returns undefined when the file changed meanwhile, "refused" when the guard does not let all of it pass. */
async function write(
  request: UpdateRequest,
  snapshot: Snapshot,
  { content, accepted, passesGuard }: Composition,
  results: Map<string, EditResult>,
  { clock, ops, deadline }: WriteContext,
  lost: AbortSignal,
): Promise<UpdateOutcome | "refused" | undefined> {
  const settle = (result: EditResult) => {
    for (const { profile } of accepted) results.set(profile, result);
  };
  if (!content) {
    settle({ kind: "written", changed: false });
    return { results, warnings: [], backup: undefined };
  }
  let backup: string | undefined;
  let isWritten = false;
  try {
    backup = await backupFor(snapshot, accepted, ops, clock.now());
    const put = request.writeMode === "in-place" ? writeInPlace : replaceFile;
    const outcome = await put(snapshot, content, passesGuard, { ops, lost, deadline });
    isWritten = outcome === "written";
    if (outcome === "refused") return outcome;
    if (outcome === "changed") return undefined;
    settle({ kind: "written", changed: true });
    return { results, warnings: warningsAfter(request, snapshot, content), backup };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    settle({ kind: "failed", failure: error });
    return { results, warnings: [], backup: undefined };
  } finally {
    if (!isWritten && backup !== undefined) await ignoringErrors(ops.unlink(backup));
  }
}

async function backupFor(
  snapshot: Snapshot,
  accepted: readonly AcceptedEdit[],
  ops: FileOps,
  now: Date,
): Promise<string | undefined> {
  if (snapshot.bytes === undefined || !accepted.some(({ isForeign }) => isForeign)) return undefined;
  return await keepBackup(snapshot, snapshot.bytes, ops, now);
}

function warningsAfter(
  { file, writeMode, edits }: UpdateRequest,
  { stamp }: Snapshot,
  content: Buffer,
): readonly FileWarning[] {
  const document = parseDocument({ file, bytes: content.length <= LARGE ? content : undefined });
  const written = edits.filter(({ edit }) => edit.kind === "write").map(({ profile }) => profile);
  const warnings = [...document.warnings, ...expiryWarnings(document, written)];
  if (writeMode === "in-place" || !stamp || stamp.nlink < 2) return warnings;
  const message =
    "the file had a second name (hard link), which keeps the old credentials: set write_mode = in-place, or make it a symbolic link";
  return [...warnings, { line: 1, readers: [], message }];
}

/**
 * Reads the file, when it is whole. Most other tools write over it: they cut it to nothing, then write it in one piece or
 * in several. To believe it in between would lose every other profile (aws-cli issue 10648).
 */
async function readSettled(file: ResolvedFile, { clock, deadline, uid }: UpdateContext): Promise<Snapshot> {
  for (;;) {
    const snapshot = await readCredentialsFile(file, uid);
    const waitMs = unsettledMs(snapshot, clock.now());
    if (waitMs === 0) return snapshot;
    try {
      await clock.sleep(Math.min(waitMs, EMPTIED_MS / 10), deadline.signal);
    } catch {
      throw changing(file, deadline);
    }
  }
}

/** For how long the file may still be in the middle of a write; 0 when it is not. */
function unsettledMs({ bytes, stamp }: Snapshot, now: Date): number {
  if (!stamp || !bytes) return 0;
  const ageMs = now.getTime() - Number(stamp.mtimeNs / 1_000_000n);
  // One that came by a rename, as ours do, was changed after it was written last; and it is whole.
  const quietMs = bytes.length === 0 ? EMPTIED_MS : stamp.ctimeNs === stamp.mtimeNs ? QUIET_MS : 0;
  return ageMs < 0 || ageMs > quietMs ? 0 : quietMs - ageMs + 1;
}

function changing(file: ResolvedFile, { signal }: Deadline): Failure {
  const reason: unknown = signal.reason;
  if (reason instanceof Failure && reason.code === "INTERRUPTED") return reason;
  return new Failure("FILE_BUSY", `another program keeps changing ${file.path}`, {
    hint: "find out which: fuser, or lsof",
    cause: reason,
  });
}

import { type Deadline, pauseFor } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../base/world.ts";
import {
  type AcceptedEdit,
  acceptEdits,
  composeApart,
  composeFile,
  type Composition,
} from "../credentials-file/accept-edits.ts";
import { parseDocument } from "../credentials-file/document.ts";
import type { EditResult, PendingEdit } from "../credentials-file/edit.ts";
import { expiryWarnings, type FileWarning } from "../credentials-file/warnings.ts";
import { keepBackup } from "../safe-file/backup.ts";
import { type FileOps, ignoringErrors, systemOps } from "../safe-file/file-ops.ts";
import { recoverIncomplete, writeInPlace } from "../safe-file/in-place.ts";
import { lockFile } from "../safe-file/lock.ts";
import { pauseForWriter, readSettled } from "../safe-file/read-settled.ts";
import type { Snapshot } from "../safe-file/read-target.ts";
import { replaceFile, sweepTemporaries, type Writing } from "../safe-file/replace-target.ts";
import type { ResolvedFile } from "../safe-file/sibling-paths.ts";

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
  /** For files whose rights depend on an access control list. */
  readonly umask?: Writing["umask"];
  readonly ops?: FileOps;
}

/** How a write ended; one profile's failure leaves the others' results as they are. */
export interface UpdateOutcome {
  /** By profile, one for each edit. */
  readonly results: ReadonlyMap<string, EditResult>;
  /** About the file as it is now; empty when nothing was written. */
  readonly warnings: readonly FileWarning[];
  /** The copy made before a section that rolefresh did not write was overwritten. */
  readonly backup: string | undefined;
}

/** One try under the lock: what was read, and how each edit has ended so far. */
interface Attempt {
  readonly request: UpdateRequest;
  readonly snapshot: Snapshot;
  readonly context: UpdateContext & { readonly ops: FileOps };
  /** Aborted when the lock is lost. */
  readonly lost: AbortSignal;
  readonly results: Map<string, EditResult>;
}

/**
 * Larger files are not checked for others' mistakes after each write, which would take longer than the write; `doctor`
 * does it. 1 MiB is a thousand sections.
 */
const LARGE = 1024 * 1024;

/**
 * Puts edits into the file, all with one write: lock, read, see what is still wanted and allowed, edit, check, write,
 * unlock. A profile that cannot be written spares the others; a write that fails fails all that were to be in it.
 *
 * @throws Failure when the file cannot be locked (FILE_BUSY, FILE_CANNOT_CREATE) or read (see `readTarget`)
 */
export async function updateCredentialsFile(request: UpdateRequest, given: UpdateContext): Promise<UpdateOutcome> {
  const { file } = request;
  const context = { ...given, ops: given.ops ?? systemOps };
  const { clock, deadline, uid, ops } = context;
  const lease = await lockFile(file, clock, deadline);
  try {
    for (;;) {
      const snapshot = await sweepAndRead(file, context);
      const isHealed = snapshot.isIncomplete && (await recoverIncomplete(snapshot, ops, clock.now(), uid));
      const attempt = { request, snapshot, context, lost: lease.lost, results: new Map<string, EditResult>() };
      const outcome = isHealed ? undefined : await tryUpdate(attempt);
      if (outcome) return outcome;
      // A program that does not use the lock changed the file meanwhile: once more from the start.
      await pauseForWriter(file, 5 + 20 * clock.random(), context);
    }
  } finally {
    await lease.release();
  }
}

/** Lists the directory for killed runs' leftovers while the file is read. Waits for both: no sweep without the lock. */
async function sweepAndRead(file: ResolvedFile, context: Attempt["context"]): Promise<Snapshot> {
  const [swept, read] = await Promise.allSettled([sweepTemporaries(file, context.ops), readSettled(file, context)]);
  if (read.status === "rejected") throw read.reason;
  if (swept.status === "rejected") throw swept.reason;
  return read.value;
}

/** @returns undefined when the file changed meanwhile */
async function tryUpdate(attempt: Attempt): Promise<UpdateOutcome | undefined> {
  const { request, snapshot, context, results } = attempt;
  const { signal } = context.deadline;
  const document = parseDocument(snapshot);
  const accepted = acceptEdits(document, request.edits, results);
  if ((snapshot.bytes?.length ?? 0) > LARGE) await pauseFor(signal);
  const together = await write(attempt, composeFile(document, accepted));
  if (together !== "refused") return together;
  const apart = await write(attempt, await composeApart(document, accepted, results, () => pauseFor(signal)));
  if (apart === "refused") throw new Error("the guard refuses what it let pass");
  return apart;
}

/** @returns undefined when the file changed meanwhile, "refused" when the guard refuses it */
async function write(
  { request, snapshot, context, lost, results }: Attempt,
  { content, accepted, passesGuard }: Composition,
): Promise<UpdateOutcome | "refused" | undefined> {
  const settle = (result: EditResult) => {
    for (const { profile } of accepted) results.set(profile, result);
  };
  if (!content) {
    settle({ kind: "written", changed: false });
    return { results, warnings: [], backup: undefined };
  }
  const { clock, ops, deadline, umask } = context;
  let backup: string | undefined;
  let isWritten = false;
  try {
    backup = await backupFor(snapshot, accepted, ops, clock.now());
    const put = request.writeMode === "in-place" ? writeInPlace : replaceFile;
    const outcome = await put(snapshot, content, passesGuard, { ops, lost, deadline, umask });
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
    "the file had a second hard link, which keeps the old credentials: set write_mode = in-place, or use a symbolic link";
  return [...warnings, { line: 1, readers: [], message }];
}

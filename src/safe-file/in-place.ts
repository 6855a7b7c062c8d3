import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { errnoOf } from "../base/failure.ts";
import { journalOf, reachOf, shownPath } from "./sibling-paths.ts";
import { fileFailure, unchangedHint } from "./file-failure.ts";
import { type FileOps, ignoringErrors, markComplete, writeAll } from "./file-ops.ts";
import { readJournal, toJournal } from "./journal.ts";
import { sameStamp, type Snapshot, toStamp } from "./read-target.ts";
import {
  makePrivate,
  replaceFile,
  syncDirectory,
  type WriteOutcome,
  writeTemporary,
  type Writing,
} from "./replace-target.ts";
import { keepBackup } from "./backup.ts";

/**
 * Writes over a file, for where it cannot be renamed (a single file mounted into a container; DESIGN, `write_mode`). While
 * it lasts, a journal beside the file holds the old and the new content, so that a run that is killed in the middle loses
 * nothing: see `recoverIncomplete`. A reader may see half of it; that is the price of this mode.
 *
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED; the old content is back, or still in the journal.
 */
export async function writeInPlace(
  snapshot: Snapshot,
  content: Buffer,
  approve: () => boolean,
  writing: Writing,
): Promise<WriteOutcome> {
  const { ops, lost } = writing;
  const { file, stamp, bytes: old } = snapshot;
  if (!stamp || !old) return await replaceFile(snapshot, content, approve, writing);
  const journal = journalOf(file);
  const temporary = await writeTemporary(
    { file, content: toJournal(old, content), approve, finish: (handle) => makePrivate(handle, stamp) },
    ops,
  );
  if (temporary === undefined) return "refused";
  try {
    await ops.rename(temporary, journal);
  } catch (error) {
    await ignoringErrors(ops.unlink(temporary));
    throw fileFailure("FILE_WRITE_FAILED", `cannot keep a copy beside ${file.path}`, error, "the file is unchanged");
  }
  await syncDirectory(file, ops);
  let isClean = true;
  try {
    const handle = await openUnchanged(snapshot, ops);
    if (!handle) return "changed";
    try {
      lost.throwIfAborted();
      isClean = false;
      await overwrite(handle, content, old);
      isClean = true;
      return "written";
    } finally {
      await ignoringErrors(handle.close());
    }
  } catch (error) {
    if (error instanceof RestoredError) isClean = true;
    const cause = error instanceof RestoredError ? error.cause : error;
    throw fileFailure(
      "FILE_WRITE_FAILED",
      `cannot write ${file.path}`,
      cause,
      isClean
        ? unchangedHint(file, cause)
        : "the next run restores the file; until then its old content is in " + shownPath(file, journal),
    );
  } finally {
    if (isClean) await ignoringErrors(ops.unlink(journal));
  }
}

/** The write failed, and the old content is back. */
class RestoredError extends Error {
  override readonly name = "RestoredError";
}

/**
 * Opens the very file of the snapshot for writing over it; links were resolved before.
 *
 * @returns undefined when it was changed, or another one was put in its place: to root that could be a link to any file
 * @throws the system's error
 */
export async function openUnchanged({ file, stamp }: Snapshot, ops: FileOps): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await ops.open(reachOf(file), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
  let isSame = false;
  try {
    isSame = sameStamp(toStamp(await handle.stat({ bigint: true })), stamp);
    return isSame ? handle : undefined;
  } finally {
    if (!isSame) await ignoringErrors(handle.close());
  }
}

/** Longer or equal first, cut to length last: at no moment is the file shorter than the shorter of the two. */
async function overwrite(handle: FileHandle, bytes: Buffer, old: Buffer): Promise<void> {
  try {
    await writeAll(handle, bytes, 0);
    await handle.sync();
    if (bytes.length < old.length) {
      await handle.truncate(bytes.length);
      await handle.sync();
    }
    await markComplete(handle);
  } catch (error) {
    // The blocks of the old content are still the file's, so a full disk does not keep it from going back.
    await writeAll(handle, old, 0);
    await handle.truncate(old.length);
    await handle.sync();
    throw new RestoredError("the write failed", { cause: error });
  }
}

/**
 * Restores a file whose in-place write did not finish. Called under the file's lock.
 *
 * The content is compared with the journal: the old or the new one whole means that there is nothing to do. A torn one
 * has the old or the new byte at every place, and a length between the two; then the new content, which was approved
 * before, is written again. Anything else was edited since, and stays; the
 * old content is kept as a backup, so that nothing is ever lost.
 *
 * @returns whether the file was written, here or by another process meanwhile, so that it must be read again.
 * @throws Failure FILE_UNSAFE for a journal that is not to be believed; FILE_WRITE_FAILED, FILE_CANNOT_CREATE
 */
export async function recoverIncomplete(
  snapshot: Snapshot,
  ops: FileOps,
  now: Date,
  uid: number | undefined,
): Promise<boolean> {
  const path = journalOf(snapshot.file);
  const journal = await readJournal(snapshot, ops, path, uid);
  if (!journal) return false;
  const { bytes } = snapshot;
  const { old, next } = journal;
  if (bytes && (bytes.equals(old) || bytes.equals(next))) {
    await ignoringErrors(ops.unlink(path));
    return false;
  }
  if (!bytes || !isMixture(bytes, old, next)) {
    await keepBackup(snapshot, old, ops, now);
    await ignoringErrors(ops.unlink(path));
    return false;
  }
  let handle: FileHandle | undefined;
  try {
    handle = await openUnchanged(snapshot, ops);
    if (!handle) return true;
    await writeAll(handle, next, 0);
    await handle.truncate(next.length);
    await handle.sync();
    await markComplete(handle);
  } catch (error) {
    throw fileFailure(
      "FILE_WRITE_FAILED",
      `cannot write ${snapshot.file.path}`,
      error,
      `its old content is in ${shownPath(snapshot.file, path)}`,
    );
  } finally {
    if (handle) await ignoringErrors(handle.close());
  }
  await ignoringErrors(ops.unlink(path));
  return true;
}

/** Whether some of `next` was written over `old`, in blocks of any size and any order (a power cut keeps no order). */
function isMixture(bytes: Buffer, old: Buffer, next: Buffer): boolean {
  const [shorter, longer] = [Math.min(old.length, next.length), Math.max(old.length, next.length)];
  if (bytes.length < shorter || bytes.length > longer) return false;
  return bytes.every((byte, at) => byte === old[at] || byte === next[at]);
}

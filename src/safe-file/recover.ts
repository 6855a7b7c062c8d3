import type { FileHandle } from "node:fs/promises";
import { keepBackup } from "./backup.ts";
import { journalOf, shownPath } from "./sibling-paths.ts";
import { fileFailure } from "./file-failure.ts";
import type { FileOps } from "./file-ops.ts";
import { openUnchanged } from "./in-place.ts";
import { readJournal } from "./journal.ts";
import type { Snapshot } from "./read-target.ts";
import { ignoringErrors, markComplete, writeAll } from "./file-handle.ts";

/**
 * Puts right a file whose in-place write did not finish. Called under the file's lock.
 *
 * The content is compared with the journal: the old or the new one whole means that there is nothing to do. A torn one
 * has the old or the new byte at every place, and a length between the two; then the new content, which passed the guard
 * and holds credentials already paid for, is written again. Anything else was edited by somebody since, and stays; the
 * old content is kept as a backup, so that nothing is ever lost.
 *
 * @returns whether the file was written, here or by somebody else meanwhile, so that it must be read again.
 * @throws Failure FILE_UNSAFE for a journal that is not to be believed; FILE_WRITE_FAILED, FILE_CANNOT_CREATE
 */
export async function healTornFile(
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
      "cannot write",
      snapshot.file.path,
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

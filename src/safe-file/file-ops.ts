// oxlint-disable-next-line no-restricted-imports -- the calls that write; what they open to read is a journal, judged by its descriptor
import * as fs from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errnoOf } from "../base/failure.ts";
import { siblingPath, type ResolvedFile } from "./sibling-paths.ts";
import { randomBytes } from "node:crypto";

/** The calls with which files are written, as an argument so that tests can make each of them fail. */
export type FileOps = Pick<typeof fs, "open" | "rename" | "unlink" | "lstat" | "readdir">;

/** The real file system; only tests pass another. */
export const systemOps: FileOps = fs;

/** A new temp file's name: `.credentials.rolefresh-0123456789abcdef`. */
export function temporaryName(file: ResolvedFile): string {
  return siblingPath(file, `rolefresh-${randomBytes(8).toString("hex")}`);
}

/** Whose a file is to be. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Writes everything; the kernel may take less at a time than it is given (write(2): "partial write"). */
export async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/**
 * Gives a file that root made to the user whose directory or file it belongs to: left as root's, its owner could not read
 * it, and root would later take for its own what that user moved elsewhere. Files that anybody else made stay theirs.
 */
export async function giveTo(owner: Owner, handle: FileHandle): Promise<void> {
  const { uid } = await handle.stat();
  if (uid === 0 && owner.uid !== 0) await handle.chown(owner.uid, owner.gid);
}

/**
 * Dates a file that was just written a millisecond back. A file whose times of the last write and the last change are the
 * same may be in the middle of being written (read-settled.ts); one tick of the kernel's clock, 4 ms, often
 * holds both. Nobody can set the time of the last change, so after this they differ, whatever the steps of the file
 * system's times are (but on FAT, which keeps one time for both: there our own files are waited for, too).
 */
export async function markComplete(handle: FileHandle): Promise<void> {
  const { mtimeNs } = await handle.stat({ bigint: true });
  const seconds = Number(mtimeNs / 1_000_000n - 1n) / 1000;
  // Only the owner may set times (utimensat(2)), and some network file systems let nobody: the next writer waits then.
  await ignoringErrors(handle.utimes(seconds, seconds));
}

/** For clean-up after a failure, which must not hide the failure itself. */
export async function ignoringErrors(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

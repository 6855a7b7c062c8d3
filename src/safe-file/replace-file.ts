import { link, lstat, open, rename, rm, unlink } from "node:fs/promises";
import { errnoOf } from "../base/failure.ts";
import { giveTo, ignoringErrors } from "./file-handle.ts";
import type { Place } from "./place.ts";

/** What is written. */
export interface FileText {
  readonly text: string;
  /** Of the file, whatever the umask. */
  readonly mode: number;
  /**
   * What makes the temporary name this process's own; what a killed run left there, or somebody planted, is removed and
   * never written through.
   */
  readonly unique: number | string;
}

/**
 * Writes a small file of our own so that a reader sees the old or the new text, never a part: a temporary file beside it,
 * written, synced, renamed. (The credentials file has its own, stricter way: `safe-file/replace-target.ts`.)
 *
 * @throws the system's error; no temporary file is left
 */
export async function replaceFile(place: Place, file: FileText): Promise<void> {
  await writeThen(place, file, rename);
}

/**
 * The same where no file must be replaced.
 *
 * @throws the system's error, EEXIST where something has the name; no temporary file is left
 */
export async function createFile(place: Place, file: FileText): Promise<void> {
  await writeThen(place, file, linkThere);
}

async function writeThen(
  { reach, owner }: Place,
  { text, mode, unique }: FileText,
  put: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const temporary = `${reach}.${unique}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, "wx", mode);
  try {
    try {
      await handle.chmod(mode);
      await giveTo(owner, handle);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await put(temporary, reach);
  } catch (error) {
    await ignoringErrors(unlink(temporary));
    throw error;
  }
}

/** Not every file system has hard links (exFAT, some FUSE): there the name is looked at just before the rename. */
async function linkThere(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
    await unlink(temporary);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "ENOSYS"].includes(errnoOf(error) ?? "")) throw error;
    if (await isTaken(target)) throw Object.assign(new Error(`${target} is there`), { code: "EEXIST" });
    await rename(temporary, target);
  }
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

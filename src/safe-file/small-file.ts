import { lstatSync } from "node:fs";
import { link, lstat, open, rename, rm, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../base/failure.ts";
import { holdDirectory } from "./directory-handle.ts";
import { giveTo, ignoringErrors, type Owner } from "./file-ops.ts";
import { checkOwners, resolveFile } from "./resolve-file.ts";
import { makeDirectories } from "./make-directories.ts";

/** Where a file of our own is written. */
export interface Place {
  /** As people know it. */
  readonly path: string;
  /** By what it is written: as root in a directory that others can change, by the directory that root holds open. */
  readonly reach: string;
  /** The owner of the directory: what root makes there belongs to that user. */
  readonly owner: Owner;
}

/**
 * Finds where a file of our own is to be written, and for root holds its directory, so that nothing that another user puts
 * in its way is written through.
 *
 * @param uid the effective user
 * @param options `followsLink`: a link at the path itself stays, and what it points to is written; otherwise a rename
 *   replaces the link. `makesDirectory`: what is missing of the directory is made, for its owner alone.
 * @throws Failure FILE_UNSAFE for a link or a directory on the way that another user may have made; the system's error
 *   when there is no such directory
 */
export async function openPlace(
  path: string,
  uid: number | undefined,
  { followsLink = false, makesDirectory = false }: { followsLink?: boolean; makesDirectory?: boolean } = {},
): Promise<Place> {
  const target = followsLink
    ? (await resolveFile(path, uid)).target
    : join((await resolveFile(dirname(path), uid)).target, basename(path));
  const directory = dirname(target);
  if (makesDirectory) makeDirectories(directory, path, uid);
  if (uid === 0) checkOwners(directory, path);
  const reach = holdDirectory(directory, path, uid);
  return { path, reach: join(reach, basename(target)), owner: lstatSync(`${reach}/.`) };
}

/**
 * Removes a file where it is written.
 *
 * @returns false when there was none
 * @throws as openPlace; the system's error
 */
export async function removeFile(path: string, uid: number | undefined): Promise<boolean> {
  try {
    await unlink((await openPlace(path, uid)).reach);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

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
 * written, synced, renamed. (A file that others write too is replaced under its lock: `replace-target.ts`.)
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

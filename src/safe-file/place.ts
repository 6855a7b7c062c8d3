import { lstatSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../base/failure.ts";
import { holdDirectory } from "./directory-handle.ts";
import type { Owner } from "./file-handle.ts";
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

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../base/failure.ts";
import { holdDirectory, swapped } from "./directory-handle.ts";

const PRIVATE = 0o700;

/**
 * Makes a directory and those above it that are missing, each for its owner alone, whatever the umask.
 *
 * Root makes them inside directories that it holds open, so that a link that another user puts there meanwhile leads
 * nowhere, and gives each to the owner of the one that it is in: `.aws` in a user's home is that user's.
 *
 * @param directory absolute; for root without symbolic links
 * @param path the file that it is for, for the message
 * @throws Failure FILE_UNSAFE when another user put something else in a directory's place; the system's error
 */
export function makeDirectories(directory: string, path: string, uid: number | undefined): void {
  const missing: string[] = [];
  let at = directory;
  while (!isThere(at)) {
    missing.unshift(basename(at));
    at = dirname(at);
  }
  for (const name of missing) {
    makeIn(at, name, path, uid);
    at = join(at, name);
  }
  holdDirectory(directory, path, uid);
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function makeIn(parent: string, name: string, path: string, uid: number | undefined): void {
  const reach = holdDirectory(parent, path, uid);
  const made = join(reach, name);
  try {
    mkdirSync(made, { mode: PRIVATE });
  } catch (error) {
    // Another process was faster. Whose it is, and whether it is a link, is looked at when it is held.
    if (errnoOf(error) === "EEXIST") return;
    throw error;
  }
  if (reach === parent) {
    if ((lstatSync(made).mode & 0o777) !== PRIVATE) chmodSync(made, PRIVATE);
    return;
  }
  const descriptor = openSync(made, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    // Root's and empty: it is the one that was made, and nothing of root's is given away with it.
    const isOurs = fstatSync(descriptor).uid === 0 && readdirSync(`/proc/self/fd/${descriptor}`).length === 0;
    if (!isOurs) throw swapped(join(parent, name), path);
    const owner = statSync(`${reach}/.`);
    fchmodSync(descriptor, PRIVATE);
    fchownSync(descriptor, owner.uid, owner.gid);
  } finally {
    closeSync(descriptor);
  }
}

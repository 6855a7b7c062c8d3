import { constants } from "node:fs";
import { access, link, lstat, mkdir, open, realpath, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { errnoOf, Failure } from "../../base/failure.ts";
import { fileFailure } from "../../safe-file/file-failure.ts";

/**
 * Whether something stands at the path, a dangling symbolic link included.
 *
 * @throws Failure FILE_CANNOT_CREATE when it cannot be looked at
 */
export async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return false;
    if (errno === undefined) throw error;
    throw fileFailure("FILE_CANNOT_CREATE", "cannot create", path, error);
  }
}

/** What is thrown when a config is there and `--force` is not given. */
export function taken(path: string): Failure {
  return new Failure("FILE_CANNOT_CREATE", `there is already a config ${path}`, {
    hint: "add a section to it, or replace it with --force",
  });
}

/**
 * Writes the config whole or not at all: a private temp file beside it, synced, then linked to its name, which fails when
 * the name is taken, or with `replace` renamed over it. Its directory is made 0700 where it is missing, the file is 0600.
 *
 * @param suffix makes the temp file's name its own
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED; the old file, if any, stays as it was
 */
export async function writeConfigFile(path: string, text: string, replace: boolean, suffix: string): Promise<void> {
  const target = replace ? await resolved(path) : path;
  const temporary = `${target}.${suffix}.tmp`;
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await access(dirname(target), constants.W_OK | constants.X_OK);
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } catch (error) {
      await unlink(temporary);
      throw fileFailure("FILE_WRITE_FAILED", "cannot write", path, error);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileFailure(
      "FILE_CANNOT_CREATE",
      "cannot create",
      path,
      error,
      `the directory ${dirname(target)} must be writable`,
    );
  }
  try {
    await (replace ? rename(temporary, target) : place(temporary, target));
  } catch (error) {
    throw errnoOf(error) === "EEXIST" ? taken(path) : fileFailure("FILE_WRITE_FAILED", "cannot write", path, error);
  } finally {
    await unlink(temporary).catch(ignoreMissing);
  }
}

/** Not every file system has hard links (exFAT, some FUSE): there the name is looked at just before the rename. */
async function place(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== "EPERM" && errno !== "ENOTSUP" && errno !== "ENOSYS") throw error;
    if (await isTaken(target)) throw taken(target);
    await rename(temporary, target);
  }
}

/** A symlinked config stays a symlink. */
async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path;
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== "ENOENT") throw error;
}

import { constants } from "node:fs";
import { access, lstat } from "node:fs/promises";
import { dirname } from "node:path";

import { errnoOf, Failure } from "../base/failure.ts";
import { fileFailure } from "../safe-file/file-failure.ts";
import { createFile, openPlace, replaceFile } from "../safe-file/small-file.ts";
import type { World } from "../base/world.ts";

/** Errors of the directory, not of the file. */
const DIRECTORY_ERRORS: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
]);

/**
 * Whether something is at the path, a dangling symbolic link included.
 *
 * @throws Failure FILE_CANNOT_CREATE when the directory cannot be searched
 */
export async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return false;
    if (errno === undefined) throw error;
    throw fileFailure("FILE_CANNOT_CREATE", `cannot create ${path}`, error);
  }
}

/** The failure when a config exists and `--force` is not given. */
export function configExists(path: string): Failure {
  return new Failure("FILE_CANNOT_CREATE", `the config ${path} already exists`, {
    hint: "add a section to it, or replace it with --force",
  });
}

/** A config to be written. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
  /** Replace an existing one; a symlinked one stays a symlink. */
  readonly replace: boolean;
}

/**
 * Writes the config whole or not at all: a private temp file beside it, synced, then linked to its name, which fails when
 * the name is taken, or with `replace` renamed over it. Its directory is made 0700 where it is missing, the file is 0600;
 * what root makes in another user's directory is that user's.
 *
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED; FILE_UNSAFE as root where another user leads the path elsewhere.
 *   The old file, if any, stays as it was.
 */
export async function writeConfigFile(config: ConfigFile, { pid, uid }: Pick<World, "pid" | "uid">): Promise<void> {
  const { path, text, replace } = config;
  try {
    const place = await openPlace(path, uid, { followsLink: replace, makesDirectory: true });
    await access(dirname(place.reach), constants.W_OK | constants.X_OK);
    await (replace ? replaceFile : createFile)(place, { text, mode: 0o600, unique: `rolefresh-${pid}` });
  } catch (error) {
    const errno = errnoOf(error) ?? "";
    if (errno === "EEXIST") throw configExists(path);
    if (!DIRECTORY_ERRORS.has(errno)) throw fileFailure("FILE_WRITE_FAILED", `cannot write ${path}`, error);
    const hint =
      dirname(path) === "/.aws"
        ? "HOME is '/': set HOME to a writable directory, or name the config with --config"
        : `make the directory ${dirname(path)} writable`;
    throw fileFailure("FILE_CANNOT_CREATE", `cannot create ${path}`, error, hint);
  }
}

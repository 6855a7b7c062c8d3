import { errnoOf, type Failure } from "../base/failure.ts";
import { fileFailure } from "./file-failure.ts";
import type { ResolvedFile } from "./resolve-file.ts";
import { directoryOf } from "./sibling-paths.ts";

/** The failure of putting the new file in the place of the old one, which stays as it was. */
export function renameFailure(file: ResolvedFile, error: unknown): Failure {
  const errno = errnoOf(error);
  // rename(2): EBUSY for a mount point, as a single file mounted into a container is one.
  const isMount = errno === "EBUSY" || errno === "EXDEV";
  return fileFailure(
    "FILE_WRITE_FAILED",
    "cannot replace",
    file.path,
    error,
    isMount
      ? "a single file mounted into a container cannot be replaced: set write_mode = in-place, or mount the directory"
      : unchangedHint(file, error),
  );
}

/** What to look at when a file could not be written and is as it was. */
export function unchangedHint(file: ResolvedFile, error: unknown): string {
  // rename(2), open(2): EPERM for an immutable or append-only file, and for another user's in a sticky directory.
  return errnoOf(error) === "EPERM"
    ? `check whether it is immutable (lsattr ${file.target}), or another user's in a sticky directory (ls -ld ${directoryOf(file)})`
    : "the file is as it was";
}

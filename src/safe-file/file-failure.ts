import { errnoOf, Failure, type FailureCode } from "../base/failure.ts";
import { directoryOf, type ResolvedFile } from "./sibling-paths.ts";

const IN_WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "input/output error",
  EBUSY: "the file is in use as a mount point",
  EXDEV: "the file is on another file system than its directory",
  EMFILE: "too many open files",
  ENFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  EEXIST: "the name is taken",
  ESTALE: "the file server no longer knows the file (stale handle)",
  EFBIG: "it would be larger than this process may write (ulimit -f)",
  EISDIR: "it is a directory",
};

/**
 * Turns an error of the file system into a failure; anything else is a bug and is thrown as it is.
 *
 * @param problem what failed, with the file: `cannot write /path`
 */
export function fileFailure(code: FailureCode, problem: string, error: unknown, hint?: string): Failure {
  if (error instanceof Failure) return error;
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return new Failure(code, `${problem}: ${IN_WORDS[errno] ?? errno}`, { hint, cause: error });
}

/** The failure of putting the new file in the place of the old one, which stays as it was. */
export function renameFailure(file: ResolvedFile, error: unknown): Failure {
  const errno = errnoOf(error);
  if (errno === "ENOENT") {
    // A process that was frozen for longer than its lock lives finds its temporary file swept by the next holder.
    return new Failure("FILE_BUSY", `another process took over the lock of ${file.path}`, {
      hint: "the file is unchanged by this run; the next run will retry",
      cause: error,
    });
  }
  // rename(2): EBUSY for a mount point, as a single file mounted into a container is one.
  const isMount = errno === "EBUSY" || errno === "EXDEV";
  return fileFailure(
    "FILE_WRITE_FAILED",
    `cannot replace ${file.path}`,
    error,
    isMount
      ? "a single file mounted into a container cannot be replaced: set write_mode = in-place, or mount the directory"
      : unchangedHint(file, error),
  );
}

/** What to check when a file could not be written and is unchanged. */
export function unchangedHint(file: ResolvedFile, error: unknown): string {
  // rename(2), open(2): EPERM for an immutable or append-only file, and for another user's in a sticky directory.
  return errnoOf(error) === "EPERM"
    ? `check whether it is immutable (lsattr ${file.target}), or another user's in a sticky directory (ls -ld ${directoryOf(file)})`
    : "the file is unchanged";
}

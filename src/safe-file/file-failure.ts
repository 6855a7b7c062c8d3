import { errnoOf, Failure, type FailureCode } from "../base/failure.ts";

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
 * @param what what was tried, to be followed by the file: `cannot write`.
 */
export function fileFailure(code: FailureCode, what: string, path: string, error: unknown, hint?: string): Failure {
  if (error instanceof Failure) return error;
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return new Failure(code, `${what} ${path}: ${IN_WORDS[errno] ?? errno}`, { hint, cause: error });
}

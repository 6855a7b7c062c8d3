import { errnoOf, Failure } from "../base/failure.ts";
import { openPlace, removeFile, replaceFile } from "../safe-file/small-file.ts";
import { readFileSafely } from "../safe-file/read-file.ts";

/** Unit files and property lists: files of ours, with a mark and without secrets, in shared directories. */

/** Whether a file exists, and whether rolefresh wrote it. */
export type ManagedFileState = "absent" | "ours" | "foreign";

/**
 * Whether rolefresh wrote a file.
 *
 * @throws Failure SCHEDULER_DENIED, SCHEDULE_WRITE_FAILED when it cannot be looked at
 */
export async function managedFileState(path: string, mark: string): Promise<ManagedFileState> {
  const content = await contentOf(path);
  if (typeof content !== "string") return content.state;
  return content.includes(mark) ? "ours" : "foreign";
}

/** A unit is a page of text. */
const MAX_BYTES = 1024 * 1024;

async function contentOf(path: string): Promise<string | { readonly state: "absent" | "foreign" }> {
  const read = await readFileSafely({ path, maxBytes: MAX_BYTES, trust: "data", uid: undefined, links: "refused" });
  switch (read.kind) {
    case "read":
      return read.bytes.toString("utf8");
    case "absent":
      return { state: "absent" };
    case "unreadable":
      throw asFailure(read.cause, path, "cannot be read");
    case "directory":
    case "special":
    case "too-large":
    case "exposed":
      // `systemctl mask` puts a link to /dev/null here.
      return { state: "foreign" };
  }
}

/**
 * Writes a file as a whole (temp file and rename), world-readable; a file that is not ours is left alone.
 *
 * @returns whether it was written; false when it is unchanged
 * @throws Failure SCHEDULE_FOREIGN, SCHEDULER_DENIED, SCHEDULE_WRITE_FAILED, FILE_UNSAFE
 */
export async function writeManagedFile(
  path: string,
  content: string,
  mark: string,
  uid: number | undefined,
): Promise<boolean> {
  const state = await managedFileState(path, mark);
  if (state === "foreign") throw foreign(path);
  if (state === "ours" && (await contentOf(path)) === content) return false;
  try {
    const place = await openPlace(path, uid, { makesDirectory: true });
    // The manager must be able to read it.
    await replaceFile(place, { text: content, mode: 0o644, unique: "rolefresh-new" });
  } catch (error) {
    throw asFailure(error, path, "cannot be written");
  }
  return true;
}

/** Removes a file of ours. @returns whether there was one @throws as writeManagedFile */
export async function removeManagedFile(path: string, mark: string, uid: number | undefined): Promise<boolean> {
  const state = await managedFileState(path, mark);
  if (state === "absent") return false;
  if (state === "foreign") throw foreign(path);
  try {
    await removeFile(path, uid);
  } catch (error) {
    throw asFailure(error, path, "cannot be removed");
  }
  return true;
}

function foreign(path: string): Failure {
  return new Failure("SCHEDULE_FOREIGN", `refusing to change ${path}: rolefresh did not write it`, {
    hint: `check it with 'cat ${path}', then move it away`,
  });
}

function asFailure(error: unknown, path: string, what: string): Failure {
  if (error instanceof Failure) return error;
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  const denied = errno === "EACCES" || errno === "EPERM" || errno === "EROFS";
  return new Failure(
    denied ? "SCHEDULER_DENIED" : "SCHEDULE_WRITE_FAILED",
    `${path} ${what}: ${errno === "EROFS" ? "the file system is read-only" : denied ? "permission denied" : errno}`,
    {
      hint: denied ? "use sudo for --system, or install it for yourself with --user" : undefined,
      cause: error,
    },
  );
}

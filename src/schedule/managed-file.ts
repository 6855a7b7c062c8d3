import { errnoOf, Failure } from "../base/failure.ts";
import { openPlace, removeFile, replaceFile } from "../safe-file/small-file.ts";
import { readFileSafely } from "../safe-file/read-file.ts";

/** Files of ours in directories of others: unit files and property lists. They hold a mark, and no secret. */

/** Whether there is a file at a path, and whether rolefresh wrote it. */
export type OwnFileState = "absent" | "ours" | "foreign";

/**
 * Whose a file is.
 *
 * @throws Failure SCHEDULER_DENIED, SCHEDULE_WRITE_FAILED when it cannot be looked at
 */
export async function ownFileState(path: string, mark: string): Promise<OwnFileState> {
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
 * Writes a file as a whole (temp file and rename), readable by all; one that is not ours is left alone.
 *
 * @returns whether it was written; false when it was like this already
 * @throws Failure SCHEDULE_FOREIGN, SCHEDULER_DENIED, SCHEDULE_WRITE_FAILED, FILE_UNSAFE
 */
export async function writeOwnFile(
  path: string,
  content: string,
  mark: string,
  uid: number | undefined,
): Promise<boolean> {
  const state = await ownFileState(path, mark);
  if (state === "foreign") throw foreign(path);
  if (state === "ours" && (await contentOf(path)) === content) return false;
  try {
    const place = await openPlace(path, uid, { makesDirectory: true });
    // A unit file that the manager may not read is one that it does not know.
    await replaceFile(place, { text: content, mode: 0o644, unique: "rolefresh-new" });
  } catch (error) {
    throw asFailure(error, path, "cannot be written");
  }
  return true;
}

/** Removes a file of ours. @returns whether there was one @throws as writeOwnFile */
export async function removeOwnFile(path: string, mark: string, uid: number | undefined): Promise<boolean> {
  const state = await ownFileState(path, mark);
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
  return new Failure("SCHEDULE_FOREIGN", `${path} was not written by rolefresh, and is left alone`, {
    hint: `look at it with 'cat ${path}'; move it away to have rolefresh write its own`,
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
      hint: denied ? "run it with sudo for --system, or install it for yourself with --user" : undefined,
      cause: error,
    },
  );
}

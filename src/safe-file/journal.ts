import { createHash } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { errnoOf, Failure } from "../base/failure.ts";
import { type ResolvedFile, shownPath } from "./sibling-paths.ts";
import { fileFailure } from "./file-failure.ts";
import { type FileOps, ignoringErrors } from "./file-ops.ts";
import type { Snapshot } from "./read-target.ts";
import { stampWith } from "./replace-target.ts";

/** Two files of the largest size that is read, and a line. */
const MAX_BYTES = 2 * 32 * 1024 * 1024 + 200;

const MAGIC = "rolefresh in-place copy 1";

/** One line with lengths and digest, the old content, the new content. */
export function toJournal(old: Buffer, next: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${MAGIC} ${old.length} ${next.length} ${digest(old, next)}\n`), old, next]);
}

function digest(old: Buffer, next: Buffer): string {
  return createHash("sha256").update(old).update(next).digest("hex");
}

function planted(path: string, shown: string): Failure {
  return new Failure("FILE_UNSAFE", `cannot use ${path} safely: ${shown} may have been made by another user`, {
    hint: "check it, then remove it",
  });
}

/**
 * The journal's two contents; undefined when there is none, or none that is complete: it gets its name by a rename when
 * it is, so that an incomplete one is not ours.
 *
 * @throws Failure FILE_UNSAFE for one that another user may have made or that was changed since rolefresh wrote it, and what
 *   reading a file throws
 */
export async function readJournal(
  { file, stamp }: Snapshot,
  ops: FileOps,
  path: string,
  uid: number | undefined,
): Promise<{ readonly old: Buffer; readonly next: Buffer } | undefined> {
  if (!(await stampWith(ops, path))) return undefined;
  const shown = shownPath(file, path);
  let content: Buffer;
  try {
    const handle = await ops.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      const isOurs = stats.isFile() && stats.nlink === 1 && (stats.mode & 0o022) === 0;
      if (!isOurs || !isFrom(stats.uid, file, stamp?.uid, uid)) throw planted(file.path, shown);
      if (stats.size > MAX_BYTES) throw notOurs(file.path, shown);
      content = await readExactly(handle, stats.size);
    } finally {
      await ignoringErrors(handle.close());
    }
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    // A symbolic link, or a socket.
    if (errnoOf(error) === "ELOOP" || errnoOf(error) === "ENXIO") throw planted(file.path, shown);
    throw fileFailure(
      "FILE_READ_FAILED",
      `cannot read ${shown}`,
      error,
      `it holds the content of ${file.path} from before a write that did not finish`,
    );
  }
  const header = /^rolefresh in-place copy 1 (\d+) (\d+) ([0-9a-f]{64})\n/.exec(content.toString("latin1", 0, 200));
  const at = header?.[0].length ?? 0;
  const middle = at + Number(header?.[1]);
  const [old, next] = [content.subarray(at, middle), content.subarray(middle)];
  if (header && next.length === Number(header[2]) && digest(old, next) === header[3]) return { old, next };
  throw notOurs(file.path, shown);
}

function notOurs(path: string, shown: string): Failure {
  return new Failure("FILE_UNSAFE", `cannot use ${path} safely: ${shown} was changed since rolefresh wrote it`, {
    hint: `it may hold the content of ${path} from before a write that did not finish: check it, then remove it`,
  });
}

/**
 * Whether the journal's writer may decide what the file holds: its owner. To root, nobody else in a directory that others
 * can change, where a file of root's may have been moved to this name; elsewhere the current user, too.
 */
function isFrom(writer: number, file: ResolvedFile, owner: number | undefined, uid: number | undefined): boolean {
  if (uid === undefined || writer === owner) return true;
  return writer === uid && (uid !== 0 || file.heldPath === undefined);
}

/** No more than its size when it was judged: its owner may go on writing. */
async function readExactly(handle: FileHandle, size: number): Promise<Buffer> {
  const content = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(content, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return content.subarray(0, length);
}

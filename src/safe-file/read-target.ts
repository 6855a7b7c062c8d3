import { type BigIntStats, constants } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, Failure } from "../base/failure.ts";
import { closeQuietly, openToRead, readUpTo, statLink, statOpen } from "./calls.ts";
import { fileFailure } from "./file-failure.ts";
import { directoryOf, journalOf, reachOf, type ResolvedFile } from "./sibling-paths.ts";
import { heldDirectory } from "./directory-handle.ts";
import { isPlantable, planted } from "./resolve-file.ts";

/** Tells one state of a file from another without reading it. */
export interface FileStamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** Changes with every change, of the mode and the owner too; nobody can set it. */
  readonly ctimeNs: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
}

/** A file as it was at one moment. */
export interface Snapshot {
  readonly file: ResolvedFile;
  /** Undefined when there is no file. */
  readonly bytes: Buffer | undefined;
  /** Undefined when there is no file. */
  readonly stamp: FileStamp | undefined;
  /** An in-place write did not finish, or is in progress: the next writing run restores the file. */
  readonly isIncomplete: boolean;
}

const MAX_BYTES = 32 * 1024 * 1024;
/** Reading starts again when the file changed meanwhile; at the latest the check before the rename finds it out. */
const MAX_READS = 5;

/**
 * Reads the file. Only a file that is not there counts as empty.
 *
 * @throws Failure FILE_UNSAFE for anything but a regular file, for more than 32 MiB, and as root for another user's file
 * or one in another user's directory that has a second name (a hard link may lead root to a file that the link's maker could not write); FILE_UNREADABLE;
 * FILE_READ_FAILED
 */
export async function readTarget(file: ResolvedFile, uid: number | undefined): Promise<Snapshot> {
  for (let reads = 1; ; reads++) {
    const { bytes, before, after } = await readOnce(file, uid);
    if (reads < MAX_READS && !sameStamp(before, after)) continue;
    return { file, bytes, stamp: after, isIncomplete: bytes !== undefined && (await exists(journalOf(file))) };
  }
}

/**
 * The file's stamp, for those who wait for a change; undefined when it is not there.
 *
 * @throws Failure FILE_UNREADABLE
 */
export async function stampOf(file: ResolvedFile): Promise<FileStamp | undefined> {
  try {
    return toStamp(await statLink(reachOf(file)));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw fileFailure("FILE_UNREADABLE", `cannot read ${file.path}`, error);
  }
}

/** Whether nothing happened to the file between two stamps (undefined: no file). */
export function sameStamp(a: FileStamp | undefined, b: FileStamp | undefined): boolean {
  if (!a || !b) return a === b;
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}

/** What tells one state of a file from another, out of its stat(2). */
export function toStamp(stats: BigIntStats): FileStamp {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return {
    dev,
    ino,
    size,
    mtimeNs,
    ctimeNs,
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    nlink: Number(stats.nlink),
  };
}

interface OneRead extends Pick<Snapshot, "bytes"> {
  readonly before: FileStamp | undefined;
  readonly after: FileStamp | undefined;
}

async function readOnce(file: ResolvedFile, uid: number | undefined): Promise<OneRead> {
  let handle: number | undefined;
  const none = { bytes: undefined, before: undefined, after: undefined };
  // What another user puts there before root makes and holds the directory is not looked at.
  if (file.isContested === true && heldDirectory(directoryOf(file)) === undefined) return none;
  try {
    // Looked at before it is opened, as opening a device may already do something.
    checkKind(file, await statLink(reachOf(file)), uid);
    // Links are resolved by now: one that appears here was planted.
    handle = await openToRead(reachOf(file), constants.O_NOFOLLOW);
    const opened = await statOpen(handle);
    checkKind(file, opened, uid);
    if (uid === 0) await checkOwner(file, opened);
    const bytes = await readUpTo(handle, Number(opened.size), MAX_BYTES);
    if (bytes.length > MAX_BYTES) throw tooLarge(file);
    return { bytes, before: toStamp(opened), after: toStamp(await statOpen(handle)) };
  } catch (error) {
    switch (errnoOf(error) ?? "") {
      case "ENOENT":
        return none;
      case "ELOOP":
      case "ENXIO":
        throw refused(file, "it is not a regular file", "check the path: a regular file belongs there");
      case "EACCES":
      case "EPERM":
        throw fileFailure(
          "FILE_UNREADABLE",
          `cannot read ${file.path}`,
          error,
          `check its owner and mode: ls -l ${file.target}`,
        );
      default:
        throw fileFailure("FILE_READ_FAILED", `cannot read ${file.path}`, error);
    }
  } finally {
    if (handle !== undefined) closeQuietly(handle);
  }
}

function checkKind(file: ResolvedFile, stats: BigIntStats, uid: number | undefined): void {
  if (stats.isDirectory())
    throw refused(
      file,
      "it is a directory",
      "name the file in it; Docker makes such a directory when the file of a bind mount is missing on the host: create the file there first",
    );
  if (!stats.isFile()) throw refused(file, "it is not a regular file", "check the path: a regular file belongs there");
  if (stats.size > BigInt(MAX_BYTES)) throw tooLarge(file);
  if (uid === 0 && stats.nlink > 1n && (stats.uid !== 0n || file.heldPath !== undefined)) {
    throw refused(
      file,
      "it is a hard link that another user may have made, and root does not write through it",
      "run as the user who owns it, or remove the other link",
    );
  }
}

async function checkOwner(file: ResolvedFile, stats: BigIntStats): Promise<void> {
  if (isPlantable(stats, await statLink(`${dirname(reachOf(file))}/.`)))
    throw planted(file.path, "it belongs to another user, in a directory where others may write");
}

function tooLarge(file: ResolvedFile): Failure {
  return refused(file, `it is larger than ${MAX_BYTES / 1024 / 1024} MiB`, "check the path");
}

function refused(file: ResolvedFile, problem: string, hint: string): Failure {
  return new Failure("FILE_UNSAFE", `cannot use ${file.path} safely: ${problem}`, { hint });
}

async function exists(path: string): Promise<boolean> {
  try {
    await statLink(path);
    return true;
  } catch {
    return false;
  }
}

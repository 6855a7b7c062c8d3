import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Deadline } from "../base/deadline.ts";
import { errnoOf, Failure } from "../base/failure.ts";
import { directoryOf, isTemporaryName, reachOf, type ResolvedFile } from "./sibling-paths.ts";
import { fileFailure, renameFailure } from "./file-failure.ts";
import { type FileOps, giveTo, ignoringErrors, markComplete, type Owner, temporaryName, writeAll } from "./file-ops.ts";
import { type FileStamp, sameStamp, type Snapshot, toStamp } from "./read-target.ts";

/**
 * `changed`: another process changed the file meanwhile, and the edit has to be made anew. `refused`: the content was not
 * approved. In both cases the file is as it was.
 */
export type WriteOutcome = "written" | "changed" | "refused";

/** What a write needs besides what it writes. */
export interface Writing {
  readonly ops: FileOps;
  /** Aborted when the lock is lost; then nothing is renamed any more. */
  readonly lost: AbortSignal;
  /** For the programs that know access control lists. */
  readonly deadline: Deadline;
  /** `World.umask`; absent: where there is no getfacl, a file that lets in a group alone is not replaced. */
  readonly umask?: ((mask: number) => number) | undefined;
}

const PRIVATE = 0o600;

/**
 * Replaces a file by a rename, so that a reader sees the old or the new one whole: temp file beside it, with the owner and
 * the mode of the original, written, synced, approved, then renamed if the original is still what `snapshot` holds. The caller holds
 * the file's lock. On any failure the old file stays and no temp file is left.
 *
 * The failure chosen: after the rename an error of the directory's fsync is not one of the write. The new file is in
 * place and right; only a power cut in the next seconds could bring the old one back, which is whole too.
 *
 * @param approve the last look at the content, taken while the disk takes it in.
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED
 */
export async function replaceFile(
  snapshot: Snapshot,
  content: Buffer,
  approve: () => boolean,
  writing: Writing,
): Promise<WriteOutcome> {
  const { ops, lost } = writing;
  const { file, stamp } = snapshot;
  const owner = stamp ?? (await ownerOfDirectory(file, ops));
  const finish = (handle: FileHandle) => (stamp ? takeOver(file, handle, stamp, writing) : makePrivate(handle, owner));
  const temporary = await writeTemporary({ file, content, approve, finish }, ops);
  if (temporary === undefined) return "refused";
  let outcome: WriteOutcome = "changed";
  try {
    const now = await stampWith(ops, reachOf(file));
    lost.throwIfAborted();
    if (sameStamp(now, stamp)) {
      await ops.rename(temporary, reachOf(file));
      outcome = "written";
    }
  } catch (error) {
    throw renameFailure(file, error);
  } finally {
    if (outcome === "changed") await ignoringErrors(ops.unlink(temporary));
  }
  if (outcome === "written") await syncDirectory(file, ops);
  return outcome;
}

/** A new file beside the target. */
export interface Temporary {
  readonly file: ResolvedFile;
  readonly content: Buffer;
  /** The last look at the content, taken while the disk takes it in. */
  readonly approve: () => boolean;
  /** Gives the file its owner and mode; until then it is private. */
  readonly finish: (handle: FileHandle) => Promise<void>;
}

/**
 * Writes a new file beside the target.
 *
 * @returns its path; undefined when the content is not approved. Then, and when this throws, it is gone.
 */
export async function writeTemporary(
  { file, content, approve, finish }: Temporary,
  ops: FileOps,
): Promise<string | undefined> {
  const path = temporaryName(file);
  let handle: FileHandle | undefined;
  try {
    handle = await ops.open(path, "wx", PRIVATE);
  } catch (error) {
    throw fileFailure(
      "FILE_CANNOT_CREATE",
      `cannot create a temporary file beside ${file.path}`,
      error,
      `make the directory ${directoryOf(file)} writable`,
    );
  }
  let isApproved = false;
  try {
    try {
      await writeAll(handle, content, 0);
      await finish(handle);
      await markComplete(handle);
      // At the same time: it takes a large file longer to reach the disk than it takes to be looked at.
      [, isApproved] = await Promise.all([handle.sync(), (async () => approve())()]);
    } finally {
      await handle.close();
    }
  } catch (error) {
    await ignoringErrors(ops.unlink(path));
    throw fileFailure(
      "FILE_WRITE_FAILED",
      `cannot write ${file.path}`,
      error,
      "check the disk and its free space; the file is unchanged",
    );
  }
  if (!isApproved) await ignoringErrors(ops.unlink(path));
  return isApproved ? path : undefined;
}

/** For a new file, a copy or a journal: nobody but the owner of what it belongs to may read it. */
export async function makePrivate(handle: FileHandle, owner: Owner): Promise<void> {
  await handle.chmod(PRIVATE);
  await giveTo(owner, handle);
}

/** A link in its place was refused when the path was resolved; `/.` is for the one in /proc that names a held directory. */
async function ownerOfDirectory(file: ResolvedFile, ops: FileOps): Promise<Owner> {
  try {
    return await ops.lstat(`${dirname(reachOf(file))}/.`);
  } catch (error) {
    throw fileFailure("FILE_CANNOT_CREATE", `cannot read the directory of ${file.path}`, error);
  }
}

/** Owner first: chown(2) may clear mode bits. */
async function takeOver(file: ResolvedFile, handle: FileHandle, like: FileStamp, writing: Writing): Promise<void> {
  const mode = like.mode & 0o777;
  const own = await handle.stat();
  if (own.uid === like.uid && own.gid === like.gid && (own.mode & 0o7777) === mode) return;
  if (own.uid !== like.uid || own.gid !== like.gid) {
    try {
      await handle.chown(like.uid, like.gid);
    } catch (error) {
      // A group that has no rights in the file does not matter; otherwise its readers would lose the file.
      if (own.uid !== like.uid || (mode & 0o070) !== 0) {
        throw new Failure("FILE_WRITE_FAILED", `cannot replace ${file.path}: its owner and group cannot be kept`, {
          hint: "run as its owner, or set write_mode = in-place",
          cause: error,
        });
      }
    }
  }
  if (dependsOnGroup(mode)) {
    // Loaded here: it starts programs, for files that let in a group and nobody else.
    const { keepAccessList } = await import("./access-list.ts");
    await keepAccessList(file, handle, writing);
  }
  await handle.chmod(mode);
}

/**
 * Whether the group's bits of a mode let in anybody whom the others' bits do not. Only then does an access control list
 * matter: the group's bits are its mask (acl(5)), which bounds what every entry of it allows, inherited ones too. Files
 * of mode 0600 and 0644 need no look at lists, which starts a program.
 */
function dependsOnGroup(mode: number): boolean {
  return ((mode >> 3) & ~mode & 0o007) !== 0;
}

/** Makes the rename last (fsync(2): a new name needs an fsync of its directory). Not every file system can. */
export async function syncDirectory(file: ResolvedFile, ops: FileOps): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await ops.open(dirname(reachOf(file)), constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  } finally {
    if (handle) await ignoringErrors(handle.close());
  }
}

/**
 * The stamp of what is at this path now, a link not followed; undefined when nothing is.
 *
 * @throws the error of lstat(2) for anything but ENOENT
 */
export async function stampWith(ops: FileOps, path: string): Promise<FileStamp | undefined> {
  try {
    return toStamp(await ops.lstat(path, { bigint: true }));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Removes the temp files that killed runs left. Called under the file's lock, where every one of them is dead: whoever
 * makes one holds this lock.
 */
export async function sweepTemporaries(file: ResolvedFile, ops: FileOps): Promise<void> {
  let names: readonly string[];
  try {
    names = await ops.readdir(dirname(reachOf(file)));
  } catch {
    return;
  }
  for (const name of names) {
    if (isTemporaryName(file, name)) await ignoringErrors(ops.unlink(`${dirname(reachOf(file))}/${name}`));
  }
}

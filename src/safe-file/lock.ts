import { lstat } from "node:fs/promises";
import type { Deadline } from "../base/deadline.ts";
import { errnoOf, Failure } from "../base/failure.ts";
import type { Clock } from "../base/world.ts";
import { heldDirectory } from "./directory-handle.ts";
import { fileFailure } from "./file-failure.ts";
import {
  siblingPath,
  directoryOf,
  fileLockOf,
  type ResolvedFile,
  secondFileLockOf,
  shownPath,
} from "./sibling-paths.ts";
import { LockDirectory } from "./lock-directory.ts";
import { HEARTBEAT_MS, sweepTakeover, watchLocks } from "./lock-liveness.ts";
import { ignoringErrors } from "./file-ops.ts";
import { createHash } from "node:crypto";

/** A lock that is held. */
export interface Lease {
  /** Aborted with a FILE_BUSY failure when the lock was taken away: what it guards must not go on. */
  readonly lost: AbortSignal;
  /** Gives the lock back; never fails, and a second time does nothing. */
  release(): Promise<void>;
}

/** Remembers for the whole process: a flight is tried again and again, each time by a call that knows nothing of the last. */
const watch = watchLocks();

/**
 * Tries once to acquire the single-flight lock of a key: undefined when another process holds it. The one of a
 * killed process is taken over after some ten seconds.
 *
 * @param ends from then on the lock is not kept alive any more: a process that hangs past its deadline loses it
 * @throws Failure FILE_CANNOT_CREATE
 */
export async function tryFlight(file: ResolvedFile, key: string, ends?: AbortSignal): Promise<Lease | undefined> {
  await holdContested(file);
  return await tryLock(file, flightLockOf(file, key), ends);
}

/**
 * Waits for the lock under which the file is read, edited and written; it is held for milliseconds.
 *
 * @throws Failure FILE_BUSY when the deadline comes first; INTERRUPTED; FILE_CANNOT_CREATE
 */
export async function lockFile(file: ResolvedFile, clock: Clock, deadline: Deadline): Promise<Lease> {
  await holdContested(file);
  for (let waitMs = 4; ; waitMs = Math.min(waitMs * 1.5, 60)) {
    const path = await fileLockPath(file);
    if (deadline.signal.aborted) throw busy(shownPath(file, path), deadline);
    const lease = await tryLock(file, path, deadline.signal);
    if (lease && !deadline.signal.aborted) return lease;
    await lease?.release();
    try {
      await clock.sleep(waitMs * (0.5 + clock.random()), deadline.signal);
    } catch {
      throw busy(shownPath(file, path), deadline);
    }
  }
}

function busy(path: string, { signal }: Deadline): Failure {
  const reason: unknown = signal.reason;
  if (reason instanceof Failure && reason.code === "INTERRUPTED") return reason;
  return new Failure("FILE_BUSY", `another process holds the lock ${path}`, {
    hint: "if no other program is running, remove that directory",
    cause: reason,
  });
}

async function fileLockPath(file: ResolvedFile): Promise<string> {
  const path = fileLockOf(file);
  try {
    return (await lstat(path)).isDirectory() ? path : secondFileLockOf(file);
  } catch {
    return path;
  }
}

async function tryLock(file: ResolvedFile, path: string, ends?: AbortSignal): Promise<Lease | undefined> {
  let hasMadeDirectory = false;
  for (;;) {
    try {
      return await acquire(file, path, ends);
    } catch (error) {
      if (errnoOf(error) === "ENOENT" && !hasMadeDirectory) {
        await makeDirectory(file);
        hasMadeDirectory = true;
      } else if (errnoOf(error) !== "ELOCKED") throw lockFailure(file, path, error);
      else if (!clear(file, path)) return undefined;
    }
  }
}

/** For a directory that is missing where another user could put a link: root makes and holds it before it is reached. */
async function holdContested(file: ResolvedFile): Promise<void> {
  if (file.isContested === true && heldDirectory(directoryOf(file)) === undefined) await makeDirectory(file);
}

/** Loaded here: most files have a directory. */
async function makeDirectory(file: ResolvedFile): Promise<void> {
  const { makeDirectories } = await import("./make-directories.ts");
  try {
    // Nobody but root, where others can interfere, needs more than the path.
    makeDirectories(directoryOf(file), file.path, file.isContested === true ? 0 : undefined);
  } catch (error) {
    throw fileFailure("FILE_CANNOT_CREATE", `cannot create the directory of ${file.path}`, error, directoryHint(file));
  }
}

function lockFailure(file: ResolvedFile, path: string, error: unknown): Failure {
  const directory = directoryOf(file);
  const isDirectory = ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOENT"].includes(errnoOf(error) ?? "");
  return isDirectory
    ? fileFailure("FILE_CANNOT_CREATE", `cannot write in ${directory}`, error, directoryHint(file))
    : fileFailure(
        "FILE_CANNOT_CREATE",
        `cannot take the lock of ${file.path}`,
        error,
        `${shownPath(file, path)} must be a directory that this user can create and remove`,
      );
}

/** Where a home directory is not known, as for a system user or in a container, it is often `/`. */
function directoryHint(file: ResolvedFile): string {
  const directory = directoryOf(file);
  return directory === "/.aws"
    ? "HOME is '/': set HOME to a directory that can be written, or name the file with --credentials-file"
    : `check the owner, the mode and the mount: ls -ld ${directory}; findmnt -T ${directory}`;
}

function clear(file: ResolvedFile, path: string): boolean {
  try {
    return watch.clearIfDead(path);
  } catch (error) {
    throw fileFailure(
      "FILE_CANNOT_CREATE",
      `cannot take over the lock of ${file.path}`,
      error,
      `remove ${shownPath(file, path)}`,
    );
  }
}

async function acquire(file: ResolvedFile, path: string, ends?: AbortSignal): Promise<Lease> {
  // Loaded here: a run with nothing due takes no lock, and should not pay for it.
  const { lock } = await import("proper-lockfile");
  const controller = new AbortController();
  const release = await lock(path, {
    realpath: false,
    lockfilePath: path,
    fs: new LockDirectory(ends),
    update: HEARTBEAT_MS,
    // Never: its own take-over of dead locks has a race, lock-liveness.ts does it.
    stale: 10 * 365 * 24 * 3600 * 1000,
    onCompromised: (cause) => {
      controller.abort(
        new Failure("FILE_BUSY", `the lock of ${file.path} was taken away by another process`, {
          hint: "check whether the machine was suspended; the next run will retry",
          cause,
        }),
      );
    },
  });
  sweepTakeover(path);
  return {
    lost: controller.signal,
    release: async () => {
      // ERELEASED: given back before, or lost; ENOTACQUIRED likewise.
      await ignoringErrors(release());
    },
  };
}

/** The single-flight lock of a key, which may hold `/`: hence its hash. */
export function flightLockOf(file: ResolvedFile, key: string): string {
  return siblingPath(file, `${createHash("sha256").update(key).digest("hex").slice(0, 16)}.flight.lock`);
}

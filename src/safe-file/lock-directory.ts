import { lstatSync, mkdirSync, rmdirSync, utimesSync, type Stats } from "node:fs";

/**
 * The file system as proper-lockfile sees it, for one lock.
 *
 * Synchronous inside: from the `mkdir` that takes the lock to its entry in proper-lockfile's list, which is what a signal
 * handler or the end of the process cleans up by, no event comes between; so a signal at any moment leaves no lock.
 *
 * It also keeps that package from touching or removing a lock that is no longer ours: its release goes by the path alone,
 * so a holder that was taken for dead while its machine slept would remove the lock of its successor.
 */
export class LockDirectory {
  /** The time with which we last dated the lock, as the file system keeps it. */
  #dated: bigint | undefined;
  /** The time that we asked for then. */
  #asked: Date | undefined;

  readonly #ends: AbortSignal | undefined;

  /** @param ends when the lock is no longer kept alive; absent: never */
  constructor(ends?: AbortSignal) {
    this.#ends = ends;
  }

  readonly mkdir = (path: string, done: (error: unknown) => void): void => {
    done(errorOf(() => mkdirSync(path, { mode: 0o700 })));
  };

  readonly stat = (path: string, done: (error: unknown, stats?: Stats) => void): void => {
    let stats: Stats | undefined;
    const error = errorOf(() => {
      stats = this.#stat(path);
    });
    done(error, stats);
  };

  readonly utimes = (path: string, accessed: Date, modified: Date, done: (error: unknown) => void): void => {
    if (this.#ends?.aborted && this.#asked !== undefined) {
      // Past its deadline this process may hang for ever: others take the lock over once it has not been touched for long enough.
      this.#asked = modified;
      done(null);
      return;
    }
    done(
      errorOf(() => {
        utimesSync(path, accessed, modified);
        this.#asked = modified;
        this.#dated = lstatSync(path, { bigint: true }).mtimeNs;
      }),
    );
  };

  /**
   * That package expects to find the time that it set, or the full second before. Where times are kept in steps of two
   * seconds (FAT) it took its own lock for another process's, and no longer kept it alive.
   */
  #stat(path: string): Stats {
    const stats = lstatSync(path);
    const isOurs = this.#asked !== undefined && lstatSync(path, { bigint: true }).mtimeNs === this.#dated;
    return isOurs ? Object.assign(stats, { mtime: this.#asked }) : stats;
  }

  readonly rmdir = (path: string, done: (error: unknown) => void): void => {
    done(errorOf(() => this.rmdirSync(path)));
  };

  /** proper-lockfile calls this when the process ends. */
  readonly rmdirSync = (path: string): void => {
    const isOurs = this.#dated === undefined || lstatSync(path, { bigint: true }).mtimeNs === this.#dated;
    if (isOurs) rmdirSync(path);
  };
}

function errorOf(work: () => void): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}

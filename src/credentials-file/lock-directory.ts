import * as fs from "node:fs";

type Done = (error?: Error | null) => void;
type StatDone = (error: Error | null, stats?: fs.Stats) => void;

/**
 * The file system as proper-lockfile sees it, for one lock. It keeps that package from touching or removing a lock that is
 * no longer ours: its own heartbeat and its release go by the path alone, so one that was taken for dead while its machine
 * slept would destroy the lock of its successor.
 */
export class LockDirectory {
  /** The times at which we dated the lock: one that is under way may or may not have arrived. */
  #dated: bigint | undefined;
  #dating: bigint | undefined;
  #pending: Promise<void> = Promise.resolve();
  #isReleased = false;

  readonly mkdir = (path: string, done: Done): void => {
    fs.mkdir(path, { mode: 0o700 }, done);
  };

  readonly stat = (path: string, done: StatDone): void => {
    fs.lstat(path, done);
  };

  readonly utimes = (path: string, accessed: Date, modified: Date, done: Done): void => {
    if (this.#isReleased) {
      done(null);
      return;
    }
    this.#dating = BigInt(modified.getTime()) * 1_000_000n;
    this.#pending = new Promise((settle) => {
      fs.utimes(path, accessed, modified, (error) => {
        if (error) {
          settle();
          done(error);
          return;
        }
        // Read back: a file system may keep coarser times.
        fs.lstat(path, { bigint: true }, (lookError, stats) => {
          this.#dated = stats?.mtimeNs;
          settle();
          done(lookError);
        });
      });
    });
  };

  readonly rmdir = (path: string, done: Done): void => {
    fs.lstat(path, { bigint: true }, (error, stats) => {
      if (error) done(error);
      else if (this.#isOurs(stats)) fs.rmdir(path, done);
      else done(null);
    });
  };

  /** proper-lockfile calls this when the process ends. */
  readonly rmdirSync = (path: string): void => {
    if (this.#isOurs(fs.lstatSync(path, { bigint: true }))) fs.rmdirSync(path);
  };

  /** Stops the heartbeat, and waits for one that is under way. */
  async settle(): Promise<void> {
    this.#isReleased = true;
    await this.#pending;
  }

  #isOurs({ mtimeNs }: fs.BigIntStats): boolean {
    return this.#dated === undefined || mtimeNs === this.#dated || mtimeNs === this.#dating;
  }
}

import { lstat, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Deadline, startDeadline } from "../../src/base/deadline.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import type { ResolvedFile } from "../../src/safe-file/sibling-paths.ts";
import type { PendingEdit } from "../../src/credentials-file/edit.ts";
import type { Clock } from "../../src/base/world.ts";
import { WRITE } from "./credentials-file-keys.ts";

export const UID = process.getuid?.();

/** The real clock: locks and files live in real time. */
export const clock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, { signal });
  },
  random: () => Math.random(),
};

/** A temp directory with a credentials file that may not exist yet. */
export interface FileHome extends AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  readonly file: ResolvedFile;
  readonly deadline: Deadline;
  readonly read: () => Promise<string>;
  /** The names in the directory, sorted. */
  readonly names: () => Promise<readonly string[]>;
  readonly inode: () => Promise<number>;
}

export async function fileHome(content?: string | Buffer, timeoutMs = 120_000): Promise<FileHome> {
  const directory = await mkdtemp(join(tmpdir(), "rolefresh-file-"));
  const path = join(directory, "credentials");
  if (content !== undefined) {
    await writeFile(path, content, { mode: 0o600 });
    // Nobody is in the middle of writing it.
    if (content.length > 0) await utimes(path, 1, 1);
  }
  const deadline = startDeadline(timeoutMs, clock, new AbortController().signal);
  return {
    directory,
    path,
    file: await resolveFile(path, UID),
    deadline,
    read: async () => await readFile(path, "utf8"),
    names: async () => (await readdir(directory)).toSorted(),
    inode: async () => (await lstat(path)).ino,
    [Symbol.asyncDispose]: async () => {
      deadline.clear();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function pending(profile: string, more: Partial<PendingEdit> = {}): PendingEdit {
  return { profile, edit: WRITE, overwrite: false, stillWanted: () => true, ...more };
}

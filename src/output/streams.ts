import { fstatSync, statSync } from "node:fs";

import { errnoOf } from "../base/failure.ts";
import type { Environment, Output } from "../base/world.ts";

/** Standard output and standard error of a process. */
export interface Streams {
  readonly out: Output;
  readonly err: Output;
  /** Whether everything that was written has reached its reader. */
  readonly isFlushed: () => boolean;
}

/** Opens each stream on first use: Node takes 2.5 ms for it, and most cron runs print nothing. */
export function openStreams({
  stdout,
  stderr,
  env,
}: {
  readonly stdout: () => NodeJS.WriteStream;
  readonly stderr: () => NodeJS.WriteStream;
  readonly env: Environment;
}): Streams {
  const opened: NodeJS.WriteStream[] = [];
  const outputOf = (open: () => NodeJS.WriteStream, descriptor: number): Output => {
    let known: NodeJS.WriteStream | undefined;
    const stream = () => {
      if (!known) opened.push((known = open().on("error", ignoreBrokenPipe)));
      return known;
    };
    return {
      write: (text) => void stream().write(text),
      get isTTY() {
        return mayBeTerminal(descriptor) && stream().isTTY;
      },
      get columns() {
        // A terminal without a size says 0.
        return this.isTTY ? stream().columns || undefined : undefined;
      },
      get isJournal() {
        return isJournal(descriptor, env);
      },
    };
  };
  return {
    out: outputOf(stdout, 1),
    err: outputOf(stderr, 2),
    isFlushed: () => opened.every(({ writableLength }) => writableLength === 0),
  };
}

/** The reader may go away: `rolefresh status | head -1`. */
function ignoreBrokenPipe(error: unknown): void {
  if (errnoOf(error) !== "EPIPE") throw error;
}

/** False when certainly none: a terminal is a character device other than /dev/null. */
function mayBeTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isCharacterDevice() && stats.rdev !== statSync("/dev/null").rdev;
  } catch {
    return true;
  }
}

/** systemd.exec(5): `$JOURNAL_STREAM` is the device and inode of the stream that it connected to the journal. */
function isJournal(descriptor: number, env: Environment): boolean {
  const named = env["JOURNAL_STREAM"];
  if (!named) return false;
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return named === `${dev}:${ino}`;
}

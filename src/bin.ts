#!/usr/bin/env node
import { fstatSync, statSync } from "node:fs";
import { hostname, userInfo } from "node:os";

import { errnoOf, Failure } from "./base/failure.ts";
import type { Output, World } from "./world.ts";

// The only file that touches the process: it fills in the World, runs main and dies as a Unix program should.

/** Nobody sees it: the process dies of the signal. */
const EXIT_HURRIED = 75;

/** The streams that were written to. */
const opened: NodeJS.WriteStream[] = [];
const place = openPlace();
void run();

async function run(): Promise<void> {
  process.exitCode = await runMain();
  leaveWhenSaid();
  // Unreferenced: where nothing is left over nobody waits for it.
  setInterval(leaveWhenSaid, 100).unref();
}

async function runMain(): Promise<number> {
  // The SDK prints seven lines on Node 20 at every start, which cron would mail (STYLE: it must be set before its first client).
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  // A file larger than this process may write (ulimit -f) is an error of that write then; the default is to die of it, with
  // the locks still held (setrlimit(2)).
  process.on("SIGXFSZ", () => undefined);
  const signals = listenForSignals();
  const { main } = await import("./main.ts");
  const world = openWorld(signals);
  // Node would verify no certificate, in silence (https://nodejs.org/api/cli.html). World keeps it for what is started.
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  const status = await main(world);
  const received = signals.received();
  if (received !== undefined) dieOf(received);
  return status;
}

/** What the signals of this process come to. */
interface Signals extends Pick<World, "interrupted" | "onHangup" | "takeSignal" | "dieOf"> {
  /** The one to die of. */
  readonly received: () => NodeJS.Signals | undefined;
}

function listenForSignals(): Signals {
  const interruption = new AbortController();
  let received: NodeJS.Signals | undefined;
  let hangupListener: (() => void) | undefined;
  /** Who has taken one of these over. */
  const takers = new Map<NodeJS.Signals, () => void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const taker = takers.get(signal);
      if (taker) {
        taker();
        return;
      }
      if (signal === "SIGHUP" && hangupListener) {
        hangupListener();
        return;
      }
      if (received !== undefined) {
        // Told twice: whoever asks is in a hurry. Locks are given back by what listens to the end of the process.
        process.emit("exit", EXIT_HURRIED);
        dieOf(signal);
      }
      received = signal;
      interruption.abort(new Failure("INTERRUPTED", `stopped by ${signal}`));
    });
  }
  return {
    interrupted: interruption.signal,
    received: () => received,
    takeSignal: (signal, listener) => {
      if (process.listenerCount(signal) > 0) {
        takers.set(signal, listener);
        return () => void takers.delete(signal);
      }
      process.on(signal, listener);
      return () => void process.off(signal, listener);
    },
    dieOf: (signal) => {
      received = signal;
    },
    onHangup: (listener) => {
      hangupListener = listener;
      return () => {
        hangupListener = undefined;
      };
    },
  };
}

/**
 * Leaves as soon as what was written has reached its reader. Node would take its heap apart first, and wait for what cannot
 * be cancelled: the SDK's metadata providers, which a silent server holds for ever.
 */
function leaveWhenSaid(): void {
  if (opened.every(({ writableLength }) => writableLength === 0)) process.exit();
}

/** So that the parent sees the signal, not an exit status (as fd and git do). */
function dieOf(signal: NodeJS.Signals): void {
  // Node ignores SIGPIPE and keeps SIGUSR1 for its debugger: a listener that comes and goes restores the default.
  if (signal !== "SIGKILL" && signal !== "SIGSTOP") process.on(signal, () => undefined);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** What is there at the start, and costs nothing. */
function openPlace() {
  return {
    argv: process.argv.slice(2),
    // As it was given: what is set above is for the SDK in here, not for the commands that rolefresh starts.
    env: { ...process.env },
    home: process.env["HOME"] || userInfo().homedir,
    cwd: process.cwd(),
    hostname: hostname(),
    uid: process.geteuid?.(),
    pid: process.pid,
    out: outputOf(() => process.stdout, 1),
    now: () => new Date(),
  };
}

function openWorld(signals: Signals): World {
  return {
    ...place,
    ...signals,
    // A self-contained binary has no script: there the two are the same (packaging/self-contained.mjs sees to it).
    program: [...new Set([process.execPath, ...process.argv.slice(1, 2)])],
    err: outputOf(() => process.stderr, 2),
    // Node loads `performance` when it is first used, which costs more than all that a tick measures with it.
    monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
    random: Math.random,
    sleep,
  };
}

/** The stream is opened when it is first needed: Node's streams cost 2.5 ms, and all day long cron hears nothing of us. */
function outputOf(open: () => NodeJS.WriteStream, descriptor: number): Output {
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
      // A terminal that was given no size says 0.
      return this.isTTY ? stream().columns || undefined : undefined;
    },
    get isJournal() {
      return isJournal(descriptor);
    },
  };
}

/** A reader that went away (`rolefresh status | head -1`) is no reason for a stack. */
function ignoreBrokenPipe(error: unknown): void {
  if (errnoOf(error) !== "EPIPE") throw error;
}

/** False only when it is certain: a terminal is a character device, and so is /dev/null, but that one is none. */
function mayBeTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isCharacterDevice() && stats.rdev !== statSync("/dev/null").rdev;
  } catch {
    return true;
  }
}

/** systemd.exec(5): `$JOURNAL_STREAM` is the device and inode of the stream that it connected to the journal. */
function isJournal(descriptor: number): boolean {
  const named = process.env["JOURNAL_STREAM"];
  if (!named) return false;
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return named === `${dev}:${ino}`;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

#!/usr/bin/env node
import { fstatSync, statSync } from "node:fs";
import { constants, hostname, userInfo } from "node:os";

import { GRACE_MS } from "./base/deadline.ts";
import { errnoOf, Failure } from "./base/failure.ts";
import { openLastResort } from "./base/last-resort.ts";
import { renderBug } from "./output/bug.ts";
import { EXIT_BUG, failedStatus } from "./output/exit-code.ts";
import type { Output, World } from "./base/world.ts";

// The only file that touches the process: it fills in the World, runs main and dies as a Unix program should.

/** The streams that were written to. */
const opened: NodeJS.WriteStream[] = [];
const argv = process.argv.slice(2);
/** As it was given: what is set below is for the SDK in here, not for the commands that rolefresh starts. */
const env = { ...process.env };
// First of all: until SIGUSR1 is taken it opens Node's inspector, a door to this process for every user of the machine.
const signals = listenForSignals();
// What is thrown outside of `main`: Node would exit with 1, which `check` says when nothing is due.
process.on("uncaughtException", (error) => {
  reportBug(error);
  process.exit();
});
const lastResort = openLastResort(process.pid, () => process.kill(process.pid, "SIGKILL"));
let leaving: (() => void) | undefined;
void run();

async function run(): Promise<void> {
  // For a process that ends before `main` does, since nothing is left that could wake it.
  process.exitCode = failedStatus(argv, EXIT_BUG);
  try {
    process.exitCode = await runMain();
  } catch (error) {
    reportBug(error);
  }
  leaveWhenSaid();
  // Unreferenced: where nothing is left over nobody waits for it.
  setInterval(leaveWhenSaid, 100).unref();
}

function reportBug(error: unknown): void {
  process.exitCode = failedStatus(argv, EXIT_BUG);
  outputOf(() => process.stderr, 2).write(renderBug(error));
}

async function runMain(): Promise<number> {
  // A report that Node writes when it is told to (NODE_OPTIONS) holds no token of the environment. Node 20 knows no such switch.
  Object.assign(process.report, { excludeEnv: true });
  // The SDK prints seven lines on Node 20 at every start, which cron would mail (STYLE: it must be set before its first client).
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  // A file larger than this process may write (ulimit -f) is an error of that write then; the default is to die of it, with
  // the locks still held (setrlimit(2)).
  process.on("SIGXFSZ", () => undefined);
  const { main } = await import("./main.ts");
  const world = openWorld();
  // Node would verify no certificate, in silence (https://nodejs.org/api/cli.html). World keeps it for what is started.
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  // The SDK looks into the home directory whatever it is told, and throws where there is none.
  if (world.home === undefined) process.env["HOME"] = "/nonexistent";
  const status = await main(world);
  const received = signals.received();
  return received === undefined ? status : dieOf(received);
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
  process.on("SIGUSR1", () => takers.get("SIGUSR1")?.());
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
        // Second signal: exit now. The locks are released by exit handlers.
        process.emit("exit", exitStatusOf(signal));
        process.exit(dieOf(signal));
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
  if (!opened.every(({ writableLength }) => writableLength === 0)) return;
  // exit(3) waits for Node's threads, where a dead mount or resolver may hold one for ever: the last resort ends that.
  if (process.getActiveResourcesInfo().some((name) => /^(?:FSReq|GetAddrInfo)/.test(name))) {
    leaving ??= lastResort.killAfter(GRACE_MS);
    setTimeout(leaveWhenSaid, 2);
  } else process.exit();
}

/**
 * So that the parent sees the signal, not an exit status (as fd and git do).
 *
 * @returns the exit status for a process that lives on: as PID 1 of a container, which the kernel spares its own signals
 *   (pid_namespaces(7)), or after a signal that does not end a process
 */
function dieOf(signal: NodeJS.Signals): number {
  // Node ignores SIGPIPE and keeps SIGUSR1 for its debugger: a listener that comes and goes restores the default.
  if (signal !== "SIGKILL" && signal !== "SIGSTOP") process.on(signal, () => undefined);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  return exitStatusOf(signal);
}

/** As shells give it (POSIX, Shell Command Language, 2.8.2). */
function exitStatusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Undefined for a user without a passwd entry: `docker run --user`, OpenShift. */
function homeOfUser(): string | undefined {
  try {
    return userInfo().homedir || undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Undefined where it was deleted; then the process, and what it starts, goes on in one that is there. */
function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    process.chdir("/");
    return undefined;
  }
}

function openWorld(): World {
  return {
    ...signals,
    argv,
    env,
    home: process.env["HOME"] || homeOfUser(),
    cwd: workingDirectory(),
    hostname: hostname(),
    uid: process.geteuid?.(),
    pid: process.pid,
    out: outputOf(() => process.stdout, 1),
    now: () => new Date(),
    // A self-contained binary has no script: there the two are the same (packaging/self-contained.mjs sees to it).
    program: [...new Set([process.execPath, ...process.argv.slice(1, 2)])],
    nodeVersion: process.versions.node,
    err: outputOf(() => process.stderr, 2),
    openTerminal: () =>
      process.stdin.isTTY && process.stderr.isTTY ? { input: process.stdin, output: process.stderr } : undefined,
    // Node loads `performance` when it is first used, which costs more than all that a tick measures with it.
    monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
    random: Math.random,
    lastResort,
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

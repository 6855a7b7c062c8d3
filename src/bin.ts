#!/usr/bin/env node
import { constants, hostname, userInfo } from "node:os";

import { GRACE_MS } from "./base/deadline.ts";
import { errnoOf, Failure } from "./base/failure.ts";
import { openLastResort } from "./base/last-resort.ts";
import { renderBug } from "./output/bug.ts";
import { EXIT_BUG, failedStatus } from "./output/exit-code.ts";
import { openStreams } from "./output/streams.ts";
import type { World } from "./base/world.ts";

// The only file that touches the process: it fills in the World, runs main, and exits as a Unix program should.

const argv = process.argv.slice(2);
/** As given: what is set below is for the SDK, not for the commands that rolefresh starts. */
const env = { ...process.env };
// First: until it is taken, SIGUSR1 opens Node's inspector, a door to this process for every user of the machine.
const signals = listenForSignals();
const streams = openStreams({ stdout: () => process.stdout, stderr: () => process.stderr, env });
// Thrown outside of `main`: Node would exit with 1, which for `check` means that nothing is due.
process.on("uncaughtException", (error) => {
  reportBug(error);
  process.exit();
});
const lastResort = openLastResort(process.pid, () => process.kill(process.pid, "SIGKILL"));
let leaving: (() => void) | undefined;
void run();

async function run(): Promise<void> {
  // For a process that ends before `main` does, because nothing is left to wake it.
  process.exitCode = failedStatus(argv, EXIT_BUG);
  try {
    process.exitCode = await runMain();
  } catch (error) {
    reportBug(error);
  }
  exitWhenFlushed();
  // Unreferenced: it must not keep the process alive.
  setInterval(exitWhenFlushed, 100).unref();
}

function reportBug(error: unknown): void {
  process.exitCode = failedStatus(argv, EXIT_BUG);
  streams.err.write(renderBug(error));
}

async function runMain(): Promise<number> {
  // Diagnostic reports (NODE_OPTIONS) must not hold the environment's tokens. Node 20 ignores it.
  Object.assign(process.report, { excludeEnv: true });
  // The SDK prints seven lines at every start on Node 20, which cron would mail. Set before its first client.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  // Past `ulimit -f` a write then fails (setrlimit(2)); the default kills the process with its locks held.
  process.on("SIGXFSZ", () => undefined);
  const { main } = await import("./main.ts");
  const world = openWorld();
  // It would turn certificate verification off (https://nodejs.org/api/cli.html). `env` keeps it for child processes.
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  // The SDK always looks into the home directory, and throws where there is none.
  if (world.home === undefined) process.env["HOME"] = "/nonexistent";
  const status = await main(world);
  const received = signals.received();
  return received === undefined ? status : dieOf(received);
}

/** The signals of this process, as the World offers them. */
interface Signals extends Pick<World, "interrupted" | "onHangup" | "takeSignal" | "dieOf"> {
  /** The signal to die of. */
  readonly received: () => NodeJS.Signals | undefined;
}

function listenForSignals(): Signals {
  const interruption = new AbortController();
  let received: NodeJS.Signals | undefined;
  let hangupListener: (() => void) | undefined;
  /** The listeners that took a signal over. */
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
 * Exits as soon as all output has reached its reader. Node's own end would wait for what cannot be cancelled: the SDK's
 * metadata providers, which a silent server holds for ever.
 */
function exitWhenFlushed(): void {
  if (!streams.isFlushed()) return;
  // exit(3) waits for Node's threads, and a dead mount or resolver may hold one for ever: then the last resort kills.
  if (process.getActiveResourcesInfo().some((name) => /^(?:FSReq|GetAddrInfo)/.test(name))) {
    leaving ??= lastResort.killAfter(GRACE_MS);
    setTimeout(exitWhenFlushed, 2);
  } else process.exit();
}

/**
 * Dies of a signal, so that the parent sees it and not an exit status (as fd and git do).
 *
 * @returns the exit status for a process that lives on: PID 1 of a container (pid_namespaces(7)), or a signal that does not
 *   end a process
 */
function dieOf(signal: NodeJS.Signals): number {
  // Node ignores SIGPIPE and keeps SIGUSR1 for its debugger: adding and removing a listener restores the default.
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
  return unlessRefused(() => userInfo().homedir) || undefined;
}

/** Undefined where it was deleted; then the process moves to `/`. */
function workingDirectory(): string | undefined {
  const path = unlessRefused(() => process.cwd());
  if (path === undefined) process.chdir("/");
  return path;
}

/** Undefined where the system refuses. */
function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** `ChildProcess.kill` reaches the child alone. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
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
    out: streams.out,
    err: streams.err,
    now: () => new Date(),
    // A self-contained binary has no script: there the two are the same (packaging/self-contained.mjs).
    program: [...new Set([process.execPath, ...process.argv.slice(1, 2)])],
    nodeVersion: process.versions.node,
    openTerminal: () =>
      process.stdin.isTTY && process.stderr.isTTY ? { input: process.stdin, output: process.stderr } : undefined,
    // Not `performance`: loading it costs more than all that a tick measures with it.
    monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
    random: Math.random,
    lastResort,
    killGroup,
    umask: (mask) => process.umask(mask),
    sleep,
  };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { setTimeout: pause } = await import("node:timers/promises");
  try {
    await pause(ms, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

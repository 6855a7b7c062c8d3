import { spawn } from "node:child_process";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

/** The built program, beside the built tests; or the one that is published, when `TEST_BIN` names it. */
export const BIN = path.resolve(process.env["TEST_BIN"] ?? fileURLToPath(new URL("../../src/bin.js", import.meta.url)));

export interface RunResult {
  /** Undefined when it died of a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment of the child: nothing is inherited, as under cron. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Run as another user (needs root). */
  readonly uid?: number;
  /** Called with the child as soon as it is spawned, for tests that signal it. */
  readonly onSpawn?: (child: { readonly pid?: number | undefined; kill(signal: NodeJS.Signals): boolean }) => void;
}

/** Spawns the built program as cron does: bare environment, cwd `/`, no terminal, no standard input. */
export function runBin(args: readonly string[], options: RunOptions): Promise<RunResult> {
  return runProgram(process.execPath, [BIN, ...args], options);
}

/**
 * Where V8 writes what a child ran, for scripts/coverage.mjs: under the tests of the rooms that are measured alone, because
 * every process writes a megabyte.
 */
const COVERAGE: Readonly<Record<string, string>> =
  process.env["NODE_V8_COVERAGE"] !== undefined &&
  /\/(sources|identity|sts|saml|session|net)[\w.-]*\.test\.js$/.test(process.argv[1] ?? "")
    ? { NODE_V8_COVERAGE: process.env["NODE_V8_COVERAGE"] }
    : {};

export function runProgram(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...COVERAGE, ...options.env },
      cwd: options.cwd ?? "/",
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    options.onSpawn?.(child);
  });
}

import type { World } from "../../src/base/world.ts";

export interface TestWorld extends World {
  /** What was written to each stream so far. */
  readonly written: { out: string; err: string };
  /** Moves the wall clock. */
  advance(ms: number): void;
}

export interface TestWorldOptions {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly home?: string;
  readonly now?: Date;
  readonly hostname?: string;
  readonly isTTY?: boolean;
  /** Of the terminal; 100 when absent. */
  readonly columns?: number;
  readonly interrupted?: AbortSignal;
}

/** A World with a clock that the test moves; everything else is real. */
export function testWorld(options: TestWorldOptions = {}): TestWorld {
  const written = { out: "", err: "" };
  const start = (options.now ?? new Date()).getTime();
  const startedAt = performance.now();
  let offset = 0;
  const isTTY = options.isTTY ?? false;
  const output = (name: "out" | "err") => ({
    write: (text: string) => {
      written[name] += text;
    },
    isTTY,
    columns: isTTY ? (options.columns ?? 100) : undefined,
    isJournal: false,
  });
  return {
    argv: options.argv ?? [],
    program: ["/usr/bin/node", "/usr/lib/rolefresh/bin.js"],
    nodeVersion: process.versions.node,
    env: options.env ?? {},
    home: options.home ?? "/nonexistent",
    cwd: "/",
    hostname: options.hostname ?? "test-host",
    uid: process.geteuid?.(),
    pid: process.pid,
    out: output("out"),
    err: output("err"),
    openTerminal: () => undefined,
    interrupted: options.interrupted ?? new AbortController().signal,
    onHangup: () => () => undefined,
    takeSignal: () => () => undefined,
    dieOf: () => undefined,
    umask: (mask) => process.umask(mask),
    killGroup: (leader) => void process.kill(-leader, "SIGKILL"),
    now: () => new Date(start + offset + (performance.now() - startedAt)),
    monotonicMs: () => performance.now() + offset,
    random: Math.random,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
        });
      }),
    written,
    advance: (ms) => {
      offset += ms;
    },
  };
}

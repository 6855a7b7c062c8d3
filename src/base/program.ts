import type { ChildProcess } from "node:child_process";
// The only way to signal a whole process group; `ChildProcess.kill` reaches the child alone.
import { kill } from "node:process";
import { Readable } from "node:stream";
import { errnoOf } from "./failure.ts";
import type { Environment } from "./world.ts";
import type { Deadline } from "./deadline.ts";
import { interruption } from "./interruption.ts";
import { redact } from "./printable.ts";

/** How a program ended. stdout may hold a token and is for parsing only; `complaint` is fit to be shown. */
export type ProgramEnd =
  | { readonly kind: "exit"; readonly status: number; readonly stdout: string; readonly complaint: string }
  | { readonly kind: "signal"; readonly signal: string; readonly complaint: string }
  | { readonly kind: "too-much"; readonly bytes: number }
  | { readonly kind: "not-started"; readonly errno: string };

/** What a program is given. */
export interface ProgramContext {
  readonly env: Environment;
  readonly cwd: string | undefined;
  readonly deadline: Deadline;
  /** How much it may write on stdout; absent: 64 KiB. */
  readonly maxStdoutBytes?: number;
  /** Open files that it gets as its descriptors 3, 4, … */
  readonly descriptors?: readonly number[];
}

const MAX_STDOUT_BYTES = 64 * 1024;
/** How long what a program wrote last may take to arrive after its end. */
const LAST_WORDS_MS = 100;
const MAX_STDERR_BYTES = 8 * 1024;

/**
 * Runs a program without a shell, with nothing on stdin, and waits until it and whatever it left holding its stdout are
 * gone. It leads a process group of its own; at the deadline, on interruption and when it writes more than is allowed
 * the whole group is killed.
 *
 * @param purpose `effect`: its stdout goes nowhere, and what it leaves running in the background is not waited for
 * @param describe for the message at the deadline: `\`gcloud\` has not answered`.
 * @throws the deadline's failure, with `describe` in front when it is a timeout.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  context: ProgramContext,
  describe: string,
  extraEnv: Readonly<Record<string, string>> = {},
  purpose: "answer" | "effect" = "answer",
): Promise<ProgramEnd> {
  const { deadline } = context;
  if (deadline.signal.aborted) throw interruption(deadline, describe);
  // Loaded here: most runs start no program.
  const { spawn } = await import("node:child_process");
  const child = spawn(file, args, {
    cwd: context.cwd,
    env: { ...context.env, ...extraEnv },
    stdio: ["ignore", purpose === "answer" ? "pipe" : "ignore", "pipe", ...(context.descriptors ?? [])],
    detached: true,
  });
  return new Promise<ProgramEnd>((resolve, reject) => {
    const answer = child.stdout ?? Readable.from([]);
    const complaints = child.stderr ?? Readable.from([]);
    const stdout = collect(answer, context.maxStdoutBytes ?? MAX_STDOUT_BYTES, (bytes) => {
      killGroup(child);
      settle();
      resolve({ kind: "too-much", bytes });
    });
    const stderr = collect(complaints, MAX_STDERR_BYTES, () => undefined);
    const onAbort = () => {
      killGroup(child);
      settle();
      reject(interruption(deadline, describe));
    };
    const settle = () => {
      deadline.signal.removeEventListener("abort", onAbort);
      // A grandchild that left the group may still hold the pipes; the run must not wait for it.
      answer.destroy();
      complaints.destroy();
    };
    deadline.signal.addEventListener("abort", onAbort, { once: true });
    child.once("error", (error) => {
      settle();
      resolve({ kind: "not-started", errno: errnoOf(error) ?? "error" });
    });
    const onEnd = (status: number | null, signal: NodeJS.Signals | null) => {
      settle();
      const complaint = firstLines(stderr.text());
      if (status === null) resolve({ kind: "signal", signal: signal ?? "a signal", complaint });
      else resolve({ kind: "exit", status, stdout: stdout.text(), complaint });
    };
    child.once("close", onEnd);
    // A daemon that was started for its effect keeps stderr open for life: its parent's end counts.
    if (purpose === "effect") child.once("exit", (status, signal) => setTimeout(onEnd, LAST_WORDS_MS, status, signal));
  });
}

function collect(
  stream: NodeJS.ReadableStream,
  limit: number,
  onLimit: (bytes: number) => void,
): { text: () => string } {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    const before = size;
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else if (before <= limit) onLimit(size);
  });
  return { text: () => Buffer.concat(chunks).toString("utf8") };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    kill(-child.pid, "SIGKILL");
  } catch {
    // ESRCH: the group is gone already, which is what was wanted.
  }
}

/** The first lines of a program's stderr on one line, where the reason usually stands. */
function firstLines(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== "");
  return redact(lines.slice(0, 3).join(" | "), 300).replace(/\.$/, "");
}

import type { ChildProcess } from "node:child_process";
import { Readable } from "node:stream";
import { errnoOf } from "./failure.ts";
import type { Environment } from "./world.ts";
import { type Deadline, interruption } from "./deadline.ts";
import { redact } from "./printable.ts";

/** How a program ended. stdout may hold a token and is for parsing only; `complaint`, its stderr, is fit to be shown. */
export type ProgramEnd =
  | { readonly kind: "exit"; readonly status: number; readonly stdout: Buffer; readonly complaint: string }
  | { readonly kind: "signal"; readonly signal: string; readonly complaint: string }
  | { readonly kind: "too-much"; readonly bytes: number }
  | { readonly kind: "not-started"; readonly errno: string };

/** A program to run. */
interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** For the message at the deadline: `` `gcloud` ``. */
  readonly name: string;
  /** Added to the context's environment. */
  readonly env?: Environment;
  /** For its stdin; absent: nothing. */
  readonly input?: Buffer | undefined;
  /** How much it may write on stdout; absent: 64 KiB. */
  readonly maxStdoutBytes?: number | undefined;
  /** `effect`: its stdout goes nowhere, and what it leaves running in the background is not waited for. */
  readonly purpose?: "output" | "effect";
  /** Open files that it gets as its descriptors 3, 4, … */
  readonly descriptors?: readonly number[];
}

/** What a program needs of the run. */
export interface ProgramContext {
  readonly env: Environment;
  readonly cwd: string | undefined;
  readonly deadline: Deadline;
  /** `World.killGroup`; undefined kills the program alone, for one that starts no others. */
  readonly killGroup: ((leader: number) => void) | undefined;
}

const MAX_STDOUT_BYTES = 64 * 1024;
/** How long what a program wrote last may take to arrive after its end. */
const LAST_OUTPUT_MS = 100;
const MAX_STDERR_BYTES = 8 * 1024;

/** A shell command as a program. */
export function shellCommand(command: string, name: string): Program {
  return { file: "/bin/sh", args: ["-c", command], name };
}

/**
 * Runs a program without a shell and waits until it and whatever it left holding its stdout are gone. It leads a process group of
 * its own, which is killed at the deadline, on interruption and when it writes more than is allowed.
 *
 * @throws the deadline's failure, with the program's name in front when it is a timeout.
 */
export async function runProgram(program: Program, context: ProgramContext): Promise<ProgramEnd> {
  const { deadline } = context;
  const { input, purpose = "output" } = program;
  const slow = `${program.name} has not ended`;
  if (deadline.signal.aborted) throw interruption(deadline, slow);
  const child = await start(program, context);
  const kill = () => killWith(child, context.killGroup);
  return new Promise<ProgramEnd>((resolve, reject) => {
    const output = child.stdout ?? Readable.from([]);
    const complaints = child.stderr ?? Readable.from([]);
    const stdout = collect(output, program.maxStdoutBytes ?? MAX_STDOUT_BYTES, (bytes) => {
      kill();
      settle();
      resolve({ kind: "too-much", bytes });
    });
    const stderr = collect(complaints, MAX_STDERR_BYTES, () => undefined);
    const onAbort = () => {
      kill();
      settle();
      reject(interruption(deadline, slow));
    };
    const settle = () => {
      deadline.signal.removeEventListener("abort", onAbort);
      // A grandchild that left the group may still hold the pipes; the run must not wait for it.
      output.destroy();
      complaints.destroy();
    };
    deadline.signal.addEventListener("abort", onAbort, { once: true });
    // An abort during the start reaches no listener.
    if (deadline.signal.aborted) onAbort();
    child.once("error", (error) => {
      settle();
      resolve({ kind: "not-started", errno: errnoOf(error) ?? "error" });
    });
    // It may end without reading its input; its exit status tells.
    child.stdin?.on("error", () => undefined).end(input);
    const onEnd = (status: number | null, signal: NodeJS.Signals | null) => {
      settle();
      const complaint = firstLines(stderr().toString());
      if (status === null) resolve({ kind: "signal", signal: signal ?? "a signal", complaint });
      else resolve({ kind: "exit", status, stdout: stdout(), complaint });
    };
    child.once("close", onEnd);
    // A daemon that was started for its effect keeps stderr open for life: its parent's end counts.
    if (purpose === "effect") child.once("exit", (status, signal) => setTimeout(onEnd, LAST_OUTPUT_MS, status, signal));
  });
}

/** How a program ended, to follow its name in a message. */
export function describeEnd(end: ProgramEnd): string {
  const said = "complaint" in end && end.complaint !== "" ? `: ${end.complaint}` : "";
  switch (end.kind) {
    case "exit":
      // What a shell says of a program that is missing or no program (POSIX 2.8.2).
      return end.status === 126 || end.status === 127
        ? `cannot be run (exit ${end.status})${said}`
        : `failed with exit ${end.status}${said}`;
    case "signal":
      return `was ended by ${end.signal}${said}`;
    case "too-much":
      return `printed too much: over ${end.bytes} bytes`;
    case "not-started":
      return `cannot be run (${end.errno})`;
  }
}

async function start({ file, args, env, input, purpose, descriptors = [] }: Program, context: ProgramContext) {
  // Loaded here: most runs start no program.
  const { spawn } = await import("node:child_process");
  return spawn(file, args, {
    cwd: context.cwd,
    env: { ...context.env, ...env },
    stdio: [input === undefined ? "ignore" : "pipe", purpose === "effect" ? "ignore" : "pipe", "pipe", ...descriptors],
    detached: true,
  });
}

/** @returns what has been written so far */
function collect(stream: NodeJS.ReadableStream, limit: number, onLimit: (bytes: number) => void): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    const before = size;
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else if (before <= limit) onLimit(size);
  });
  return () => Buffer.concat(chunks);
}

function killWith(child: ChildProcess, killGroup: ProgramContext["killGroup"]): void {
  if (child.pid === undefined) return;
  if (killGroup === undefined) child.kill("SIGKILL");
  else killGroup(child.pid);
}

/** The first lines of a program's stderr on one line, where the reason usually stands. */
function firstLines(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== "");
  return redact(lines.slice(0, 3).join(" | "), 300).replace(/\.$/, "");
}

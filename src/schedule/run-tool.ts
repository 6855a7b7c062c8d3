import { spawn } from "node:child_process";
import { errnoOf, Failure } from "../base/failure.ts";
import type { Deadline } from "../base/deadline.ts";
import type { Environment } from "../base/world.ts";

/** The machine's own programs that know its schedulers: `systemctl`, `crontab`, `launchctl`, `getent`. */

/** What such a program is given. */
export interface ToolContext {
  readonly env: Environment;
  readonly deadline: Deadline;
}

/** How the program ended, and what it printed. */
export interface ToolAnswer {
  readonly status: number;
  readonly stdout: Buffer;
  /** What it complained about, on one line; empty when it said nothing. */
  readonly complaint: string;
}

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Runs a program to its end, whatever its exit status.
 *
 * @param input for its standard input; absent: nothing
 * @throws Failure SCHEDULER_MISSING when there is no such program, SCHEDULER_FAILED when it cannot be run or dies of a
 *   signal, and the deadline's
 */
export async function runTool(
  file: string,
  args: readonly string[],
  context: ToolContext,
  input?: Buffer,
): Promise<ToolAnswer> {
  const { deadline } = context;
  deadline.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    // Messages are read ("no crontab for"): they must not follow $LANG.
    const child = spawn(file, args, {
      env: { ...context.env, LC_ALL: "C" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    let size = 0;
    let err = "";
    const stop = () => {
      child.kill("SIGKILL");
      reject(deadline.signal.reason);
    };
    deadline.signal.addEventListener("abort", stop, { once: true });
    const settle = () => deadline.signal.removeEventListener("abort", stop);
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      out.push(chunk);
      if (size > MAX_BYTES) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (err.length < 2000) err += chunk;
    });
    // It may go without reading its input; its exit status tells.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    child.once("error", (error) => {
      settle();
      const errno = errnoOf(error);
      reject(
        errno === "ENOENT"
          ? new Failure("SCHEDULER_MISSING", `there is no program '${file}' on this machine`, { cause: error })
          : new Failure("SCHEDULER_FAILED", `'${file}' cannot be run: ${errno ?? "unknown error"}`, { cause: error }),
      );
    });
    child.once("close", (status, signal) => {
      settle();
      if (status === null) {
        reject(new Failure("SCHEDULER_FAILED", `'${file}' was ended by ${signal ?? "a signal"}`));
      } else resolve({ status, stdout: Buffer.concat(out), complaint: firstLines(err) });
    });
  });
}

function firstLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(0, 3)
    .join("; ")
    .replace(/\.$/, "");
}

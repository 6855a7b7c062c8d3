import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./credentials-file-child.js", import.meta.url));

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when the child prints this line; rejects when it ends before. */
  readonly says: (line: string) => Promise<void>;
  /** Resolves when the child prints its first line, or ends. */
  readonly spoke: Promise<unknown>;
  /** How it ended: a status or a signal. */
  readonly ended: Promise<number | string | null>;
  readonly lines: readonly string[];
}

/** Starts `credentials-file-child.ts`. */
export function startChild(args: readonly string[]): Child {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let errors = "";
  const waiting = new Map<string, () => void>();
  const output = createInterface({ input: child.stdout });
  output.on("line", (line) => {
    lines.push(line);
    waiting.get(line)?.();
  });
  child.stderr.on("data", (data: Buffer) => {
    errors += data.toString();
  });
  const ended = once(child, "close").then(([code, signal]: unknown[]) =>
    typeof signal === "string" ? signal : Number(code),
  );
  return {
    process: child,
    ended,
    spoke: Promise.race([once(output, "line"), ended]),
    lines,
    says: async (line) => {
      if (lines.includes(line)) return;
      const said = new Promise<boolean>((settle) => {
        waiting.set(line, () => settle(true));
      });
      if (!(await Promise.race([said, ended.then(() => lines.includes(line))])))
        throw new Error(`it ended without saying ${line}: ${errors}`);
    },
  };
}

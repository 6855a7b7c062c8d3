import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Found } from "./smithy-reader.ts";

const SCRIPT = fileURLToPath(new URL("../../../scripts/consumers/batch_reader.py", import.meta.url));

/** What botocore and boto2 make of a file; null where the library refuses the whole file. */
export type PythonFound = Readonly<Record<string, Found | null>>;

/** Python with botocore (and boto2, where it is there) in a process of its own, which reads many files. */
export interface PythonReaders extends AsyncDisposable {
  /** Versions by library: `botocore`, `boto2`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Asks at once and answers in order: ask for many, then wait. */
  read(bytes: Buffer): Promise<PythonFound>;
}

/** A Python that has botocore: Debian's first, which has boto2 too; undefined where there is none. */
export function findPython(): string | undefined {
  return ["/usr/bin/python3", "python3"].find(
    (python) => spawnSync(python, ["-c", "import botocore"], { stdio: "ignore" }).status === 0,
  );
}

/** Why the readers cannot be had here, for a visible skip. */
export const NO_PYTHON = "no Python with botocore here (scripts/test-tools installs it where it can)";

export async function startPythonReaders(python: string): Promise<PythonReaders> {
  const child = spawn(python, ["-X", "utf8", SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting: { readonly settle: (line: string) => void; readonly fail: (error: Error) => void }[] = [];
  const nextLine = (): Promise<string> =>
    new Promise((resolve, reject) => waiting.push({ settle: resolve, fail: reject }));
  const first = nextLine();
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.settle(line));
  child.on("close", () => {
    for (const { fail } of waiting) fail(new Error("the Python readers ended"));
  });
  const versions = JSON.parse(await first) as Record<string, string>;
  return {
    versions,
    async read(bytes) {
      const answer = nextLine();
      child.stdin.write(`${bytes.toString("base64")}\n`);
      return JSON.parse(await answer) as PythonFound;
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  if (child.exitCode === null) await once(child, "close");
}

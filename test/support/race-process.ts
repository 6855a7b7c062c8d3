import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What race-child.ts counted. */
export interface RaceCounts {
  readonly tries: number;
  readonly torn: number;
  readonly empty: number;
  readonly missing: number;
  readonly lost: number;
  readonly last: number;
}

/** A process that goes on until it is told to stop, and then says what it counted. */
export interface Racer {
  readonly stop: () => Promise<RaceCounts>;
}

const CHILD = fileURLToPath(new URL("race-child.js", import.meta.url));

/** Starts `race-child.ts`; resolves when it is at it. */
export function startRacer(...args: readonly string[]): Promise<Racer> {
  return startRacing(process.execPath, [CHILD, ...args]);
}

/** botocore, polling a profile's keys as `sdk` of race-child.ts does; sys.argv is PATH PROFILE. */
const BOTOCORE = `
import json, sys, threading
from botocore.credentials import SharedCredentialProvider
path, profile = sys.argv[1:]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
counts = dict(tries=0, torn=0, empty=0, missing=0, lost=0, last=0)
print("started", flush=True)
while not over.is_set():
    counts["tries"] += 1
    try:
        found = SharedCredentialProvider(path, profile).load()
    except Exception:
        counts["torn"] += 1
        continue
    over.wait(0.001)
    if found is None:
        counts["empty"] += 1
    elif not (found.access_key[-1] == found.secret_key[-1] == found.token[-1]):
        counts["torn"] += 1
print(json.dumps(counts))
`;

export function startBotocore(python: string, path: string, profile: string): Promise<Racer> {
  return startRacing(python, ["-c", BOTOCORE, path, profile]);
}

/** `cat`, as a shell runs it; every content is held against two digests by md5sum. */
const CAT = `
tries=0; torn=0; empty=0
echo started
while [ ! -e "$1.stop" ]; do
  sum=$(cat "$1" | md5sum) || true
  tries=$((tries + 1))
  case "$sum" in "$2"*|"$3"*) ;; d41d8cd98f00b204e9800998ecf8427e*) empty=$((empty + 1)) ;; *) torn=$((torn + 1)) ;; esac
done
echo "{\\"tries\\": $tries, \\"torn\\": $torn, \\"empty\\": $empty, \\"missing\\": 0, \\"lost\\": 0, \\"last\\": 0}"
`;

/** Stops when a file `PATH.stop` is made. */
export function startCat(path: string, md5s: readonly string[]): Promise<Racer> {
  return startRacing("sh", ["-c", CAT, "sh", path, ...md5s]);
}

async function startRacing(command: string, args: readonly string[]): Promise<Racer> {
  const child: ChildProcess = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines: string[] = [];
  if (!child.stdout) throw new Error("no output");
  const output = createInterface({ input: child.stdout });
  output.on("line", (line) => lines.push(line));
  const ended = once(child, "close");
  await Promise.race([once(output, "line"), ended]);
  return {
    stop: async () => {
      child.stdin?.end();
      await ended;
      const counts: unknown = JSON.parse(lines.at(-1) ?? "");
      if (typeof counts !== "object" || counts === null || !("tries" in counts))
        throw new Error(`no counts: ${lines.join(" ")}`);
      return counts as RaceCounts;
    },
  };
}

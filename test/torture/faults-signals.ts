import assert from "node:assert/strict";

import {
  ageLocks,
  checkNextRun,
  judgeFile,
  leftovers,
  openFaultScene,
  type WriteMode,
} from "../support/fault-scene.ts";
import { inParallel } from "../support/in-parallel.ts";
import { runStraced, straceMissing, type SystemCall } from "../support/strace.ts";
import {
  shareOf,
  shuffled,
  Tally,
  type TortureContext,
  type TortureResult,
  type TortureSuite,
} from "../support/torture.ts";
import { nameOf, recordCalls } from "./faults-syscalls.ts";

export type StopSignal = "KILL" | "TERM" | "INT" | "HUP" | "PIPE";

interface Stopped {
  readonly signal: NodeJS.Signals | null;
  readonly state: "old" | "new" | "torn";
  /** The run made fewer calls than the recorded one, which was slower and looked at its locks more often. */
  readonly isMissed: boolean;
  readonly left: readonly string[];
}

/** Sends the signal as the program enters the call, holds what it leaves to the promises, and lets the next run heal it. */
export async function stopAt(writeMode: WriteMode, call: SystemCall, signal: StopSignal): Promise<Stopped> {
  await using scene = await openFaultScene(writeMode);
  const path = `${scene.home.path}${call.path}`;
  const inject = { what: `${call.name}:signal=${signal}:when=${call.ordinal}`, path };
  const result = await runStraced(["refresh"], { env: scene.env, inject });
  const content = await scene.credentials();
  const left = await leftovers(scene);
  const made = result.calls.filter((one) => one.path === path && isSame(one, call)).length;
  const isMissed = made === 0 && result.signal === null;
  switch (signal) {
    case "KILL":
      if (isMissed) assert.deepEqual([result.code, judgeFile(scene.sandbox, content)], [0, "new"]);
      else assert.equal(result.signal, "SIGKILL", result.stderr);
      break;
    case "PIPE":
      assert.deepEqual([result.code, result.signal, result.stderr], [0, null, ""]);
      assert.equal(judgeFile(scene.sandbox, content), "new");
      break;
    case "TERM":
    case "INT":
    case "HUP":
      // One that comes when all is done may find nobody to die of it.
      if (result.signal === null) assert.deepEqual([result.code, judgeFile(scene.sandbox, content)], [0, "new"]);
      else assert.equal(result.signal, `SIG${signal}`);
      assert.doesNotMatch(result.stderr, /^\s+at /m);
  }
  // Where both threads made the call, it was told twice, and died at once: then a temp file may stay for the next run.
  if (signal !== "KILL") assert.deepEqual(made > 1 ? left.filter(isLock) : left, [], "left behind");
  const isIncomplete = writeMode === "in-place" && left.some((name) => name.endsWith("-journal"));
  const state = isIncomplete ? "torn" : judgeFile(scene.sandbox, content);
  await checkNextRun(scene);
  return { signal: result.signal, state, isMissed, left };
}

const isLock = (name: string): boolean => name.endsWith(".lock");
const isSame = (a: SystemCall, b: SystemCall): boolean => a.name === b.name && a.ordinal === b.ordinal;

export async function stopEverywhere(
  tally: Tally,
  writeMode: WriteMode,
  signals: readonly StopSignal[],
  { isOver }: Pick<TortureContext, "isOver">,
  pick: (n: number) => boolean = () => true,
): Promise<string> {
  const calls = await recordCalls(writeMode, false);
  const picked = calls.filter((_, n) => pick(n));
  const attempts = shuffled(
    picked.flatMap((call) => signals.map((signal) => ({ call, signal }))),
    calls.length,
  );
  const counts = { old: 0, new: 0, torn: 0, locks: 0, missed: 0 };
  let skipped = 0;
  await inParallel(attempts, 2, async ({ call, signal }) => {
    if (isOver()) {
      skipped++;
      return;
    }
    await tally.attempt(`${writeMode}: SIG${signal} at ${nameOf(call)}`, async () => {
      const { state, isMissed, left } = await stopAt(writeMode, call, signal);
      if (isMissed) counts.missed++;
      counts[state]++;
      if (left.some(isLock)) counts.locks++;
    });
  });
  assert.ok(counts.missed * 2 <= attempts.length, `${counts.missed} of ${attempts.length} calls were not made`);
  const torn = writeMode === "in-place" ? `, with the journal in ${counts.torn}` : "";
  return `${calls.length} calls; the file was the old one in ${counts.old}, the new one in ${counts.new}${torn}; locks of the dead in ${counts.locks}; ${counts.missed} calls were not made${skipped === 0 ? "" : `; no time for ${skipped}`}`;
}

/** Kills a run where it holds both locks; the next one, started at once, waits until they are dead and then succeeds. */
export async function killAndWait(writeMode: WriteMode): Promise<number> {
  const call = (await recordCalls(writeMode, false)).findLast(({ name }) => name === "fsync");
  assert.ok(call);
  await using scene = await openFaultScene(writeMode);
  const inject = { what: `fsync:signal=KILL:when=${call.ordinal}`, path: `${scene.home.path}${call.path}` };
  await runStraced(["refresh"], { env: scene.env, inject });
  const locks = (await leftovers(scene)).filter(isLock);
  assert.equal(locks.length, 2, locks.join(" "));
  const startedAt = performance.now();
  const { code, stderr } = await scene.run(["refresh", "--force"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(judgeFile(scene.sandbox, await scene.credentials()), "new");
  assert.deepEqual(await leftovers(scene), []);
  assert.equal(await ageLocks(scene.home.credentials), 0);
  return performance.now() - startedAt;
}

export const suite: TortureSuite = {
  title: "Faults: signals at every system call",
  weight: 4,
  run: async (context): Promise<readonly TortureResult[]> => {
    const missing = straceMissing();
    const results: TortureResult[] = [];
    const groups = [
      ["SIGKILL", "the file is the old or the new one whole (in place: or is healed from its journal)", ["KILL"]],
      [
        "SIGTERM, SIGINT and SIGHUP",
        "likewise, no temp and no lock stays, and it dies of the signal",
        ["TERM", "INT", "HUP"],
      ],
      ["SIGPIPE", "nothing happens: the run goes on to its end", ["PIPE"]],
    ] as const;
    for (const writeMode of ["atomic", "in-place"] as const) {
      for (const [name, promise, signals] of groups) {
        const tally = new Tally(
          `${writeMode}: ${name} at any file call: ${promise}, and the next run heals`,
          context.say,
        );
        const note = missing ?? (await stopEverywhere(tally, writeMode, signals, shareOf(context, 6)));
        results.push(tally.result(note));
      }
    }
    const waiting = new Tally(
      "a run that finds the fresh locks of a killed one waits for them to die, and succeeds",
      context.say,
    );
    const waits: number[] = [];
    if (missing === undefined) {
      await inParallel([1, 2, 3, 4, 5, 6], 6, async (n) => {
        await waiting.attempt(`round ${n}`, async () => {
          waits.push(await killAndWait(n % 2 === 0 ? "atomic" : "in-place"));
        });
      });
    }
    const longest = Math.max(0, ...waits) / 1000;
    results.push(waiting.result(missing ?? `two locks left each time; the longest wait was ${longest.toFixed(1)} s`));
    return results;
  },
};

import assert from "node:assert/strict";

import { checkNextRun, judgeFile, leftovers, openFaultScene, type WriteMode } from "../support/fault-scene.ts";
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

/** What a file system answers on its bad days. */
export const ERRNOS = ["ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES", "EPERM", "EBUSY", "EMFILE", "EXDEV", "ESTALE"];

/** Statuses of foreseen failures (DESIGN, "Exit codes"); 70 would be a bug. */
const FORESEEN = new Set([0, 65, 73, 74, 75, 77, 78]);

/**
 * The calls of one undisturbed run that touch the home directory, from reading the config to the end.
 *
 * @param isSeparate as strace.ts has it; otherwise a call with a namesake in another thread is left out.
 */
export async function recordCalls(writeMode: WriteMode, isSeparate: boolean): Promise<readonly SystemCall[]> {
  await using scene = await openFaultScene(writeMode);
  const { code, stderr, calls } = await runStraced(["refresh"], { env: scene.env, isSeparate });
  assert.deepEqual([code, stderr], [0, ""]);
  const prefix = scene.home.path;
  // Before the config is read, there is what fixed-random.ts does.
  const found = calls
    .slice(calls.findIndex(({ path }) => path === scene.home.config))
    .filter(({ path }) => path?.startsWith(prefix) === true)
    .map((call) => ({ ...call, path: call.path?.slice(prefix.length) }));
  return [...new Map(found.map((call) => [nameOf(call), call])).values()];
}

/** The call without the scene's path. */
export function nameOf({ name, ordinal, path }: SystemCall): string {
  return `${name} ${ordinal} of ~${path}`;
}

/**
 * A call whose failure may leave something behind, as it takes it away, or makes sure that it is ours before that. Then
 * the next run that writes takes it away.
 */
const isCleanUp = ({ name, path = "" }: SystemCall): boolean =>
  /^(?:unlink|rmdir)/.test(name) || (name === "statx" && path.endsWith(".lock"));

/** @returns false where the run made fewer calls than the recorded one, which was slower: it looks at its locks by the clock. */
async function failOne(writeMode: WriteMode, call: SystemCall, errno: string): Promise<boolean> {
  await using scene = await openFaultScene(writeMode);
  const path = `${scene.home.path}${call.path}`;
  const inject = { what: `${call.name}:error=${errno}:when=${call.ordinal}`, path };
  const { code, signal, stderr, calls } = await runStraced(["refresh"], { env: scene.env, inject, isSeparate: true });
  const isMade = calls.some(({ isInjected }) => isInjected);
  assert.equal(signal, null);
  if (!isMade) assert.equal(code, 0, stderr);
  assert.ok(FORESEEN.has(code ?? -1), `exit status ${code}: ${stderr.slice(0, 300)}`);
  checkVoice(code, stderr);
  const state = judgeFile(scene.sandbox, await scene.credentials());
  if (code === 0) assert.equal(state, "new", "it succeeded");
  if (!isCleanUp(call)) assert.deepEqual(await leftovers(scene), [], "left behind");
  await checkNextRun(scene);
  return isMade;
}

/** A foreseen failure is told in the program's voice, with no stack and no secret. */
function checkVoice(code: number | null, stderr: string): void {
  if (code !== 0) assert.match(stderr, /^rolefresh: error: /);
  assert.doesNotMatch(stderr, /^\s+at /m, "a stack");
}

/**
 * Fails the calls with the errnos, one at a time.
 *
 * @param share each call with each error; or a third of the calls, as the seed has it, each with one.
 * @param from leaves out what comes before the first call on a path that holds this.
 */
export async function failCalls(
  tally: Tally,
  writeMode: WriteMode,
  share: "all" | "a third",
  { isOver, seed }: Pick<TortureContext, "isOver" | "seed">,
  from = "",
): Promise<string> {
  const all = await recordCalls(writeMode, true);
  const calls = all.slice(all.findIndex(({ path = "" }) => path.includes(from)));
  const attempts = calls.flatMap((call, n) => {
    if (share === "all") return ERRNOS.map((errno) => ({ call, errno }));
    return (n + seed) % 3 === 0 ? [{ call, errno: ERRNOS[(n + seed) % ERRNOS.length] ?? "EIO" }] : [];
  });
  let left = 0;
  let missed = 0;
  await inParallel(shuffled(attempts, seed), 2, async ({ call, errno }) => {
    if (isOver()) left++;
    else
      await tally.attempt(`${writeMode}: ${errno} from ${nameOf(call)}`, async () => {
        if (!(await failOne(writeMode, call, errno))) missed++;
      });
  });
  assert.ok(missed * 2 <= attempts.length, `${missed} of ${attempts.length} calls were not made`);
  return `${calls.length} calls, ${missed} not made again${left === 0 ? "" : `; no time for ${left} attempts`}`;
}

export const suite: TortureSuite = {
  title: "Faults: every system call fails",
  weight: 4,
  run: async (context): Promise<readonly TortureResult[]> => {
    const missing = straceMissing();
    const results: TortureResult[] = [];
    for (const writeMode of ["atomic", "in-place"] as const) {
      const tally = new Tally(
        `${writeMode}: whichever file call of a refresh fails, with whichever of ${ERRNOS.length} errors, the file is the old or the new one whole, nothing is left, and the next run succeeds`,
        context.say,
      );
      const note =
        missing ?? (await failCalls(tally, writeMode, "all", { ...shareOf(context, 2), seed: context.seed }));
      results.push(tally.result(missing === undefined ? `${note}; strace -e inject on the built program` : missing));
    }
    return results;
  },
};

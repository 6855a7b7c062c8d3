import assert from "node:assert/strict";
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ageLocks, BEFORE, judgeFile, openFaultScene, type WriteMode } from "../support/fault-scene.ts";
import { CrashImage, crashImageMissing } from "../support/crash-image.ts";
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

/**
 * How ext4 is mounted: as usual; and without what it does for programs that forget fsync, and with nothing written before
 * it is asked for, which is as little as POSIX promises.
 */
export const MOUNTS = ["data=ordered", "data=writeback,noauto_da_alloc,commit=600"];

/** What of the calls of one run decides over power cuts, in their order: `fsync temp`, `rename temp -> credentials`. */
export function durableSteps(calls: readonly SystemCall[]): readonly string[] {
  const short = (path: string): string =>
    path
      .replace(/^.*\/\.credentials\.rolefresh-[0-9a-f]{16}$/, "temp")
      .replace(/^.*\/\.aws$/, "directory")
      .replace(/^.*\/(?:\.credentials\.rolefresh-)?/, "");
  return calls
    .filter(({ name }) => /^(?:pwrite64|write|fsync|fdatasync|rename.*|ftruncate|unlink|rmdir|mkdir)$/.test(name))
    .map(({ name, path = "", text }) => {
      const to = name.startsWith("rename") ? /, "([^"]*)"/.exec(text)?.[1] : undefined;
      return `${name} ${short(path)}${to === undefined ? "" : ` -> ${short(to)}`}`;
    });
}

/** Cuts the power as the program enters the call, and holds what is on the disk then to the promises. */
async function cutAt(
  writeMode: WriteMode,
  options: string,
  call: SystemCall,
  isDone: boolean,
): Promise<"old" | "new" | "torn"> {
  await using scene = await openFaultScene(writeMode);
  await using image = await CrashImage.make(options);
  const aws = join(image.mounted, "aws");
  await mkdir(aws, { mode: 0o700 });
  const credentials = join(aws, "credentials");
  await writeFile(credentials, BEFORE, { mode: 0o600 });
  image.settle();
  const path = `${aws}${call.path?.slice("/.aws".length)}`;
  const inject = { what: `${call.name}:signal=KILL:when=${call.ordinal}`, path };
  const env = { ...scene.env, AWS_SHARED_CREDENTIALS_FILE: credentials };
  const { signal, stderr } = await runStraced(["refresh"], { env, inject });
  assert.equal(signal, "SIGKILL", stderr);

  const after = join(await image.crash(), "aws", "credentials");
  const content = await readFile(after, "utf8");
  const state = writeMode === "in-place" && content !== BEFORE ? "torn" : judgeFile(scene.sandbox, content);
  if (isDone) assert.equal(judgeFile(scene.sandbox, content), "new", "it was reported as done");
  // The machine is up again: the first run heals.
  await ageLocks(after);
  const next = await scene.run(["refresh", "--force"], { env: { ...env, AWS_SHARED_CREDENTIALS_FILE: after } });
  assert.deepEqual([next.code, next.stderr], [0, ""], "the next run");
  assert.equal(judgeFile(scene.sandbox, await readFile(after, "utf8")), "new", "the next run");
  return state;
}

/** Cuts the power at the picked calls that touch `~/.aws/credentials` and what is beside it. */
export async function cutEverywhere(
  tally: Tally,
  writeMode: WriteMode,
  options: string,
  { isOver }: Pick<TortureContext, "isOver">,
  pick: (call: SystemCall) => boolean = () => true,
): Promise<string> {
  const all = (await recordCalls(writeMode, false)).filter(
    ({ path = "" }) => path.startsWith("/.aws") && !path.endsWith("rolefresh.ini"),
  );
  // Done is what was synced: the directory after the rename, the file itself in place.
  const last = all.findLastIndex(({ name }) => name === "fsync");
  const attempts = all.map((call, n) => ({ call, isDone: n > last })).filter(({ call }) => pick(call));
  const counts = { old: 0, new: 0, torn: 0 };
  let skipped = 0;
  await inParallel(shuffled(attempts, all.length), 2, async ({ call, isDone }) => {
    if (isOver()) skipped++;
    else
      await tally.attempt(`${writeMode}, ${options}: at ${nameOf(call)}`, async () => {
        counts[await cutAt(writeMode, options, call, isDone)]++;
      });
  });
  const torn = writeMode === "in-place" ? `, being written in ${counts.torn}` : "";
  return `${attempts.length} calls; the old file in ${counts.old}, the new one in ${counts.new}${torn}${skipped === 0 ? "" : `; no time for ${skipped}`}`;
}

/** The control: a writer that renames without fsync, with the directory synced. What this finds, the test can find. */
export async function cutCarelessWriter(options: string): Promise<"old" | "new" | "lost"> {
  await using image = await CrashImage.make(options);
  const path = join(image.mounted, "credentials");
  await writeFile(path, BEFORE);
  image.settle();
  await writeFile(`${path}.new`, BEFORE.toUpperCase());
  await rename(`${path}.new`, path);
  const directory = await open(image.mounted);
  await directory.sync();
  await directory.close();
  const content = await readFile(join(await image.crash(), "credentials"), "utf8");
  if (content === BEFORE) return "old";
  return content === BEFORE.toUpperCase() ? "new" : "lost";
}

export const suite: TortureSuite = {
  title: "Faults: power cuts",
  weight: 3,
  run: async (context): Promise<readonly TortureResult[]> => {
    const missing = straceMissing() ?? (await crashImageMissing());
    const results: TortureResult[] = [];
    for (const writeMode of ["atomic", "in-place"] as const) {
      for (const options of MOUNTS) {
        const tally = new Tally(
          writeMode === "atomic"
            ? `atomic, ext4 ${options}: cut at any file call, the disk holds the old or the new file whole, and the new one once the run is done`
            : `in-place, ext4 ${options}: cut at any file call, the next run finds or heals the file, and it is the new one once the run is done`,
          context.say,
        );
        results.push(tally.result(missing ?? (await cutEverywhere(tally, writeMode, options, shareOf(context, 4)))));
      }
    }
    if (missing === undefined) {
      const found: string[] = [];
      for (const options of MOUNTS) found.push(`${await cutCarelessWriter(options)} with ${options}`);
      const control = new Tally("control: a writer without fsync is caught by this test", context.say);
      await control.attempt("careless writer", () => assert.ok(found.some((text) => text.startsWith("lost"))));
      results.push(control.result(`its file was ${found.join(", ")}`));
    }
    return results;
  },
};

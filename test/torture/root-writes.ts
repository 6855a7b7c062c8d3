import assert from "node:assert/strict";
import { chmod, chown, mkdir, readdir, readFile, writeFile } from "node:fs/promises";

import { Failure } from "../../src/base/failure.ts";
import { journalOf } from "../../src/safe-file/sibling-paths.ts";
import { systemOps } from "../../src/safe-file/file-ops.ts";
import { recoverIncomplete } from "../../src/safe-file/in-place.ts";
import { toJournal } from "../../src/safe-file/journal.ts";
import { readTarget } from "../../src/safe-file/read-target.ts";
import { writeMetrics } from "../../src/refresh/run-metrics.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { makeDirectories } from "../../src/safe-file/make-directories.ts";
import { underAttack } from "../support/attacker.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";
import { tempHome } from "../support/temp-home.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

const AT_LEAST = 1000;
const AT_MOST = 20_000;
const SECRET = "[default]\naws_access_key_id = ASIAROOT\n";
const OLD = Buffer.from(`[default]\naws_session_token = ${"x".repeat(200)}\n`);
const NEXT = Buffer.from(`[default]\naws_session_token = ${"y".repeat(200)}\n`);

const TORN = Buffer.concat([NEXT.subarray(0, 100), OLD.subarray(100)]);

type Target = "mkdir" | "metrics" | "journal";

/** What the user does all the time, in the home directory, while root writes there. */
const ATTACKS: Readonly<Record<Target, { readonly step: string; readonly setUp?: string }>> = {
  mkdir: {
    step: `
      quietly([
        () => fs.symlinkSync(victim, ".aws"),
        () => fs.mkdirSync(".aws"),
        () => { fs.mkdirSync(".aws"); fs.symlinkSync(victim, ".aws/deep"); },
      ][round % 3]);
      quietly(() => fs.rmSync(".aws", { recursive: true, force: true }));`,
  },
  metrics: {
    setUp: 'fs.mkdirSync("dir"); fs.symlinkSync(victim, "link");',
    step: `
      for (const [from, to] of [["dir", "real"], ["link", "dir"], ["dir", "link"], ["real", "dir"]])
        quietly(() => fs.renameSync(from, to));`,
  },
  journal: {
    setUp: `
      const torn = Buffer.from(${JSON.stringify(TORN.toString("base64"))}, "base64");
      const journal = Buffer.from(${JSON.stringify(toJournal(OLD, NEXT).toString("base64"))}, "base64");`,
    step: `
      quietly(() => { fs.writeFileSync("torn", torn, { mode: 0o600 }); fs.utimesSync("torn", 1, 1); fs.renameSync("torn", "credentials"); });
      quietly(() => { fs.writeFileSync("copy", journal, { mode: 0o600 }); fs.renameSync("copy", ".credentials.rolefresh-journal"); });
      quietly(() => { fs.linkSync(victim + "/credentials", "other"); fs.renameSync("other", "credentials"); });`,
  },
};

interface Place {
  readonly home: string;
  readonly victim: string;
}

/** One attempt of root to write, for each attack. @returns whether it wrote */
const WRITES: Readonly<Record<Target, (place: Place) => Promise<boolean>>> = {
  mkdir: async ({ home }) => {
    const path = `${home}/.aws/deep/er/credentials`;
    const { target } = await resolveFile(path, 0);
    makeDirectories(target.slice(0, target.lastIndexOf("/")), path, 0);
    return true;
  },
  metrics: async ({ home }) => {
    const report = { now: new Date(), durationMs: 1, profiles: [], configured: [] };
    await writeMetrics(`${home}/dir/rolefresh.prom`, report, { pid: 1, uid: 0 });
    return true;
  },
  journal: async ({ home }) => {
    const file = await resolveFile(`${home}/credentials`, 0);
    const snapshot = await readTarget(file, 0);
    if (!snapshot.isIncomplete) return false;
    assert.equal(journalOf(file).endsWith("rolefresh-journal"), true);
    return await recoverIncomplete(snapshot, systemOps, new Date(), 0);
  },
};

async function race(name: Target, promise: string, context: TortureContext): Promise<TortureResult> {
  const tally = new Tally(promise, context.say);
  const missing = otherUserMissing();
  if (missing !== undefined) return tally.result(`not tried here: ${missing}`);
  await using temp = await tempHome();
  const place = { home: `${temp.path}/user`, victim: `${temp.path}/victim` };
  await chmod(temp.path, 0o755);
  await mkdir(place.home);
  await chown(place.home, OTHER_USER, OTHER_USER);
  await mkdir(place.victim);
  await writeFile(`${place.victim}/credentials`, SECRET);
  // Linux lets users link to what they can write (proc_sys_fs(5), protected_hardlinks).
  await chmod(`${place.victim}/credentials`, 0o666);
  const { step, setUp = "" } = ATTACKS[name];
  const attack = { directory: place.home, setUp: `const victim = ${JSON.stringify(place.victim)}; ${setUp}`, step };
  const until = performance.now() + context.budgetMs / 3;
  let written = 0;
  await underAttack(attack, async () => {
    while (tally.tried < AT_MOST && (tally.tried < AT_LEAST || performance.now() < until)) {
      await tally.attempt(`round ${tally.tried}`, async () => {
        try {
          if (await WRITES[name](place)) written++;
        } catch (error) {
          // Refused, or gone in that moment: what counts is what root did elsewhere.
          if (!(error instanceof Failure) && !(error instanceof Error && "code" in error)) throw error;
        }
        assert.deepEqual(await readdir(place.victim), ["credentials"]);
        assert.equal(await readFile(`${place.victim}/credentials`, "utf8"), SECRET);
      });
    }
  });
  return tally.result(`root wrote in ${written} of them, in the user's own directory`);
}

export const suite: TortureSuite = {
  title: "Root among users: directories, metrics and journals under a user who swaps them",
  weight: 1,
  run: async (context) => [
    await race("mkdir", "no directory is made or given away where a user's link points", context),
    await race("metrics", "no metrics file is written where a user's link points", context),
    await race("journal", "no torn file is put right through a user's hard link", context),
  ],
};

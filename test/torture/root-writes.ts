import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, chown, mkdir, readdir, readFile, writeFile } from "node:fs/promises";

import { Failure } from "../../src/base/failure.ts";
import { journalOf } from "../../src/safe-file/sibling-paths.ts";
import { systemOps } from "../../src/safe-file/file-ops.ts";
import { healTornFile } from "../../src/safe-file/recover.ts";
import { toJournal } from "../../src/safe-file/journal.ts";
import { readCredentialsFile } from "../../src/safe-file/read-target.ts";
import { writeMetrics } from "../../src/refresh/run-metrics.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { makeDirectories } from "../../src/safe-file/make-directories.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";
import { tempHome } from "../support/temp-home.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

const AT_LEAST = 1000;
const AT_MOST = 20_000;
const SECRET = "[default]\naws_access_key_id = ASIAROOT\n";
const OLD = Buffer.from(`[default]\naws_session_token = ${"x".repeat(200)}\n`);
const NEXT = Buffer.from(`[default]\naws_session_token = ${"y".repeat(200)}\n`);

/** What the user does all the time, in the home directory, while root writes there. */
const ATTACKS = {
  mkdir: `
    const make = [() => symlinkSync(victim, ".aws"), () => mkdirSync(".aws"), () => { mkdirSync(".aws"); symlinkSync(victim, ".aws/deep"); }];
    for (let n = 0; ; n++) { quietly(make[n % 3]); quietly(() => rmSync(".aws", { recursive: true, force: true })); }`,
  metrics: `
    mkdirSync("dir"); symlinkSync(victim, "link");
    for (;;) for (const [from, to] of [["dir", "real"], ["link", "dir"], ["dir", "link"], ["real", "dir"]]) quietly(() => renameSync(from, to));`,
  journal: `
    for (;;) {
      quietly(() => { writeFileSync("torn", torn, { mode: 0o600 }); utimesSync("torn", 1, 1); renameSync("torn", "credentials"); });
      quietly(() => { writeFileSync("copy", journal, { mode: 0o600 }); renameSync("copy", ".credentials.rolefresh-journal"); });
      quietly(() => { linkSync(victim + "/credentials", "other"); renameSync("other", "credentials"); });
    }`,
} as const;

interface Place {
  readonly home: string;
  readonly victim: string;
}

async function attackOf(name: keyof typeof ATTACKS, { home, victim }: Place): Promise<ChildProcess> {
  const torn = Buffer.concat([NEXT.subarray(0, 100), OLD.subarray(100)]);
  const script = `
    const { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } = require("node:fs");
    const quietly = (work) => { try { work(); } catch {} };
    const victim = ${JSON.stringify(victim)};
    const torn = Buffer.from(${JSON.stringify(torn.toString("base64"))}, "base64");
    const journal = Buffer.from(${JSON.stringify(toJournal(OLD, NEXT).toString("base64"))}, "base64");
    process.chdir(${JSON.stringify(home)});
    process.stdout.write("attacking\\n");
    ${ATTACKS[name]}`;
  const attacker = spawn(process.execPath, ["-e", script], {
    uid: OTHER_USER,
    gid: OTHER_USER,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve, reject) => {
    attacker.stdout.once("data", resolve);
    attacker.once("close", () => reject(new Error("the attacker ended")));
  });
  return attacker;
}

/** One attempt of root to write, for each attack. @returns whether it wrote */
const WRITES: Readonly<Record<keyof typeof ATTACKS, (place: Place) => Promise<boolean>>> = {
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
    const snapshot = await readCredentialsFile(file, 0);
    if (!snapshot.isTorn) return false;
    assert.equal(journalOf(file).endsWith("rolefresh-journal"), true);
    return await healTornFile(snapshot, systemOps, new Date(), 0);
  },
};

async function race(name: keyof typeof ATTACKS, promise: string, context: TortureContext): Promise<TortureResult> {
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
  const attacker = await attackOf(name, place);
  const until = performance.now() + context.budgetMs / 3;
  let written = 0;
  try {
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
  } finally {
    attacker.kill("SIGKILL");
    await new Promise((resolve) => attacker.once("close", resolve));
  }
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

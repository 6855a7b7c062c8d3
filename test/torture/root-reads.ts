import assert from "node:assert/strict";
import { chmod, chown, lstat, mkdir, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";

import { readFileSafely } from "../../src/safe-file/read-file.ts";
import { type Attack, underAttack } from "../support/attacker.ts";
import { runBundle } from "../support/bundle.ts";
import { inParallel } from "../support/in-parallel.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";
import { GCP_ARN, openScene, type Scene } from "../support/scene.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

const RUNS = 1000;
const READS = 5000;
const GOOD = `[default]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`;

interface Stage extends AsyncDisposable {
  readonly scene: Scene;
  /** A directory of the attacker. */
  readonly theirs: string;
  /** A directory of root with root's config. */
  readonly roots: string;
  /** Made by whatever runs the attacker's code. */
  readonly proof: string;
  /** A config that makes it. */
  readonly bad: string;
}

async function openStage(): Promise<Stage> {
  const scene = await openScene(undefined);
  const [theirs, roots] = [`${scene.home.path}/theirs`, `${scene.home.path}/roots`];
  await chmod(scene.home.path, 0o755);
  await mkdir(theirs, { mode: 0o755 });
  await mkdir(roots, { mode: 0o755 });
  await writeFile(`${roots}/rolefresh.ini`, GOOD);
  const proof = `${scene.home.path}/proof`;
  const bad = `[default]\nrole_arn = ${GCP_ARN}\nidentity = command\nidentity_command = "/bin/touch ${proof}"\n`;
  await chown(theirs, OTHER_USER, OTHER_USER);
  return { scene, theirs, roots, proof, bad, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** The user swaps a file, and a directory above another one, for a link to root's. */
function configAttack({ theirs, roots, bad }: Stage): Attack {
  return {
    directory: theirs,
    setUp: `
      const roots = ${JSON.stringify(roots)};
      fs.writeFileSync("bad", ${JSON.stringify(bad)});
      fs.mkdirSync("bad-directory");
      fs.copyFileSync("bad", "bad-directory/rolefresh.ini");
      const swap = (name, put) => { put("next"); fs.renameSync("next", name); };
      swap("rolefresh.ini", (next) => fs.linkSync("bad", next));
      swap("directory", (next) => fs.symlinkSync("bad-directory", next));`,
    step: `
      swap("rolefresh.ini", (next) => fs.symlinkSync(roots + "/rolefresh.ini", next));
      swap("directory", (next) => fs.symlinkSync(roots, next));
      swap("rolefresh.ini", (next) => fs.linkSync("bad", next));
      swap("directory", (next) => fs.symlinkSync("bad-directory", next));`,
  };
}

/** Without it a config whose command does nothing would count as one that root refuses. */
async function checkConfigControl({ scene, roots, proof, bad }: Stage): Promise<void> {
  await writeFile(`${roots}/control.ini`, bad);
  await runBundle(scene, ["--config", `${roots}/control.ini`, "--timeout", "30s"]);
  assert.ok(await isThere(proof), "root runs the command of its own config");
}

async function raceConfig(context: TortureContext): Promise<readonly TortureResult[]> {
  const runs = new Tally("no config of a user who swaps it is obeyed by root", context.say);
  const reads = new Tally("nothing of a file that a user swaps is taken by root", context.say);
  {
    await using control = await openStage();
    await checkConfigControl(control);
  }
  await using stage = await openStage();
  const { scene, theirs, proof } = stage;
  const paths = [`${theirs}/rolefresh.ini`, `${theirs}/directory/rolefresh.ini`] as const;
  const pathOf = (round: number) => (round % 2 === 0 ? paths[0] : paths[1]);
  await underAttack(configAttack(stage), async () => {
    await inParallel(Array.from({ length: RUNS }), 2, async (_, round) => {
      await runs.attempt(`round ${round}`, async () => {
        const { code, stderr } = await runBundle(scene, ["--config", pathOf(round), "--timeout", "60s"]);
        assert.equal(await isThere(proof), false, "the user's command ran");
        assert.equal(code, 78, stderr);
      });
    });
    for (let round = 0; round < READS; round++) {
      await reads.attempt(`round ${round}`, async () => {
        const file = { path: pathOf(round), maxBytes: 4096, trust: "commands", uid: 0 } as const;
        assert.equal((await readFileSafely(file)).kind, "exposed");
      });
    }
  });
  return [runs.result(), reads.result()];
}

/** What a program that keeps code in a cache may look for in it. */
const PLANTED = ["index.js", "package.json", "tick-0123456789abcdef-v20.20.2-x64", "launch.cache", "fresh-0.json"];

/** A year ago: a read makes the time of the last access younger (`relatime` in mount(8)), and a clean-up by age deletes it. */
const LONG_AGO = new Date(Date.now() - 365 * 86_400_000);

/** Files of the user in what the caches' links point to half of the time; root's own file in what they point to otherwise. */
async function plantCaches({ theirs, proof }: Stage, victim: string): Promise<readonly string[]> {
  const planted = `${theirs}/planted/rolefresh`;
  await mkdir(planted, { recursive: true });
  await mkdir(`${victim}/rolefresh`, { recursive: true });
  const files = [...PLANTED.map((name) => `${planted}/${name}`), `${victim}/rolefresh/old`];
  for (const file of files) await writeFile(file, `require("node:fs").writeFileSync(${JSON.stringify(proof)}, "");`);
  for (const path of [`${theirs}/planted`, planted, ...files.slice(0, -1)]) await chown(path, OTHER_USER, OTHER_USER);
  const watched = [planted, `${victim}/rolefresh`, ...files];
  for (const path of watched) await utimes(path, LONG_AGO, new Date(LONG_AGO.getTime() + 1000));
  for (const cache of [".cache", "xdg", "made"]) await symlink("planted", `${theirs}/${cache}`);
  return watched;
}

async function raceCaches(context: TortureContext): Promise<TortureResult> {
  const promise = "a program that root starts loads and deletes nothing in a cache directory that a user swaps";
  const tally = new Tally(promise, context.say);
  await using stage = await openStage();
  const { scene, theirs, roots, proof } = stage;
  const victim = `${scene.home.path}/victim`;
  const watched = await plantCaches(stage, victim);
  const isReadSeen = await showsReads(`${scene.home.path}/control`);
  const attack = {
    directory: theirs,
    setUp: "",
    step: `
      for (const to of [${JSON.stringify(victim)}, "planted"])
        for (const cache of [".cache", "xdg", "made"]) { fs.symlinkSync(to, "next"); fs.renameSync("next", cache); }`,
  };
  const env = {
    HOME: theirs,
    XDG_CACHE_HOME: `${theirs}/xdg`,
    CACHE_DIRECTORY: `${theirs}/made/rolefresh`,
    AWS_SHARED_CREDENTIALS_FILE: `${roots}/credentials`,
  };
  // Nothing is due after the first run.
  const commands = [
    ["check", 1],
    ["refresh", 0],
  ] as const;
  const first = await runBundle(scene, ["refresh", "--config", `${roots}/rolefresh.ini`], env);
  assert.equal(first.code, 0, first.stderr);
  await underAttack(attack, async () => {
    await inParallel(Array.from({ length: RUNS }), 2, async (_, round) => {
      await tally.attempt(`round ${round}`, async () => {
        const [command, status] = commands[round % 2 === 0 ? 0 : 1];
        const { code, stderr } = await runBundle(scene, [command, "--config", `${roots}/rolefresh.ini`], env);
        assert.equal(await isThere(proof), false, "the user's code ran");
        assert.deepEqual([code, stderr], [status, ""]);
        assert.deepEqual(await readdir(`${victim}/rolefresh`), ["old"]);
      });
    });
  });
  if (isReadSeen) {
    // Before anything of the list is read, which the check of the victim's directory has been.
    for (const path of watched.filter((each) => each !== `${victim}/rolefresh`))
      await tally.attempt(path, async () =>
        assert.equal((await lstat(path)).atimeMs, LONG_AGO.getTime(), "it was read"),
      );
  }
  return tally.result(isReadSeen ? "nothing in it was even read" : "whether it was read does not show here (noatime)");
}

/** Whether the file system keeps the time of the last access. */
async function showsReads(path: string): Promise<boolean> {
  await writeFile(path, "x");
  await utimes(path, LONG_AGO, new Date(LONG_AGO.getTime() + 1000));
  await readFile(path);
  return (await lstat(path)).atimeMs !== LONG_AGO.getTime();
}

export const suite: TortureSuite = {
  title: "Root among users: the config and what a start finds, under a user who swaps them",
  weight: 2,
  run: async (context) => {
    const missing = otherUserMissing();
    if (missing !== undefined) return [new Tally("what root reads", context.say).result(`not tried here: ${missing}`)];
    return [...(await raceConfig(context)), await raceCaches(context)];
  },
};

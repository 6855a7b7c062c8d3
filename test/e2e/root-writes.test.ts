import assert from "node:assert/strict";
import { chmod, chown, link, lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { startDeadline } from "../../src/base/deadline.ts";
import { keepHealthFile, removeHealthFile } from "../../src/output/health-file.ts";
import { writeConfigFile } from "../../src/init/config-file.ts";
import { journalOf } from "../../src/safe-file/sibling-paths.ts";
import { toJournal } from "../../src/safe-file/journal.ts";
import { readTarget } from "../../src/safe-file/read-target.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { writeMetrics } from "../../src/refresh/run-metrics.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { removeManagedFile, writeManagedFile } from "../../src/schedule/managed-file.ts";
import { underAttack } from "../support/attacker.ts";
import { clock, pending } from "../support/credentials-file-home.ts";
import { failNth } from "../support/fail-nth.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";
import { BIN, runBin, runProgram, type RunResult } from "../support/run-bin.ts";
import { GCP_ARN, openScene } from "../support/scene.ts";
import { fakeSystemctl } from "../support/schedule-tools.ts";
import { tempHome } from "../support/temp-home.ts";

// What root writes in a directory that another user can change: never anywhere else, and for that user.

const isRoot = process.geteuid?.() === 0;
const ROOT = { uid: 0, pid: 1, now: () => new Date() };
const OLD = "# theirs\n[default]\nregion = eu-west-1\n";
const SECRET = "[default]\naws_access_key_id = ASIAROOT\n";

interface Stage extends AsyncDisposable {
  readonly root: string;
  /** The user's home; `.aws/credentials` in it is his. */
  readonly home: string;
  readonly credentials: string;
  /** A directory of root's with one file. */
  readonly victim: string;
  assertUntouched(): Promise<void>;
}

async function openStage(): Promise<Stage> {
  const temp = await tempHome();
  const root = temp.path;
  const [home, victim] = [`${root}/user`, `${root}/victim`];
  await chmod(root, 0o755);
  await mkdir(`${home}/.aws`, { recursive: true });
  await mkdir(victim, { mode: 0o755 });
  await writeFile(`${victim}/credentials`, SECRET, { mode: 0o600 });
  await give(`${home}/.aws/credentials`, OLD);
  for (const path of [home, `${home}/.aws`]) await chown(path, OTHER_USER, OTHER_USER);
  return {
    root,
    home,
    credentials: `${home}/.aws/credentials`,
    victim,
    assertUntouched: async () => {
      assert.deepEqual(await readdir(victim), ["credentials"]);
      assert.equal(await readFile(`${victim}/credentials`, "utf8"), SECRET);
      assert.equal((await lstat(victim)).uid, 0);
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

async function give(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  await writeFile(path, content, { mode });
  await chmod(path, mode);
  await chown(path, OTHER_USER, OTHER_USER);
}

async function update(
  path: string,
  more: { writeMode?: "atomic" | "in-place"; ops?: ReturnType<typeof failNth>["ops"] } = {},
): Promise<string> {
  const { writeMode = "atomic", ops } = more;
  const deadline = startDeadline(60_000, clock, new AbortController().signal);
  try {
    const file = await resolveFile(path, 0);
    const edits = [pending("default", { overwrite: true })];
    const context = { clock, deadline, uid: 0, ...(ops ? { ops } : {}) };
    const { results } = await updateCredentialsFile({ file, edits, writeMode }, context);
    return results.get("default")?.kind ?? "";
  } finally {
    deadline.clear();
  }
}

const report = { durationMs: 1, profiles: [], configured: [] };
const WRITERS: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ["the metrics file", (path) => writeMetrics(path, { ...report, now: new Date() }, ROOT)],
  ["the health file", (path) => keepHealthFile(path, { healthy: true, profiles: 1, wakesAt: new Date() }, ROOT)],
  ["the removal of the health file", (path) => removeHealthFile(path, 0)],
  ["a config with --force", (path) => writeConfigFile({ path, text: "x", replace: true }, ROOT)],
  ["a new config", (path) => writeConfigFile({ path: `${path}.ini`, text: "x", replace: false }, ROOT)],
  ["a unit file", (path) => writeManagedFile(`${path}.timer`, "x", "mark", 0)],
  ["the removal of a unit file", (path) => removeManagedFile(path, "ASIA", 0)],
];

suite("as root in a directory of another user", { skip: isRoot ? false : "needs root" }, () => {
  for (const [what, write] of WRITERS) {
    test(`${what} does not go through a linked directory`, async () => {
      await using stage = await openStage();
      await symlink(stage.victim, `${stage.home}/link`);
      await assert.rejects(write(`${stage.home}/link/credentials`), { code: "FILE_UNSAFE" });
      if (!what.includes("removal"))
        await assert.rejects(write(`${stage.home}/link/new/credentials`), { code: "FILE_UNSAFE" });
      await stage.assertUntouched();
    });
  }

  for (const [what, write] of WRITERS.filter(([title]) => !title.includes("removal"))) {
    test(`${what} is written where the directory is the user's, and is that user's`, async () => {
      await using stage = await openStage();
      await write(`${stage.home}/file`);
      const [name = ""] = (await readdir(stage.home)).filter((found) => found.startsWith("file"));
      assert.equal((await lstat(`${stage.home}/${name}`)).uid, OTHER_USER);
      assert.deepEqual((await readdir(stage.home)).length, 2);
    });
  }

  test("a link that appears in the place of a missing .aws leads nowhere, and nothing is made where it points", async () => {
    await using stage = await openStage();
    await rm(`${stage.home}/.aws`, { recursive: true });
    const file = await resolveFile(`${stage.home}/.aws/deep/credentials`, 0);
    await symlink(stage.victim, `${stage.home}/.aws`);
    const deadline = startDeadline(60_000, clock, new AbortController().signal);
    const request = { file, edits: [pending("default")], writeMode: "atomic" } as const;
    await assert.rejects(updateCredentialsFile(request, { clock, deadline, uid: 0 }), { code: "FILE_UNSAFE" });
    deadline.clear();
    await stage.assertUntouched();
  });

  test("a torn file that is swapped for a hard link before it is put right is not written through", async () => {
    await using stage = await openStage();
    const { credentials, victim } = stage;
    const next = Buffer.from(OLD.replace("eu", "us"));
    await give(credentials, Buffer.concat([next.subarray(0, 29), Buffer.from(OLD).subarray(29)]));
    await give(journalOf(await resolveFile(credentials, 0)), toJournal(Buffer.from(OLD), next));
    let opened = 0;
    const { ops } = failNth(undefined, "", async (call) => {
      // The first one opens the journal, the second the file to be put right.
      if (call !== "open" || ++opened !== 2) return;
      await rm(credentials);
      await link(`${victim}/credentials`, credentials);
    });
    await assert.rejects(update(credentials, { writeMode: "in-place", ops }), { code: "FILE_UNSAFE" });
    assert.equal(opened, 2);
    await stage.assertUntouched();
  });

  test("a journal that the file's owner did not write is not believed, though it is root's", async () => {
    await using stage = await openStage();
    const journal = journalOf(await resolveFile(stage.credentials, 0));
    await writeFile(journal, toJournal(Buffer.from("x"), Buffer.from("y")), { mode: 0o600 });
    await assert.rejects(update(stage.credentials, { writeMode: "in-place" }), { code: "FILE_UNSAFE" });
    assert.equal(await readFile(stage.credentials, "utf8"), OLD);
    assert.deepEqual(
      (await readdir(`${stage.home}/.aws`)).filter((name) => name.includes(".bak-")),
      [],
    );
  });

  test("the backup of a journal's content is its owner's, so that root never takes it for its own", async () => {
    await using stage = await openStage();
    const planted = Buffer.from("[default]\nidentity = command\nidentity_command = id\n");
    await give(journalOf(await resolveFile(stage.credentials, 0)), toJournal(planted, Buffer.from("y")));
    assert.equal(await update(stage.credentials, { writeMode: "in-place" }), "written");
    const names = await readdir(`${stage.home}/.aws`);
    assert.equal(names.length, 2, names.join(" "));
    for (const name of names) assert.equal((await lstat(`${stage.home}/.aws/${name}`)).uid, OTHER_USER, name);
  });

  test("a write in place by root that was cut off is put right by the next one of root", async () => {
    await using stage = await openStage();
    const { ops } = failNth(undefined, "", (call) => {
      if (call === "handle.truncate" || call === "unlink") throw Object.assign(new Error(call), { code: "EIO" });
    });
    const more = `[other]\n${"# long\n".repeat(100)}`;
    await give(stage.credentials, `[default]\naws_session_token = ${"x".repeat(2000)}\n${more}`);
    await update(stage.credentials, { writeMode: "in-place", ops });
    const journal = journalOf(await resolveFile(stage.credentials, 0));
    assert.equal((await lstat(journal)).uid, OTHER_USER);
    assert.equal(await update(stage.credentials, { writeMode: "in-place" }), "written");
    assert.ok((await readFile(stage.credentials, "utf8")).endsWith(more));
    assert.deepEqual(
      (await readdir(`${stage.home}/.aws`)).filter((name) => name.includes("journal")),
      [],
    );
  });

  test("a backup is the owner's", async () => {
    await using stage = await openStage();
    await give(stage.credentials, "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n");
    assert.equal(await update(stage.credentials), "written");
    const backup = (await readdir(`${stage.home}/.aws`)).find((name) => name.includes(".bak-")) ?? "";
    const stats = await lstat(`${stage.home}/.aws/${backup}`);
    assert.deepEqual([stats.uid, stats.mode & 0o7777], [OTHER_USER, 0o600]);
  });

  test("a file or a directory that anybody may have planted in a sticky directory gets no keys", async () => {
    await using stage = await openStage();
    const shared = `${stage.root}/shared`;
    await mkdir(shared);
    await chmod(shared, 0o1777);
    await give(`${shared}/credentials`, "", 0o666);
    const file = await resolveFile(`${shared}/credentials`, 0);
    await assert.rejects(readTarget(file, 0), { code: "FILE_UNSAFE" });
    await mkdir(`${shared}/planted`, { mode: 0o700 });
    await chown(`${shared}/planted`, OTHER_USER, OTHER_USER);
    for (const path of ["credentials", "planted/credentials", "planted/deep/credentials"])
      await assert.rejects(update(`${shared}/${path}`), { code: "FILE_UNSAFE" }, path);
    for (const [what, write] of WRITERS.slice(0, 2))
      await assert.rejects(write(`${shared}/planted/file`), { code: "FILE_UNSAFE" }, what);
    assert.equal(await readFile(`${shared}/credentials`, "utf8"), "");
    assert.deepEqual(await readdir(`${shared}/planted`), []);
    // Root's own directory there is nobody else's to plant.
    assert.equal(await update(`${shared}/own/credentials`), "written");
    assert.equal((await lstat(`${shared}/own/credentials`)).uid, 0);
  });

  test("a directory of another user that root made by mistake is not given away with what is in it", async () => {
    await using stage = await openStage();
    await rm(`${stage.home}/.aws`, { recursive: true });
    const file = await resolveFile(`${stage.home}/.aws/credentials`, 0);
    await rename(stage.victim, `${stage.home}/.aws`);
    const deadline = startDeadline(60_000, clock, new AbortController().signal);
    await updateCredentialsFile({ file, edits: [pending("p")], writeMode: "atomic" }, { clock, deadline, uid: 0 });
    deadline.clear();
    assert.equal((await lstat(`${stage.home}/.aws`)).uid, 0);
    assert.equal((await lstat(`${stage.home}/.aws/credentials`)).uid, 0);
  });
});

suite("as root, schedule --install", { skip: otherUserMissing() ?? false }, () => {
  async function install(root: string, credentials: string): Promise<RunResult> {
    await using home = await tempHome();
    const { path } = await fakeSystemctl(home);
    const config = `[default]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\ncredentials_file = ${credentials}\n`;
    await writeFile(`${root}/rolefresh.ini`, config);
    const args = ["schedule", "systemd", "--user", "--install", "--config", `${root}/rolefresh.ini`];
    return await runBin(args, { env: { HOME: home.path, PATH: path } });
  }

  test("makes the directory that a user's file is missing, for that user", async () => {
    await using stage = await openStage();
    const { code, stderr } = await install(stage.root, `${stage.home}/new/deep/credentials`);
    assert.deepEqual([code, stderr], [0, ""]);
    for (const path of [`${stage.home}/new`, `${stage.home}/new/deep`]) {
      const { uid, gid, mode } = await lstat(path);
      assert.deepEqual([uid, gid, mode & 0o7777], [OTHER_USER, OTHER_USER, 0o700], path);
    }
  });

  test("makes none where a link of that user points, however fast it comes and goes", async (context) => {
    await using stage = await openStage();
    const step = `quietly(() => fs.symlinkSync(${JSON.stringify(stage.victim)}, "new")); quietly(() => fs.rmSync("new", { recursive: true }));`;
    const codes: (number | null)[] = [];
    await underAttack({ directory: stage.home, step }, async () => {
      for (let n = 0; n < 12; n++) {
        const { code, stderr } = await install(stage.root, `${stage.home}/new/deep/credentials`);
        assert.ok(code !== 70 && code !== null, stderr);
        codes.push(code);
        await stage.assertUntouched();
      }
    });
    context.diagnostic(`exit statuses: ${codes.join(" ")}`);
  });
});

test("with umask 777 the directory is made so that the next run finds it", async () => {
  await using scene = await openScene(undefined);
  const path = `${scene.home.path}/new/deep/credentials`;
  const args = ["--role-arn", GCP_ARN, "--credentials-file", path];
  const options = { env: scene.env, ...(isRoot ? { uid: OTHER_USER } : {}) };
  if (isRoot) await chown(scene.home.path, OTHER_USER, OTHER_USER);
  for (let run = 0; run < 2; run++) {
    const shell = ["-c", 'umask 777 && exec "$@"', "sh", process.execPath, BIN, ...args];
    const { code, stderr } = await runProgram("/bin/sh", shell, options);
    assert.equal(code, 0, stderr);
  }
  assert.equal((await lstat(`${scene.home.path}/new`)).mode & 0o777, 0o700);
  assert.equal((await lstat(path)).mode & 0o777, 0o600);
});

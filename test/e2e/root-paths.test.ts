import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { suite, test } from "node:test";

import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { startDeadline } from "../../src/base/deadline.ts";
import { underAttack } from "../support/attacker.ts";
import { otherUserMissing } from "../support/other-user.ts";
import { clock, pending } from "../support/credentials-file-home.ts";
import { BIN, runProgram, type RunResult } from "../support/run-bin.ts";
import { GCP_ARN, openScene, type Scene } from "../support/scene.ts";

// Root refreshes the credentials of another user, who is not to be trusted with anything that is root's.

const USER = 65_534;
const isRoot = process.geteuid?.() === 0;
const SECRET =
  "[default]\naws_access_key_id = ASIAROOT\naws_secret_access_key = of-root\naws_session_token = of-root\n";
const OLD = "# theirs\n[default]\nregion = eu-west-1\n";

interface Stage extends AsyncDisposable {
  readonly scene: Scene;
  /** The user's home, which is his; `.aws` in it as well. */
  readonly home: string;
  /** A directory of root with root's own credentials. */
  readonly victim: string;
  /** Runs rolefresh as root on the user's file. */
  refresh(...more: readonly string[]): Promise<RunResult>;
}

async function openStage(): Promise<Stage> {
  const scene = await openScene(undefined);
  const root = scene.home.path;
  const home = `${root}/user`;
  const victim = `${root}/victim`;
  await chmod(root, 0o755);
  await mkdir(`${home}/.aws`, { recursive: true, mode: 0o755 });
  await mkdir(victim, { mode: 0o700 });
  await writeFile(`${victim}/credentials`, SECRET, { mode: 0o600 });
  await give(`${home}/.aws/credentials`, OLD);
  for (const path of [home, `${home}/.aws`]) await chown(path, USER, USER);
  const config = `[default]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\ncredentials_file = ${home}/.aws/credentials\n`;
  const file = await scene.home.write("rolefresh.ini", config);
  return {
    scene,
    home,
    victim,
    refresh: (...more) => scene.run(["--config", file, ...more]),
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  };
}

async function give(path: string, content: string, mode = 0o600): Promise<void> {
  await writeFile(path, content, { mode });
  await chown(path, USER, USER);
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

async function assertUntouched({ victim, home }: Stage): Promise<void> {
  assert.equal(await readFile(`${victim}/credentials`, "utf8"), SECRET);
  assert.deepEqual(await readdir(victim), ["credentials"]);
  // Nor did anything of root's come to where the user can read it.
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    // Node 26 goes into linked directories: what a link leads to is root's own, where the user cannot read it.
    if (!entry.isFile() || (await realpath(entry.parentPath)) !== entry.parentPath.replace(home, await realpath(home)))
      continue;
    const path = `${entry.parentPath}/${entry.name}`;
    if ((await stat(path)).nlink === 1) assert.ok(!(await readFile(path, "latin1")).includes("of-root"), path);
  }
}

suite("as root on another user's file", { skip: isRoot ? false : "needs root" }, () => {
  for (const mode of [0o600, 0o640, 0o644]) {
    test(`the file keeps its owner and mode ${mode.toString(8)}, and nothing else is left`, async () => {
      await using stage = await openStage();
      const path = `${stage.home}/.aws/credentials`;
      await chmod(path, mode);
      assert.deepEqual(await stage.refresh(), { code: 0, signal: null, stdout: "", stderr: "" });
      const { uid, gid, mode: now } = await lstat(path);
      assert.deepEqual([uid, gid, now & 0o7777], [USER, USER, mode]);
      assert.match(
        await readFile(path, "utf8"),
        /^# theirs\n\[default\]\nregion = eu-west-1\naws_access_key_id = ASIA/,
      );
      assert.deepEqual(await readdir(`${stage.home}/.aws`), ["credentials"]);
      const status = await stage.refresh("--json");
      assert.match(status.stdout, /"outcome":\s*"fresh"/);
      await assertUntouched(stage);
    });
  }

  for (const umask of ["000", "077"]) {
    test(`with umask ${umask} a new file is its owner's alone, and an old one keeps its mode`, async () => {
      await using stage = await openStage();
      const { scene } = stage;
      for (const [path, before] of [
        [`${scene.home.path}/new/credentials`, undefined],
        [`${stage.home}/.aws/credentials`, 0o640],
      ] as const) {
        if (before !== undefined) await chmod(path, before);
        const args = ["--role-arn", GCP_ARN, "--credentials-file", path];
        const command = `umask ${umask} && exec "$@"`;
        const result = await runProgram("/bin/sh", ["-c", command, "sh", process.execPath, BIN, ...args], {
          env: scene.env,
        });
        assert.deepEqual(result, { code: 0, signal: null, stdout: "", stderr: "" });
        assert.equal((await stat(path)).mode & 0o777, before ?? 0o600);
      }
      assert.equal((await stat(`${scene.home.path}/new`)).mode & 0o777, 0o700);
    });
  }

  const PLANTED: readonly (readonly [title: string, plant: (path: string, stage: Stage) => Promise<void>])[] = [
    ["a symbolic link to root's file", (path, { victim }) => symlink(`${victim}/credentials`, path)],
    ["a hard link to root's file", (path, { victim }) => link(`${victim}/credentials`, path)],
    ["a FIFO", async (path) => void spawnSync("mkfifo", [path])],
    ["a device", async (path) => void spawnSync("mknod", [path, "c", "1", "5"])],
    [
      "a directory",
      async (path) => {
        await mkdir(path);
      },
    ],
    [
      "a link in the place of .aws",
      async (path, { home, victim }) => {
        await rename(`${home}/.aws`, `${home}/.was`);
        await symlink(victim, `${home}/.aws`);
        assert.ok(path.startsWith(`${home}/.aws/`));
      },
    ],
    [
      "a journal of a write that did not finish, which links to root's file",
      async (path, { victim }) => {
        await give(path, OLD);
        await symlink(`${victim}/credentials`, path.replace("/credentials", "/.credentials.rolefresh-journal"));
      },
    ],
  ];

  for (const [title, plant] of PLANTED) {
    for (const writeMode of ["atomic", "in-place"]) {
      test(`${title} is refused, ${writeMode}`, async (context) => {
        await using stage = await openStage();
        const path = `${stage.home}/.aws/credentials`;
        await rm(path);
        await plant(path, stage);
        if (!(await isThere(path))) {
          context.skip("such a file cannot be made here");
          return;
        }
        const { code, stderr } = await stage.refresh(
          "--timeout",
          "60s",
          ...(writeMode === "atomic" ? [] : ["--force"]),
        );
        assert.equal(code, 65, stderr);
        if (writeMode === "in-place") {
          const inPlace = ["--role-arn", GCP_ARN, "--credentials-file", path, "--write-mode", "in-place"];
          assert.equal((await stage.scene.run(inPlace)).code, 65);
        }
        assert.match(stderr, /^rolefresh: error: .*cannot use .* safely/);
        await assertUntouched(stage);
      });
    }
  }

  test("links in the places of the locks lead nowhere", async () => {
    await using stage = await openStage();
    await rm(`${stage.home}/.aws/credentials.lock`, { force: true });
    await symlink(stage.victim, `${stage.home}/.aws/credentials.lock`);
    const { code, stderr } = await stage.refresh();
    assert.ok(code === 0 || code === 73 || code === 75, stderr);
    await assertUntouched(stage);
  });

  test("a missing .aws is made for the user, and what is new in it is that user's", async () => {
    await using stage = await openStage();
    await rm(`${stage.home}/.aws`, { recursive: true });
    assert.deepEqual(await stage.refresh(), { code: 0, signal: null, stdout: "", stderr: "" });
    for (const [path, mode] of [
      [`${stage.home}/.aws`, 0o700],
      [`${stage.home}/.aws/credentials`, 0o600],
    ] as const) {
      const stats = await lstat(path);
      assert.deepEqual([stats.uid, stats.gid, stats.mode & 0o7777], [USER, USER, mode], path);
    }
    assert.deepEqual(await readdir(`${stage.home}/.aws`), ["credentials"]);
  });

  test("a directory that is swapped for a link between look and write is written where it went, and not where the link leads", async () => {
    await using stage = await openStage();
    const { home, victim } = stage;
    const deadline = startDeadline(60_000, clock, new AbortController().signal);
    const file = await resolveFile(`${home}/.aws/credentials`, 0);
    await rename(`${home}/.aws`, `${home}/.was`);
    await symlink(victim, `${home}/.aws`);
    const edits = [pending("default", { overwrite: true })];
    await updateCredentialsFile({ file, edits, writeMode: "atomic" }, { clock, deadline, uid: 0 });
    await assertUntouched(stage);
    assert.match(await readFile(`${home}/.was/credentials`, "utf8"), /manager = rolefresh/);
    await updateCredentialsFile({ file, edits: [pending("p")], writeMode: "in-place" }, { clock, deadline, uid: 0 });
    await assertUntouched(stage);
    await assert.rejects(resolveFile(`${home}/.aws/credentials`, 0), { code: "FILE_UNSAFE" });
    deadline.clear();
  });

  test("a directory that is swapped for a link all the time never leads root astray", async (context) => {
    const missing = otherUserMissing();
    if (missing !== undefined) {
      context.skip(missing);
      return;
    }
    await using stage = await openStage();
    const { home, victim } = stage;
    await symlink(victim, `${home}/.link`);
    // Root may find no directory in between, and make one for the user, who then removes it.
    const swap = `
      for (const [from, to] of [[".aws", ".real"], [".link", ".aws"], [".aws", ".link"], [".real", ".aws"]]) {
        for (;;) {
          try { fs.renameSync(from, to); break; } catch { quietly(() => fs.rmSync(to, { recursive: true, force: true })); }
        }
      }`;
    const codes = new Map<number | null, number>();
    await underAttack({ directory: home, step: swap }, async () => {
      for (let n = 0; n < 12; n++) {
        const { code } = await stage.refresh("--force", "--timeout", "5s");
        codes.set(code, (codes.get(code) ?? 0) + 1);
        assert.ok(code !== 70 && code !== null, "a bug");
        assert.equal(await readFile(`${victim}/credentials`, "utf8"), SECRET);
        assert.deepEqual(await readdir(victim), ["credentials"]);
      }
    });
    context.diagnostic(`exit statuses: ${JSON.stringify([...codes])}`);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chown, copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { BEFORE, checkNextRun, judgeFile, leftovers, openFaultScene } from "./fault-scene.ts";
import { Mount, mountMissing, must } from "./mounts.ts";
import { BIN, runProgram, type RunResult } from "./run-bin.ts";
import type { Scene } from "./scene.ts";
import { toolMissing } from "./tool.ts";
import { OTHER_USER, otherUserMissing } from "./other-user.ts";

/** A real state of a file system or of a process's limits in which a refresh cannot write, or only just. */
export interface FileSystemFault {
  /** The promise, as a sentence. */
  readonly name: string;
  /** Why it cannot be tried here. */
  readonly missing: () => Promise<string | undefined>;
  /** Tries it once; throws when the promise is broken. */
  readonly run: () => Promise<void>;
}

function rejects(result: RunResult, code: number, pattern: RegExp): void {
  assert.deepEqual([result.code, result.signal, result.stdout], [code, null, ""], result.stderr);
  assert.match(result.stderr, /^rolefresh: error: /);
  assert.match(result.stderr, pattern);
  assert.doesNotMatch(result.stderr, /^\s+at /m);
}

/** The old file to the letter, and nothing beside it. */
async function isUntouched(scene: Scene): Promise<void> {
  assert.equal(await scene.credentials(), BEFORE);
  assert.deepEqual(await leftovers(scene), []);
}

/** Runs the built program by way of a program that sets something before. */
function runBy(scene: Scene, command: string, args: readonly string[]): Promise<RunResult> {
  return runProgram(command, [...args, process.execPath, BIN, "refresh"], { env: scene.env });
}

/** `~/.aws` as a tmpfs of this size, with the scene's two files in it. */
async function onTmpfs(scene: Scene, options: string): Promise<Mount> {
  const config = await scene.home.read(".aws/rolefresh.ini");
  const mount = Mount.on(join(scene.home.path, ".aws"), ["-t", "tmpfs", "-o", `mode=700,${options}`, "rolefresh-test"]);
  await scene.home.write(".aws/rolefresh.ini", config);
  await scene.home.write(".aws/credentials", BEFORE);
  return mount;
}

/** Fills a file system up to the last `leave` bytes; returns the file to remove. */
async function fill(directory: string, leave: number): Promise<string> {
  const filler = join(directory, "filler");
  spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4096"]);
  const { size } = await stat(filler);
  must("truncate", ["-s", String(Math.max(0, size - leave)), filler]);
  return filler;
}

/** Where a single file is mounted over `~/.aws/credentials`, as `docker run -v FILE:FILE` does. */
async function overFile(scene: Scene): Promise<Mount> {
  const source = join(scene.home.path, "on the host");
  await copyFile(scene.home.credentials, source);
  return Mount.on(scene.home.credentials, ["--bind", source]);
}

async function immutableMissing(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return "needs root";
  await using scene = await openFaultScene();
  const reason = toolMissing("chattr", ["+i", scene.home.credentials]);
  if (reason === undefined) must("chattr", ["-i", scene.home.credentials]);
  return reason;
}

const full = (writeMode: "atomic" | "in-place", leave: number): FileSystemFault => ({
  name: `${writeMode}: on a full disk (tmpfs, ${leave === 0 ? "no page" : "one page"} left) the old file stays, and the next run after space was made succeeds`,
  missing: mountMissing,
  run: async () => {
    await using scene = await openFaultScene(writeMode);
    await using mount = await onTmpfs(scene, "size=64k");
    // More than a page, so that one page left means a short write.
    const before = `${BEFORE}\n${"# a long comment of somebody else\n".repeat(150)}`;
    await scene.home.write(".aws/credentials", before);
    const filler = await fill(mount.at, leave);
    rejects(await scene.run(["refresh"]), 74, /no space left on the device/);
    assert.equal(await scene.credentials(), before);
    assert.deepEqual(await leftovers(scene), ["filler"]);
    must("rm", [filler]);
    assert.equal((await scene.run(["refresh"])).code, 0);
    assert.equal(judgeFile(scene.sandbox, await scene.credentials(), before), "new");
  },
});

const fileSize = (bytes: number): FileSystemFault => ({
  name: `with RLIMIT_FSIZE ${bytes} bytes too small the old file stays, and the next run succeeds (setrlimit(2): a short write, then SIGXFSZ or EFBIG)`,
  missing: () => Promise.resolve(toolMissing("prlimit", ["--version"])),
  run: async () => {
    for (const writeMode of ["atomic", "in-place"] as const) {
      await using scene = await openFaultScene(writeMode);
      rejects(await runBy(scene, "prlimit", [`--fsize=${bytes}`]), 74, /ulimit -f/);
      await isUntouched(scene);
      await checkNextRun(scene);
    }
  },
});

export const fileSystemFaults: readonly FileSystemFault[] = [
  full("atomic", 0),
  full("atomic", 4096),
  full("in-place", 0),
  full("in-place", 4096),
  {
    name: "without a free inode the old file stays, and the next run after one was freed succeeds",
    missing: mountMissing,
    run: async () => {
      await using scene = await openFaultScene();
      // The directory, config, credentials and the two locks; no temp file any more.
      await using mount = await onTmpfs(scene, "size=1m,nr_inodes=5");
      rejects(await scene.run(["refresh"]), 73, /no space left on the device/);
      await isUntouched(scene);
      mount.remount("nr_inodes=20");
      await checkNextRun(scene);
    },
  },
  {
    name: "on a file system that is mounted read-only the old file stays",
    missing: mountMissing,
    run: async () => {
      await using scene = await openFaultScene();
      await using mount = await onTmpfs(scene, "size=1m");
      mount.remount("ro");
      rejects(await scene.run(["refresh"]), 73, /the file system is read-only/);
      await isUntouched(scene);
      assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0, "no call for what cannot be kept");
      mount.remount("rw");
      await checkNextRun(scene);
    },
  },
  {
    name: "an immutable file (chattr +i) stays as it is",
    missing: immutableMissing,
    run: async () => {
      for (const writeMode of ["atomic", "in-place"] as const) {
        await using scene = await openFaultScene(writeMode);
        must("chattr", ["+i", scene.home.credentials]);
        try {
          rejects(
            await scene.run(["refresh"]),
            74,
            /operation not permitted[\s\S]*hint: check whether it is immutable \(lsattr /,
          );
          await isUntouched(scene);
        } finally {
          must("chattr", ["-i", scene.home.credentials]);
        }
        await checkNextRun(scene);
      }
    },
  },
  {
    name: "a single mounted file is not replaced: the message names write_mode = in-place, and that writes it, inode and host side too",
    missing: mountMissing,
    run: async () => {
      await using scene = await openFaultScene();
      await using mount = await overFile(scene);
      rejects(await scene.run(["refresh"]), 74, /in use as a mount point[\s\S]*write_mode = in-place/);
      await isUntouched(scene);
      const config = await scene.home.read(".aws/rolefresh.ini");
      await writeFile(scene.home.config, config.replace("= atomic", "= in-place"));
      const { ino } = await stat(mount.at);
      await checkNextRun(scene);
      assert.equal((await stat(mount.at)).ino, ino);
      assert.equal(await readFile(join(scene.home.path, "on the host"), "utf8"), await scene.credentials());
    },
  },
  fileSize(100),
  fileSize(600),
  {
    name: "with any RLIMIT_NOFILE too small to work it fails, the file is the old or the new one, and nothing is left",
    missing: () => Promise.resolve(toolMissing("prlimit", ["--version"])),
    run: async () => {
      for (let limit = 16; limit <= 34; limit += 2) {
        await using scene = await openFaultScene();
        const { code, signal, stderr } = await runBy(scene, "prlimit", [`--nofile=${limit}`]);
        const where = `limit ${limit}: exit ${code} ${signal} ${stderr.slice(0, 400)}`;
        const state = judgeFile(scene.sandbox, await scene.credentials());
        if (code === 0) assert.equal(state, "new", where);
        assert.deepEqual(await leftovers(scene), [], where);
        await checkNextRun(scene);
      }
    },
  },
  {
    name: "whatever the umask, a new file is 0600 in a new directory 0700, and an old one keeps its mode",
    missing: () => Promise.resolve(undefined),
    run: async () => {
      for (const umask of ["000", "022", "077", "777"]) {
        await using scene = await openFaultScene();
        const fresh = join(scene.home.path, "new", "credentials");
        const by = ["-c", `umask ${umask}; exec "$@"`, "sh"];
        for (const file of [fresh, scene.home.credentials]) {
          if (file !== fresh) must("chmod", ["640", file]);
          const args = [...by, process.execPath, BIN, "refresh"];
          const env = { ...scene.env, AWS_SHARED_CREDENTIALS_FILE: file };
          const { code, stderr } = await runProgram("sh", args, { env });
          assert.deepEqual([code, stderr], [0, ""]);
        }
        assert.equal((await stat(fresh)).mode & 0o777, 0o600);
        assert.equal((await stat(join(scene.home.path, "new"))).mode & 0o777, 0o700);
        assert.equal((await stat(scene.home.credentials)).mode & 0o777, 0o640);
      }
    },
  },
  {
    name: "in a directory of another user the old file stays",
    missing: () => Promise.resolve(otherUserMissing()),
    run: async () => {
      await using scene = await openFaultScene();
      for (const path of [scene.home.path, scene.home.config, scene.home.credentials])
        await chown(path, OTHER_USER, OTHER_USER);
      must("chmod", ["755", join(scene.home.path, ".aws")]);
      rejects(await scene.run(["refresh"], { uid: OTHER_USER }), 73, /permission denied/);
      await isUntouched(scene);
      await chown(join(scene.home.path, ".aws"), OTHER_USER, OTHER_USER);
      const { code, stderr } = await scene.run(["refresh"], { uid: OTHER_USER });
      assert.deepEqual([code, stderr], [0, ""]);
      assert.equal((await stat(scene.home.credentials)).uid, OTHER_USER);
    },
  },
  {
    name: "a file of another user in one's own directory is replaced by nobody but root, who keeps its owner and mode",
    missing: () => Promise.resolve(otherUserMissing()),
    run: async () => {
      await using scene = await openFaultScene();
      const directory = join(scene.home.path, ".aws");
      // Root takes a config of its own alone, from a place that is its own alone.
      const config = join(scene.home.path, "rolefresh.ini");
      await copyFile(scene.home.config, config);
      must("chmod", ["755", scene.home.path]);
      must("chmod", ["644", config]);
      await chown(directory, OTHER_USER, OTHER_USER);
      must("chmod", ["640", scene.home.credentials]);
      await chown(scene.home.credentials, 0, OTHER_USER);
      const args = ["refresh", "--config", config];
      rejects(await scene.run(args, { uid: OTHER_USER }), 74, /its owner and group cannot be kept/);
      await isUntouched(scene);
      await chown(scene.home.credentials, OTHER_USER, OTHER_USER);
      const { code, stderr } = await scene.run(args);
      assert.deepEqual([code, stderr], [0, ""]);
      const { uid, gid, mode } = await stat(scene.home.credentials);
      assert.deepEqual([uid, gid, mode & 0o7777], [OTHER_USER, OTHER_USER, 0o640]);
      assert.equal((await stat(directory)).mode & 0o7777, 0o700);
      assert.equal(judgeFile(scene.sandbox, await scene.credentials()), "new");
      assert.deepEqual(await leftovers(scene), []);
    },
  },
];

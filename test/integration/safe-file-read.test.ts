import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  chown,
  link,
  lchown,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/base/failure.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { readTarget, sameStamp, type Snapshot, stampOf } from "../../src/safe-file/read-target.ts";
import { OTHER_USER } from "../support/other-user.ts";
import { fileHome, UID } from "../support/credentials-file-home.ts";

const isRoot = UID === 0;

const failsWith =
  (code: string, message = /./) =>
  (error: unknown) =>
    error instanceof Failure && error.code === code && message.test(error.message);

async function read(path: string, uid = UID): Promise<Snapshot> {
  return await readTarget(await resolveFile(path, uid), uid);
}

test("a missing file is empty, also in a missing directory", async () => {
  await using home = await fileHome();
  for (const path of [home.path, join(home.directory, "a", "b", "credentials")]) {
    const snapshot = await read(path);
    assert.equal(snapshot.bytes, undefined);
    assert.equal(snapshot.stamp, undefined);
    assert.equal(
      snapshot.file.target,
      await realpath(home.directory).then((real) => join(real, path.slice(home.directory.length))),
    );
  }
});

test("a relative path becomes absolute", async () => {
  await using home = await fileHome("x");
  const file = await resolveFile(relative(process.cwd(), home.path), UID);
  assert.equal(file.path, home.path);
});

test("the stamp tells a change", async () => {
  await using home = await fileHome("x");
  const { stamp, bytes } = await read(home.path);
  assert.equal(bytes?.toString(), "x");
  assert.ok(sameStamp(stamp, await stampOf(home.file)));
  await writeFile(home.path, "y");
  assert.ok(!sameStamp(stamp, await stampOf(home.file)));
  await rm(home.path);
  assert.ok(sameStamp(undefined, await stampOf(home.file)));
});

test("a file of any size is read whole", async () => {
  await using home = await fileHome();
  for (const size of [0, 1, 2, 4096, 1024 * 1024, 32 * 1024 * 1024]) {
    const content = Buffer.alloc(size, "[section]\r\nkey = value\r\n");
    await writeFile(home.path, content);
    assert.ok((await read(home.path)).bytes?.equals(content), `${size}`);
  }
});

test("a file that is longer than it was said to be is read to its end", async () => {
  const { bytes } = await read("/proc/filesystems");
  assert.equal((await stat("/proc/filesystems")).size, 0);
  assert.equal(bytes?.toString(), await readFile("/proc/filesystems", "utf8"));
});

test("what is no regular file is refused without hanging", async () => {
  await using home = await fileHome();
  const at = (name: string): string => join(home.directory, name);
  await mkdir(at("directory"));
  execFileSync("mkfifo", [at("fifo")]);
  const server = createServer().listen(at("socket"));
  await new Promise((settle) => server.once("listening", settle));
  for (const path of [at("directory"), at("fifo"), at("socket"), "/dev/null", "/dev/zero"]) {
    await assert.rejects(read(path), failsWith("FILE_UNSAFE", /directory|not a regular file/), path);
  }
  await new Promise((settle) => server.close(settle));
});

test("a file of 50 MB is refused unread", async () => {
  await using home = await fileHome("x");
  await truncate(home.path, 50 * 1024 * 1024);
  await assert.rejects(read(home.path), failsWith("FILE_UNSAFE", /larger than 32 MiB/));
});

test("a file of 32 MiB is read", async () => {
  await using home = await fileHome("x");
  await truncate(home.path, 32 * 1024 * 1024);
  assert.equal((await read(home.path)).bytes?.length, 32 * 1024 * 1024);
});

test("a dangling symlink is no empty file", async () => {
  await using home = await fileHome();
  await symlink("nowhere", home.path);
  await assert.rejects(read(home.path, undefined), failsWith("FILE_UNSAFE", /nowhere, which does not exist/));
  await symlink("missing-mount", join(home.directory, "dir"));
  await assert.rejects(
    read(join(home.directory, "dir", "credentials"), undefined),
    failsWith("FILE_UNSAFE", /missing-mount, which does not exist/),
  );
});

test("a loop of symlinks is refused", async () => {
  await using home = await fileHome();
  await symlink("credentials", join(home.directory, "other"));
  await symlink("other", home.path);
  await assert.rejects(read(home.path, undefined), failsWith("FILE_UNSAFE", /leads back to itself/));
});

test("links to files, to directories and through '..' are followed", async () => {
  await using home = await fileHome("x");
  const at = (name: string): string => join(home.directory, name);
  await mkdir(at("sub"));
  await symlink("../credentials", at("sub/link"));
  await symlink(at("sub"), at("directory-link"));
  const file = await resolveFile(at("directory-link/link"), undefined);
  assert.equal(file.target, await realpath(home.path));
  assert.equal(file.path, at("directory-link/link"));
  const missing = await resolveFile(at("directory-link/new"), undefined);
  assert.equal(missing.target, join(await realpath(at("sub")), "new"));
});

test("a part of the path that is a file is told", async () => {
  await using home = await fileHome("x");
  await assert.rejects(read(join(home.path, "credentials")), failsWith("FILE_UNSAFE", /is not a directory/));
});

test("a file that may not be read is unreadable, not empty", { skip: !isRoot }, async () => {
  await using home = await publicHome();
  await chmod(home.path, 0o600);
  assert.equal(await readAs(home.path, OTHER_USER), "FILE_UNREADABLE");
  await chmod(home.directory, 0o700);
  assert.equal(await readAs(home.path, OTHER_USER), "FILE_UNREADABLE");
});

test("as another user links of anybody are followed", { skip: !isRoot }, async (context) => {
  await using home = await publicHome();
  await chmod(home.path, 0o644);
  // The temp directory itself may be closed to others.
  if ((await readAs(home.path, OTHER_USER)) !== "ok") context.skip("other users cannot reach the temp directory");
  const linked = join(home.directory, "link");
  await symlink("credentials", linked);
  assert.equal(await readAs(linked, OTHER_USER), await readAs(home.path, OTHER_USER));
});

test(
  "root does not follow a link that another user could have planted, be it the file or a directory above",
  { skip: !isRoot },
  async () => {
    await using home = await rootHome();
    const at = (name: string): string => join(home.directory, name);
    await writeFile(at("credentials"), "x");
    await symlink("credentials", at("link"));
    assert.equal((await read(at("link"))).bytes?.toString(), "x", "a link of root in a directory of root");
    await lchown(at("link"), OTHER_USER, OTHER_USER);
    await assert.rejects(read(at("link")), failsWith("FILE_UNSAFE", /may have been made by another user/));

    await mkdir(at("theirs"));
    await symlink("../credentials", at("theirs/link"));
    await mkdir(at("theirs/real"));
    await writeFile(at("theirs/real/credentials"), "x");
    await symlink("real", at("theirs/directory"));
    for (const [owner, mode] of [
      [OTHER_USER, 0o755],
      [0, 0o777],
      [0, 0o775],
      [0, 0o1777],
    ] as const) {
      await chown(at("theirs"), owner, 0);
      await chmod(at("theirs"), mode);
      await assert.rejects(read(at("theirs/link")), failsWith("FILE_UNSAFE"), `${owner} ${mode.toString(8)}`);
      await assert.rejects(read(at("theirs/directory/credentials")), failsWith("FILE_UNSAFE"));
      assert.equal((await read(at("theirs/real/credentials"))).bytes?.toString(), "x", "no link, no fear");
    }
  },
);

test("root does not use another user's file that has a second hard link", { skip: !isRoot }, async () => {
  await using home = await fileHome("x");
  await link(home.path, join(home.directory, "other"));
  assert.equal((await read(home.path)).bytes?.toString(), "x", "its own is fine");
  await chown(home.path, OTHER_USER, OTHER_USER);
  await assert.rejects(read(home.path), failsWith("FILE_UNSAFE", /hard link/));
});

test("reading loads nothing of the locks", async () => {
  await using home = await fileHome("x");
  const script = `
    const base = ${JSON.stringify(new URL("../../src/credentials-file/", import.meta.url).href)};
    const { resolveFile } = await import(base + "../safe-file/resolve-file.js");
    const { readTarget } = await import(base + "../safe-file/read-target.js");
    const { parseDocument } = await import(base + "document.js");
    parseDocument(await readTarget(await resolveFile(${JSON.stringify(home.path)}, undefined), undefined));
    const { createRequire } = await import("node:module");
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify(loaded.filter((name) => name.includes("node_modules"))));
  `;
  assert.equal(
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).trim(),
    "[]",
  );
});

/** A home that another user can reach: the tests' own temp directory may be closed to others. */
async function publicHome(): Promise<Awaited<ReturnType<typeof fileHome>>> {
  const home = await fileHome("x");
  await chmod(home.directory, 0o755);
  return home;
}

/** A directory that root owns alone, with all above it: not below /tmp, where everybody may write. */
async function rootHome(): Promise<{ readonly directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(userInfo().homedir, "rolefresh-test-"));
  return { directory, [Symbol.asyncDispose]: async () => await rm(directory, { recursive: true, force: true }) };
}

/**
 * What another user finds: `ok` or the code of the failure. The process takes on that user's rights for a moment, as a
 * child could not even read this program where the checkout is closed to others.
 */
async function readAs(path: string, uid: number): Promise<string> {
  process.seteuid?.(uid);
  try {
    await read(path, uid);
    return "ok";
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  } finally {
    process.seteuid?.(0);
  }
}

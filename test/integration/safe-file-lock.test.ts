import assert from "node:assert/strict";
import { lstat, mkdir, readdir, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { LockDirectory } from "../../src/safe-file/lock-directory.ts";
import { flightLockOf, lockFile, tryFlight } from "../../src/safe-file/lock.ts";
import { watchLocks } from "../../src/safe-file/lock-liveness.ts";
import { fileLockOf } from "../../src/safe-file/sibling-paths.ts";
import { startDeadline } from "../../src/base/deadline.ts";
import { Failure } from "../../src/base/failure.ts";
import { clock, fileHome, UID } from "../support/credentials-file-home.ts";
import { documentOf } from "../support/credentials-file-keys.ts";
import { startChild } from "../support/credentials-file-process.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";

const hasFailed = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test("a flight is held by one at a time, each profile's on its own", async () => {
  await using home = await fileHome("");
  const lease = await tryFlight(home.file, "p");
  assert.ok(lease);
  assert.equal(await tryFlight(home.file, "p"), undefined);
  const other = await tryFlight(home.file, "a/../b");
  assert.ok(other);
  await lease.release();
  await lease.release();
  const again = await tryFlight(home.file, "p");
  assert.ok(again);
  await again.release();
  await other.release();
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("a lock makes the missing directory first", async () => {
  await using home = await fileHome();
  const file = await resolveFile(join(home.directory, "a", "b", "credentials"), UID);
  const flight = await tryFlight(file, "p");
  const lease = await lockFile(file, clock, home.deadline);
  assert.equal((await lstat(join(home.directory, "a"))).mode & 0o777, 0o700);
  await lease.release();
  await flight?.release();
});

test("the file's lock is waited for until the deadline", async () => {
  await using home = await fileHome("");
  const lease = await lockFile(home.file, clock, home.deadline);
  const short = startDeadline(100, clock, new AbortController().signal);
  await assert.rejects(lockFile(home.file, clock, short), hasFailed("FILE_BUSY"));
  const waiting = lockFile(home.file, clock, home.deadline);
  await lease.release();
  await (await waiting).release();
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("an interruption ends the wait as an interruption", async () => {
  await using home = await fileHome("");
  const lease = await lockFile(home.file, clock, home.deadline);
  const interrupted = new AbortController();
  const deadline = startDeadline(60_000, clock, interrupted.signal);
  const waiting = lockFile(home.file, clock, deadline);
  interrupted.abort(new Failure("INTERRUPTED", "interrupted"));
  await assert.rejects(waiting, hasFailed("INTERRUPTED"));
  await lease.release();
  deadline.clear();
});

test("a lock file that another tool keeps there for good is gone around (aws-runas)", async () => {
  await using home = await fileHome("");
  await writeFile(fileLockOf(home.file), "");
  const lease = await lockFile(home.file, clock, home.deadline);
  assert.ok((await home.names()).includes(".credentials.rolefresh.lock"));
  await lease.release();
  assert.deepEqual(await home.names(), ["credentials", "credentials.lock"]);
});

test("the lock of a killed process is taken over once it is old", async () => {
  await using home = await fileHome("");
  const child = startChild(["hold", home.path]);
  await child.says("held");
  child.process.kill("SIGKILL");
  assert.equal(await child.ended, "SIGKILL");
  const lock = flightLockOf(home.file, "p");
  assert.equal(await tryFlight(home.file, "p"), undefined, "it may still be alive");
  await age(lock, -60);
  watchLocks(() => performance.now()).clearIfDead(lock);
  const lease = await tryFlight(home.file, "p");
  assert.ok(lease);
  await lease.release();
});

test("a lock dated in the future, as after the clock was put back, is dead when nobody touches it for ten seconds", async () => {
  await using home = await fileHome("");
  const lock = fileLockOf(home.file);
  await mkdir(lock);
  await age(lock, 3600);
  let now = 0;
  const watch = watchLocks(() => now);
  assert.equal(watch.clearIfDead(lock), false);
  now += 9_000;
  assert.equal(watch.clearIfDead(lock), false);
  await age(lock, 3601);
  now += 9_000;
  assert.equal(watch.clearIfDead(lock), false, "it was touched");
  now += 11_000;
  assert.equal(watch.clearIfDead(lock), true);
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("a take-over that was killed in the middle does not keep the lock for ever", async () => {
  await using home = await fileHome("");
  const lock = fileLockOf(home.file);
  await mkdir(lock);
  await age(lock, -60);
  await mkdir(`${lock}.takeover`);
  let now = 0;
  const watch = watchLocks(() => now);
  assert.equal(watch.clearIfDead(lock), false);
  now += 11_000;
  assert.equal(watch.clearIfDead(lock), false);
  now += 3_000;
  assert.equal(watch.clearIfDead(lock), true);
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("of many processes that find a dead lock at once, one gets it (node-proper-lockfile issue 121)", async () => {
  await using home = await fileHome("");
  for (let round = 0; round < 3; round++) {
    await mkdir(flightLockOf(home.file, "p"));
    await age(flightLockOf(home.file, "p"), -60);
    const children = Array.from({ length: 6 }, () => startChild(["hold", home.path, "flight"]));
    await Promise.all(children.map(({ spoke }) => spoke));
    for (const child of children) child.process.kill("SIGTERM");
    await Promise.all(children.map(({ ended }) => ended));
    const holders = children.filter(({ lines }) => lines.includes("held"));
    assert.equal(holders.length, 1);
  }
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("a lease that was taken away says so, and does not remove its successor's lock", async () => {
  await using home = await fileHome("");
  const lease = await tryFlight(home.file, "p");
  assert.ok(lease);
  const lock = flightLockOf(home.file, "p");
  await rmdir(lock);
  await mkdir(lock);
  await age(lock, 5);
  await new Promise((settle) => {
    lease.lost.addEventListener("abort", settle);
  });
  assert.ok(hasFailed("FILE_BUSY")(lease.lost.reason));
  await lease.release();
  assert.ok((await lstat(lock)).isDirectory());
});

test("a lease that was taken away unnoticed is not released over its successor", async () => {
  await using home = await fileHome("");
  const lease = await tryFlight(home.file, "p");
  const lock = flightLockOf(home.file, "p");
  await rmdir(lock);
  await mkdir(lock);
  await age(lock, 5);
  await lease?.release();
  assert.ok((await lstat(lock)).isDirectory());
});

test("a held lock is not lost while its holder's event loop is busy for four seconds", async () => {
  await using home = await fileHome("");
  const child = startChild(["busy", home.path, "4000"]);
  await child.says("held");
  // The child gives its lock back before it says so: to get it is no fault then. One that was taken says "lost".
  let lease = await tryFlight(home.file, "p");
  assert.equal(lease, undefined);
  while (child.lines.length < 2 && !lease) {
    await clock.sleep(50, home.deadline.signal);
    lease = await tryFlight(home.file, "p");
  }
  await lease?.release();
  await child.ended;
  assert.deepEqual(child.lines, ["held", "kept"]);
});

for (const what of ["file", "flight"]) {
  test(`SIGTERM leaves no lock of a process without handlers: ${what}`, async () => {
    await using home = await fileHome("");
    const child = startChild(["hold", home.path, what]);
    await child.says("held");
    child.process.kill("SIGTERM");
    assert.equal(await child.ended, "SIGTERM");
    assert.deepEqual(await home.names(), ["credentials"]);
  });

  test(`proper-lockfile does not come between a signal and our own handler: ${what}`, async () => {
    await using home = await fileHome("");
    const child = startChild(["handled", home.path, what]);
    await child.says("held");
    child.process.kill("SIGTERM");
    assert.equal(await child.ended, "SIGTERM");
    assert.deepEqual(child.lines, ["held", "released"]);
    assert.deepEqual(await home.names(), ["credentials"]);
  });
}

test("SIGTERM at any moment leaves no lock", async () => {
  await using home = await fileHome("# mine\n");
  for (let n = 0; n < 25; n++) {
    const child = startChild(["update-forever", home.path]);
    await child.says("started");
    await clock.sleep(Math.random() * 10, home.deadline.signal);
    child.process.kill("SIGTERM");
    assert.equal(await child.ended, "SIGTERM");
    const locks = (await home.names()).filter((name) => name.includes(".lock"));
    assert.deepEqual(locks, []);
  }
});

test("no update of six processes at once is lost, and a reader never sees half of the file", async () => {
  await using home = await fileHome("# mine\n[q]\nregion = x\n");
  const profiles = (n: number): string[] => Array.from({ length: 5 }, (_, at) => `p${n}-${at}`);
  const children = Array.from({ length: 6 }, (_, n) => startChild(["update", home.path, ...profiles(n)]));
  const all = Promise.all(children.map(({ ended }) => ended));
  const done = new AbortController();
  void all.then(() => done.abort());
  while (!done.signal.aborted) {
    const document = documentOf(await home.read());
    for (const name of document.names) assert.ok(name === "q" || document.profile(name)?.isComplete, name);
    await clock.sleep(1, home.deadline.signal);
  }
  assert.deepEqual(await all, [0, 0, 0, 0, 0, 0]);
  const document = documentOf(await home.read());
  assert.deepEqual(
    document.names.toSorted(),
    ["q", ...Array.from({ length: 6 }, (_, n) => profiles(n)).flat()].toSorted(),
  );
  assert.deepEqual(await readdir(home.directory), ["credentials"]);
});

async function age(path: string, seconds: number): Promise<void> {
  const at = Date.now() / 1000 + seconds;
  await utimes(path, at, at);
}

test("a lock is kept alive until its holder's deadline, and can be taken over after it", async () => {
  await using home = await fileHome();
  const directory = new LockDirectory(home.deadline.signal);
  const past = new AbortController();
  const ended = new LockDirectory(past.signal);
  const touch = (lock: LockDirectory, at: number): void => {
    const date = new Date(at);
    lock.utimes(home.directory, date, date, (error) => assert.ok(!error));
  };
  touch(directory, 1_000_000);
  touch(directory, 2_000_000);
  assert.equal((await stat(home.directory)).mtimeMs, 2_000_000);
  touch(ended, 3_000_000);
  past.abort();
  touch(ended, 4_000_000);
  assert.equal((await stat(home.directory)).mtimeMs, 3_000_000);
  // To its holder, which may be about to write, it is the one that it dated.
  ended.stat(home.directory, (error, stats) => {
    assert.ok(!error);
    assert.equal(stats?.mtimeMs ?? stats?.mtime.getTime(), 3_000_000);
    assert.equal(stats?.mtime.getTime(), 4_000_000);
  });
});

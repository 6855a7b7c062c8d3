import assert from "node:assert/strict";
import { lstat, utimes, writeFile } from "node:fs/promises";
import { test } from "node:test";

import { startDeadline } from "../../src/base/deadline.ts";
import { Failure } from "../../src/base/failure.ts";
import { parseDocument } from "../../src/credentials-file/document.ts";
import { lockFile } from "../../src/safe-file/lock.ts";
import { readTarget } from "../../src/safe-file/read-target.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { clock, type FileHome, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { startChild } from "../support/credentials-file-process.ts";
import { failNth } from "../support/fail-nth.ts";

// Lines that could be taken out, or numbers changed, without any other test noticing.

const OTHERS = "[q]\nregion = x\n[p]\naws_access_key_id = ASIAOLD\naws_secret_access_key = s\naws_session_token = t\n";

for (const writeMode of ["atomic", "in-place"] as const) {
  test(`${writeMode}: a lock that is lost while the new content is written keeps it from taking the file's place`, async () => {
    await using home = await fileHome(OTHERS);
    const inode = await home.inode();
    let isTaken = false;
    const { ops } = failNth(undefined, "", async (call) => {
      if (isTaken || call !== "handle.sync") return;
      isTaken = true;
      // Another process took it for dead. The heartbeat, every two seconds, finds it out.
      await utimes(`${home.path}.lock`, 1, 1);
      await clock.sleep(5000, new AbortController().signal);
    });
    const request = { file: home.file, edits: [pending("p")], writeMode } as const;
    const { results } = await updateCredentialsFile(request, { clock, deadline: home.deadline, uid: UID, ops });
    const result = results.get("p");
    assert.ok(result?.kind === "failed" && result.failure.code === "FILE_BUSY", JSON.stringify(result));
    assert.equal(await home.read(), OTHERS);
    assert.equal(await home.inode(), inode);
    assert.deepEqual(await home.names(), ["credentials", "credentials.lock"]);
  });
}

test("a lock that is taken just after the deadline is given back", async () => {
  await using home = await fileHome("");
  const controller = new AbortController();
  const { signal } = controller;
  // Over between the look before the lock is tried, and the one after.
  let looks = 0;
  Object.defineProperty(signal, "aborted", { get: () => looks++ > 0 });
  const sleep = async () => {
    throw new Error("over");
  };
  const deadline = { signal, remainingMs: () => 0, clear: () => undefined };
  await assert.rejects(lockFile(home.file, { ...clock, sleep }, deadline), { code: "FILE_BUSY" });
  assert.ok(looks > 1);
  assert.deepEqual(await home.names(), ["credentials"]);
});

/** The file was written over so many milliseconds ago. @returns for how long an update waited */
async function waitedAfter(home: FileHome, agoMs: number): Promise<number> {
  await writeFile(home.path, OTHERS);
  const { mtimeMs, mtimeNs, ctimeNs } = await lstat(home.path, { bigint: true });
  assert.equal(mtimeNs, ctimeNs);
  let nowMs = Number(mtimeMs) + agoMs;
  let waitedMs = 0;
  const later = {
    ...clock,
    now: () => new Date(nowMs),
    sleep: async (ms: number) => {
      nowMs += ms;
      waitedMs += ms;
    },
  };
  const request = { file: home.file, edits: [pending("p")], writeMode: "atomic" } as const;
  await updateCredentialsFile(request, { clock: later, deadline: home.deadline, uid: UID });
  return waitedMs;
}

test("a file that somebody wrote over is waited for until it was left alone for a fifth of a second, not longer", async () => {
  await using home = await fileHome();
  for (const [agoMs, least, most] of [
    [0, 200, 202],
    [150, 50, 52],
    [205, 0, 0],
  ] as const) {
    const waited = await waitedAfter(home, agoMs);
    assert.ok(waited >= least && waited <= most, `${agoMs} ms ago: waited ${waited} ms`);
  }
});

test("a file that is being written for longer than the deadline is left alone", async () => {
  await using home = await fileHome();
  await writeFile(home.path, OTHERS);
  const { mtimeMs } = await lstat(home.path);
  const over = new AbortController();
  const deadline = startDeadline(60_000, clock, over.signal);
  const waiting = {
    ...clock,
    now: () => new Date(mtimeMs),
    sleep: async (_ms: number, signal: AbortSignal) => {
      over.abort(new Failure("TIMEOUT", "not done"));
      signal.throwIfAborted();
    },
  };
  const request = { file: home.file, edits: [pending("p")], writeMode: "atomic" } as const;
  await assert.rejects(updateCredentialsFile(request, { clock: waiting, deadline, uid: UID }), {
    code: "FILE_BUSY",
    message: /another program keeps changing/,
  });
  assert.equal(await home.read(), OTHERS);
  assert.deepEqual(await home.names(), ["credentials"]);
  deadline.clear();
});

for (const writeMode of ["atomic", "in-place"] as const) {
  test(`${writeMode}: our own write is known by its times, however fast it was`, async () => {
    await using home = await fileHome(OTHERS);
    for (let n = 0; n < 50; n++) {
      const edits = [pending("p", { edit: { kind: "remove" } }), pending(`p${n}`)];
      await updateCredentialsFile({ file: home.file, edits, writeMode }, { clock, deadline: home.deadline, uid: UID });
      const { mtimeNs, ctimeNs } = await lstat(home.path, { bigint: true });
      assert.ok(mtimeNs < ctimeNs, `write ${n}`);
    }
  });
}

test("ten processes with one profile each never take each other's write for somebody's half-written one", async () => {
  await using home = await fileHome(OTHERS);
  const profiles = Array.from({ length: 10 }, (_, n) => `race${n}`);
  const children = profiles.map((profile) => startChild(["update-counting", home.path, profile]));
  assert.deepEqual(
    await Promise.all(children.map(({ ended }) => ended)),
    profiles.map(() => 0),
  );
  assert.deepEqual(
    children.flatMap(({ lines }) => lines),
    profiles.map(() => "waited 0 times"),
  );
  const document = parseDocument(await readTarget(home.file, UID));
  for (const profile of profiles) assert.ok(document.profile(profile)?.isComplete, profile);
});

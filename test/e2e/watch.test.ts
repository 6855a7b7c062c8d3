import assert from "node:assert/strict";
import { on } from "node:events";
import { watch as watchFiles } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { suite, test } from "node:test";

import type { RunResult } from "../support/run-bin.ts";
import { expiringIn, ONE_ROLE, openScene, valuesOf } from "../support/scene.ts";

/** Resolves when `isTrue` is, looked at whenever something in the directory changes; a program that ended fails the test. */
async function whenever(directory: string, isTrue: () => Promise<boolean>, ended: Promise<RunResult>): Promise<void> {
  const changes = new AbortController();
  try {
    await Promise.race([
      untilTrue(directory, isTrue, changes.signal),
      ended.then((result) => assert.fail(`it ended: ${JSON.stringify(result)}`)),
    ]);
  } finally {
    changes.abort();
  }
}

async function untilTrue(directory: string, isTrue: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  // Both stand from here on, unlike the generator of `fs/promises`: no change is missed between this look and its first event.
  const changes = on(watchFiles(directory, { signal }), "change", { signal });
  if (await isTrue()) return;
  try {
    for await (const _ of changes) if (await isTrue()) return;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

suite("watch as a process", () => {
  test("refreshes at the start and after SIGHUP, keeps the health file, dies of SIGTERM and takes it away", async () => {
    await using scene = await openScene(ONE_ROLE);
    const health = `${scene.home.path}/run/health`;
    await mkdir(`${scene.home.path}/run`);
    let child: { kill(signal: NodeJS.Signals): boolean } | undefined;
    const ended = scene.run(["watch", "--health-file", health], { onSpawn: (spawned) => (child = spawned) });
    await whenever(`${scene.home.path}/run`, () => exists(health), ended);
    const first = valuesOf(await scene.credentials(), "default")["aws_access_key_id"];
    await writeFile(scene.home.credentials, expiringIn(await scene.credentials(), "default", 60_000));
    child?.kill("SIGHUP");
    await whenever(
      `${scene.home.path}/.aws`,
      async () => {
        const file = await scene.credentials();
        return file.includes("manager = rolefresh") && valuesOf(file, "default")["aws_access_key_id"] !== first;
      },
      ended,
    );
    child?.kill("SIGTERM");
    const { code, signal, stdout, stderr } = await ended;
    assert.deepEqual([code, signal, stdout], [null, "SIGTERM", ""]);
    assert.match(stderr, /refreshed, valid until .*\n(.*\n)*.*config reloaded\n(.*\n)*.*refreshed, valid until/);
    assert.equal(await exists(health), false);
    assert.deepEqual(await scene.home.awsFiles(), ["credentials", "rolefresh.ini"]);
  });

  test("SIGTERM while STS hangs ends it, the file as it was", async () => {
    await using scene = await openScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "hang" });
    const called = scene.sandbox.nextCall("AssumeRoleWithWebIdentity");
    const result = await scene.run(["watch"], {
      onSpawn: (spawned) => void called.then(() => spawned.kill("SIGTERM")),
    });
    assert.deepEqual([result.signal, result.stdout], ["SIGTERM", ""]);
    assert.deepEqual(await scene.home.awsFiles(), ["rolefresh.ini"]);
  });

  test("a first config that is broken ends it with 78", async () => {
    await using scene = await openScene("[default]\n");
    const { code, stderr } = await scene.run(["watch"]);
    assert.equal(code, 78);
    assert.match(stderr, /role_arn is missing/);
  });
});

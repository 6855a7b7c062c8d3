import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { suite, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { tryFlight } from "../../src/safe-file/lock.ts";
import { GCP_ARN, openScene, valuesOf } from "../support/scene.ts";

/** More than the eight profiles that a run takes care of at once. */
const HELD = Array.from({ length: 12 }, (_, index) => `held-${index}`);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

suite("waiting for a lock", () => {
  test("takes no slot: whoever holds the locks of one file delays no profile of another", async () => {
    await using scene = await openScene(undefined);
    const theirs = `${scene.home.path}/theirs`;
    const section = (name: string, file: string) =>
      `[${name}]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\ncredentials_file = ${file}\n`;
    const ours = scene.home.credentials;
    const config = [...HELD.map((name) => section(name, theirs)), section("ours", ours)].join("");
    await scene.home.write(".aws/rolefresh.ini", config);
    const file = await resolveFile(theirs, process.geteuid?.());
    const leases = await Promise.all(HELD.map((name) => tryFlight(file, name)));
    assert.ok(leases.every((lease) => lease !== undefined));
    const run = scene.run([]);
    // The locks are given back only when the other file is written: with slots taken, the run would end at its deadline.
    const released = (async () => {
      while (!(await exists(ours))) await pause(20);
      for (const lease of leases) await lease?.release();
    })();
    assert.deepEqual(await run, { code: 0, signal: null, stdout: "", stderr: "" });
    await released;
    assert.ok(valuesOf(await scene.credentials(), "ours")["aws_session_token"]);
  });
});

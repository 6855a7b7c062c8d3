import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { checkNextRun, leftovers, openFaultScene } from "../support/fault-scene.ts";
import { straceMissing } from "../support/strace.ts";
import { Tally } from "../support/torture.ts";
import { killAndWait, stopEverywhere, type StopSignal } from "../torture/faults-signals.ts";

const isOver = (): boolean => false;

/** Every so many-th call; scripts/torture takes all of them with every signal. */
const ATTEMPTS: readonly (readonly [StopSignal, "atomic" | "in-place", number])[] = [
  ["KILL", "atomic", 4],
  ["KILL", "in-place", 7],
  ["TERM", "atomic", 9],
  ["INT", "in-place", 9],
  ["HUP", "atomic", 12],
  ["PIPE", "atomic", 12],
];

suite("a refresh that is told to stop at a file call (strace -e inject)", { skip: straceMissing() ?? false }, () => {
  for (const [signal, writeMode, step] of ATTEMPTS) {
    test(`SIG${signal}, ${writeMode}: the file is the old or the new one, and the next run heals`, async (t) => {
      const tally = new Tally(signal, (line) => t.diagnostic(line));
      const note = await stopEverywhere(tally, writeMode, [signal], { isOver }, (n) => n % step === 0);
      t.diagnostic(`tried ${tally.tried} times: ${note}`);
      assert.ok(tally.tried > 3);
      assert.equal(tally.failed, 0);
    });
  }

  test("a run that finds the fresh locks of a killed one waits until they are dead, and succeeds", async () => {
    await killAndWait("atomic");
  });
});

test("told twice, it dies at once, and no lock is left", async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    await using scene = await openFaultScene();
    scene.sandbox.misbehave("sts", { kind: "hang" });
    const called = scene.sandbox.nextCall("AssumeRoleWithWebIdentity");
    const result = await scene.run(["refresh"], {
      onSpawn: (child) => {
        void called.then(() => {
          child.kill(signal);
          child.kill(signal);
        });
      },
    });
    assert.equal(result.signal, signal);
    assert.deepEqual(await leftovers(scene), []);
    scene.sandbox.misbehave("sts", undefined);
    await checkNextRun(scene);
  }
});

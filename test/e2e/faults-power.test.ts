import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { crashImageMissing } from "../support/crash-image.ts";
import { openFaultScene } from "../support/fault-scene.ts";
import { runStraced, straceMissing } from "../support/strace.ts";
import { Tally } from "../support/torture.ts";
import { cutCarelessWriter, cutEverywhere, durableSteps, MOUNTS } from "../torture/faults-power.ts";

const CHANGES = /^(?:pwrite64|fsync|rename|unlink|rmdir|close)$/;
const LEAST = MOUNTS.at(-1) ?? "";

suite("the order that outlives a power cut, from strace", { skip: straceMissing() ?? false }, () => {
  const STEPS = {
    atomic: ["pwrite64 temp", "fsync temp", "rename temp -> credentials", "fsync directory"],
    "in-place": [
      "pwrite64 temp",
      "fsync temp",
      "rename temp -> journal",
      "fsync directory",
      "pwrite64 credentials",
      "fsync credentials",
      "unlink journal",
    ],
  };
  for (const writeMode of ["atomic", "in-place"] as const) {
    test(`${writeMode}: ${STEPS[writeMode].join(", ")}`, async () => {
      await using scene = await openFaultScene(writeMode);
      const { code, calls } = await runStraced(["refresh"], { env: scene.env });
      assert.equal(code, 0);
      const inHome = calls.filter(({ path = "" }) => path.startsWith(scene.home.path));
      const steps = durableSteps(inHome).filter((step) => !step.includes(".lock"));
      assert.deepEqual(steps, STEPS[writeMode]);
    });
  }
});

const missing = straceMissing() ?? (await crashImageMissing());

suite(`power cuts on ext4 (${LEAST})`, { skip: missing ?? false }, () => {
  for (const writeMode of ["atomic", "in-place"] as const) {
    test(`${writeMode}: cut at any call that changes something, the file is found whole or healed, and the new one once it is done`, async (t) => {
      const tally = new Tally(writeMode, (line) => t.diagnostic(line));
      const pick = ({ name }: { readonly name: string }): boolean => CHANGES.test(name);
      const note = await cutEverywhere(tally, writeMode, LEAST, { isOver: () => false }, pick);
      t.diagnostic(`tried ${tally.tried} times: ${note}`);
      assert.ok(tally.tried > 8);
      assert.equal(tally.failed, 0);
    });
  }

  test("control: a writer that renames without fsync loses its file, so this test can find it", async () => {
    assert.equal(await cutCarelessWriter(LEAST), "lost");
  });
});

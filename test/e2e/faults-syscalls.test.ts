import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { straceMissing } from "../support/strace.ts";
import { Tally } from "../support/torture.ts";
import { failCalls } from "../torture/faults-syscalls.ts";

/** One call of three fails here, others each time, the errors taken in turn; scripts/torture makes each fail with all of them. */
suite("a refresh of which one file call fails (strace -e inject)", { skip: straceMissing() ?? false }, () => {
  for (const writeMode of ["atomic", "in-place"] as const) {
    test(`${writeMode}: the file is the old or the new one whole, nothing is left, and the next run succeeds`, async (t) => {
      const tally = new Tally(writeMode, (line) => t.diagnostic(line));
      // Up to the temp file both modes do the same.
      const isEnough = writeMode === "atomic" ? undefined : "rolefresh-abab";
      const note = await failCalls(tally, writeMode, "a third", { isOver: () => false, seed: process.pid }, isEnough);
      t.diagnostic(`tried ${tally.tried} times: ${note}`);
      assert.ok(tally.tried > 5);
      assert.equal(tally.failed, 0);
    });
  }
});

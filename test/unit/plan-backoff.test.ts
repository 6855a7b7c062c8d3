import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { lookAgainAfter, pauseAfter, sleepUntil } from "../../src/plan/backoff.ts";

suite("when watch looks again", () => {
  test("at the first moment, but within a second and a minute", () => {
    assert.equal(sleepUntil([30_000, 45_000]), 30_000);
    assert.equal(sleepUntil([3_600_000]), 60_000);
    assert.equal(sleepUntil([]), 60_000);
    assert.equal(sleepUntil([-5000, 20]), 1000);
  });

  test("a source that has nothing newer: after half of what is left, 15 s at least, the window at most", () => {
    const window = 20 * 60_000;
    assert.equal(lookAgainAfter(600_000, window), 300_000);
    assert.equal(lookAgainAfter(30_000, window), 15_000);
    assert.equal(lookAgainAfter(31_000, window), 15_500);
    assert.equal(lookAgainAfter(1000, window), 15_000);
    assert.equal(lookAgainAfter(-1000, window), 15_000);
    assert.equal(lookAgainAfter(10 * window, window), window);
  });

  test("a failing profile is left alone for longer each time, five minutes at most, the half of it by chance", () => {
    const rows = [1, 2, 3, 4, 7, 50].map((failures) => [pauseAfter(failures, 0), pauseAfter(failures, 0.999_999)]);
    assert.deepEqual(rows, [
      [2500, 5000],
      [5000, 10_000],
      [10_000, 20_000],
      [20_000, 40_000],
      [150_000, 300_000],
      [150_000, 300_000],
    ]);
  });
});

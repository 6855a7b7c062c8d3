import assert from "node:assert/strict";
import { test } from "node:test";

import { Tally } from "../support/torture.ts";
import { killAtRandom, startAtOnce } from "../torture/races-fleet.ts";

test("12 processes started at once on 20 expired profiles make one STS call for each, and all succeed in silence", async () => {
  await startAtOnce(12, 20);
});

test("processes killed at random lose nothing of anybody, and the next run heals", async (t) => {
  const tally = new Tally("kills", (line) => t.diagnostic(line));
  const note = await killAtRandom(tally, 8, { isOver: () => false });
  t.diagnostic(`tried ${tally.tried} times: ${note}`);
  assert.equal(tally.failed, 0);
});

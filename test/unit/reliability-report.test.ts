import assert from "node:assert/strict";
import { test } from "node:test";

import { mergeRecords, renderReliability, renderTable, type SuiteRecord } from "../support/reliability-report.ts";
import { Tally } from "../support/torture.ts";

const record = (suite: string, tried: number): SuiteRecord => ({
  suite,
  title: `About ${suite}`,
  date: "2026-11-23T10:00:00.000Z",
  seconds: 200,
  commit: "0123456789",
  seed: 7,
  machine: "Linux 6, 2 CPUs",
  versions: "rolefresh 0.1.0, Node 20.20.2",
  results: [{ name: "a | b", tried, failed: 0, note: "none" }],
});

test("a new record of a suite takes the place of the old one, and the others stay", () => {
  const merged = mergeRecords([record("b", 1), record("a", 1)], [record("b", 2)]);
  assert.deepEqual(
    merged.map(({ suite, results }) => [suite, results[0]?.tried]),
    [
      ["a", 1],
      ["b", 2],
    ],
  );
});

test("the page sums up, and escapes what would break its tables", () => {
  const page = renderReliability([record("a", 1_234_567), record("b", 1)]);
  assert.match(page, /\*\*1,234,568 attempts, 0 promises broken\.\*\*/);
  assert.match(page, /^\| a \\\| b \| 1,234,567 \| 0 \| none \|$/m);
  assert.match(page, /`scripts\/torture a` · 2026-11-23 10:00 UTC · 3 min · seed 7/);
});

test("a broken promise is counted and said", async () => {
  const said: string[] = [];
  const tally = new Tally("it holds", (line) => said.push(line));
  await tally.attempt("one", () => undefined);
  await tally.attempt("two", () => assert.fail("it did not"));
  assert.deepEqual(tally.result(), { name: "it holds", tried: 2, failed: 1 });
  assert.deepEqual(said, ["BROKEN it holds: two: it did not"]);
  assert.match(renderTable([tally.result("of two")]), / 2 tried +1 broken +it holds \(of two\)\n/);
});

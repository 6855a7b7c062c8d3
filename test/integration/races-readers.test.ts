import assert from "node:assert/strict";
import { test } from "node:test";

import { pollThrough } from "../torture/races-readers.ts";

test("readers that poll through 200 rewrites never see a torn, empty or missing file", async (t) => {
  for (const { name, tried, failed, note } of await pollThrough(200, { isOver: () => false })) {
    t.diagnostic(`${tried} reads: ${name} (${note})`);
    assert.equal(failed, 0, name);
  }
});

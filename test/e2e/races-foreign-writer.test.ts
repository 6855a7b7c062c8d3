import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toolMissing } from "../support/tool.ts";
import { Tally } from "../support/torture.ts";
import {
  awsConfigureSet,
  besideForeign,
  type StartForeign,
  truncatingWriter,
} from "../torture/races-foreign-writer.ts";

const WRITERS: readonly (readonly [string, number, StartForeign, string | undefined])[] = [
  ["`aws configure set` in a loop", 3, awsConfigureSet, toolMissing("aws", ["--version"])],
  ["one that truncates and writes", 5, truncatingWriter("truncate"), undefined],
  ["one that truncates and writes in chunks", 5, truncatingWriter("chunks"), undefined],
];

suite("beside a writer that takes no lock, nothing is lost but changes that cross in the same moment", () => {
  for (const [name, rounds, start, missing] of WRITERS) {
    test(name, { skip: missing ?? false }, async (t) => {
      const tally = new Tally(name, (line) => t.diagnostic(line));
      t.diagnostic(await besideForeign(tally, start, rounds, { isOver: () => false }));
      assert.equal(tally.failed, 0);
    });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/property.ts";
import { Failure } from "../../src/base/failure.ts";
import type { Edit } from "../../src/credentials-file/edit.ts";
import { credentialsFile, PROFILES } from "../support/credentials-file-arbitrary.ts";
import { documentOf, REMOVE, WRITE } from "../support/credentials-file-keys.ts";
import { guardSplice, spliceProfiles } from "../support/credentials-file-splice.ts";

// The guard that reads the changed part alone must give the verdict of the one that reads the whole file.

const RUNS = process.env["SLOW"] === "1" ? 50_000 : 3000;
const file = fc.array(credentialsFile, { minLength: 1, maxLength: 4 }).map((parts) => Buffer.concat(parts));

/** Why the guard refuses an edit (in words that may differ: the first difference it comes upon), or undefined when it lets it pass. */
function verdict(
  before: Buffer,
  after: Buffer,
  edits: ReadonlyMap<string, Edit>,
  isNarrow: boolean,
): string | undefined {
  try {
    guardSplice("f", before, after, edits, !isNarrow);
    return undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === "FILE_UNSAFE") return error.message;
    throw error;
  }
}

const edits = fc
  .uniqueArray(fc.constantFrom(...PROFILES), { minLength: 1, maxLength: 2 })
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.constantFrom<Edit>(WRITE, REMOVE)))))
  .map((pairs) => new Map(pairs));

test("the guard says of the changed part what it says of the whole file, for edits as they are made", () => {
  let passed = 0;
  fc.assert(
    fc.property(file, edits, (before, wanted) => {
      let after: Buffer;
      try {
        after = spliceProfiles(documentOf(before), wanted);
      } catch (error) {
        if (error instanceof Failure) return;
        throw error;
      }
      if (after === before) return;
      const told = verdict(before, after, wanted, true);
      assert.equal(told === undefined, verdict(before, after, wanted, false) === undefined);
      if (told === undefined) passed++;
    }),
    { numRuns: RUNS },
  );
  assert.ok(passed > 100, `only ${passed} edits passed the guard`);
});

test("the guard says of the changed part what it says of the whole file, for any change at all", () => {
  let refused = 0;
  const change = fc.record({
    at: fc.nat(400),
    drop: fc.nat(12),
    put: fc.oneof(
      fc.constantFrom("", "\n", "[p]\n", "\n[q]\n", " ", "aws_access_key_id = ASIAX\n", "#", "\r"),
      fc.string({ maxLength: 6 }),
    ),
  });
  fc.assert(
    fc.property(file, fc.array(change, { minLength: 1, maxLength: 3 }), edits, (before, changes, wanted) => {
      let after = before;
      for (const { at, drop, put } of changes) {
        const start = Math.min(at, after.length);
        after = Buffer.concat([after.subarray(0, start), Buffer.from(put), after.subarray(start + drop)]);
      }
      const told = verdict(before, after, wanted, true);
      assert.equal(told === undefined, verdict(before, after, wanted, false) === undefined);
      if (told !== undefined) refused++;
    }),
    { numRuns: RUNS },
  );
  assert.ok(refused > 100, `only ${refused} changes were refused`);
});

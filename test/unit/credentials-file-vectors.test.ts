import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/base/failure.ts";
import { documentOf } from "../support/credentials-file-keys.ts";
import { readVectors } from "../support/credentials-file-vector.ts";
import { guardSplice, spliceProfiles } from "../support/credentials-file-splice.ts";

for (const { name, why, profile, edit, before, expected, warnedLines } of await readVectors()) {
  test(`vector ${name}: ${why}`, () => {
    const document = documentOf(before);
    const edits = new Map([[profile, edit]]);
    if (expected.kind === "refused") {
      assert.throws(
        () => spliceProfiles(document, edits),
        (error: unknown) =>
          error instanceof Failure && error.code === "FILE_UNSAFE" && error.message === expected.message,
      );
      return;
    }
    const after = spliceProfiles(document, edits);
    if (expected.kind === "unchanged") assert.equal(after, before, "the same buffer");
    else assert.equal(after.toString("latin1"), expected.bytes.toString("latin1"));
    guardSplice("credentials", before, after, edits);
    const again = documentOf(after);
    assert.deepEqual(
      again.warnings.map(({ line }) => line),
      warnedLines,
    );
    assert.equal(spliceProfiles(again, edits), after, "the second time nothing changes");
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../support/property.ts";
import { Failure } from "../../src/base/failure.ts";
import type { Edit } from "../../src/credentials-file/edit.ts";
import { findLandmarks, Landmarks } from "../../src/credentials-file/landmarks.ts";
import { layOut } from "../../src/credentials-file/layout.ts";
import type { Line } from "../../src/credentials-file/lines.ts";
import { credentialsFile, PROFILES } from "../support/credentials-file-arbitrary.ts";
import { documentOf, REMOVE, WRITE } from "../support/credentials-file-keys.ts";
import { landmarkFacts } from "../support/credentials-file-landmarks.ts";
import { layOutSlowly } from "../support/credentials-file-slow-layout.ts";
import { guardSplice, spliceProfiles } from "../support/credentials-file-splice.ts";

// What makes a file of 50,000 sections fast must give the answers of the slow way.

const RUNS = process.env["SLOW"] === "1" ? 50_000 : 3000;
const file = fc.array(credentialsFile, { minLength: 1, maxLength: 4 }).map((parts) => Buffer.concat(parts));
const NAMES = [...PROFILES, "DEFAULT", "other", "p]q", "[p]", "p] # c", " p ", "", "__proto__"];

const plain = ({ kind, number, start, end, next, text, indent }: Line) => ({
  kind,
  number,
  start,
  end,
  next,
  text,
  indent,
});

test("the layout found by brackets is the one that a walk over every line finds", () => {
  fc.assert(
    fc.property(file, fc.shuffledSubarray(NAMES, { minLength: 1 }), (bytes, names) => {
      const [fast, slow] = [layOut(bytes), layOutSlowly(bytes)];
      const boundaries = slow.boundaries.map((_, index) => fast.boundary(index));
      assert.equal(fast.boundary(boundaries.length), undefined);
      assert.deepEqual(
        boundaries.map((one) => one && { ...one, header: plain(one.header) }),
        slow.boundaries.map((one) => ({ ...one, header: plain(one.header) })),
      );
      for (const name of [...names, ...slow.clean.keys(), ...slow.lookalikes.keys()]) {
        assert.deepEqual(fast.clean(name), slow.clean.get(name) ?? [], name);
        assert.deepEqual(fast.lookalikes(name).map(plain), (slow.lookalikes.get(name) ?? []).map(plain), name);
      }
    }),
    { numRuns: RUNS },
  );
});

test("the landmarks of a file are the same however it is cut at its line ends, and whatever stands behind it", () => {
  fc.assert(
    fc.property(file, fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
      const padded = Buffer.concat([bytes, Buffer.from("]\n[x]\n\0\r")]);
      const ends = [...bytes.entries()].flatMap(([at, byte]) => (byte === 0x0a ? [at + 1] : []));
      const landmarks = new Landmarks(0);
      const some = cuts.flatMap((cut) => ends[cut % Math.max(1, ends.length)] ?? []).toSorted((a, b) => a - b);
      for (const end of some) landmarks.take(padded, end);
      landmarks.take(padded, bytes.length);
      assert.deepEqual(landmarkFacts(landmarks), landmarkFacts(findLandmarks(bytes)));
      assert.equal(landmarks.nulAt, bytes.indexOf(0));
      assert.equal(landmarks.loneReturnAt, bytes.toString("latin1").search(/\r(?!\n)/));
    }),
    { numRuns: RUNS },
  );
});

test("more names than are looked for one by one are found as well", () => {
  const bytes = Buffer.from(Array.from({ length: 60 }, (_, n) => `[n${n % 50}]\nk = v\n[o ${n}] # c\n`).join(""));
  const [fast, slow] = [layOut(bytes), layOutSlowly(bytes)];
  for (const [name, indexes] of slow.clean) assert.deepEqual(fast.clean(name), indexes);
  assert.deepEqual(fast.clean("nowhere"), []);
});

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

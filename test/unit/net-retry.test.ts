import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Deadline } from "../../src/base/deadline.ts";
import { Failure } from "../../src/base/failure.ts";
import { retryTemporary } from "../../src/net/retry-policy.ts";
import { testWorld } from "../support/test-world.ts";

/** Pauses are noted and not waited for. */
function bench(remainingMs = 60_000) {
  const pauses: number[] = [];
  const clock = { ...testWorld(), sleep: async (ms: number) => void pauses.push(ms) };
  const sum = () => pauses.reduce((total, pause) => total + pause, 0);
  const deadline: Deadline = {
    signal: new AbortController().signal,
    remainingMs: () => remainingMs - sum(),
    clear: () => undefined,
  };
  return { pauses, sum, clock, deadline };
}

const failing = (code: "IDENTITY_TEMPORARY" | "IDENTITY_DENIED") => async (): Promise<never> => {
  throw new Failure(code, "the source fails");
};

suite("a source of keys that fails", () => {
  test("in passing is asked again for fifteen seconds", async () => {
    const { sum, clock, deadline } = bench();
    await assert.rejects(retryTemporary(failing("IDENTITY_TEMPORARY"), clock, deadline), /the source fails/);
    assert.ok(sum() >= 15_000 && sum() <= 17_000, String(sum()));
  });

  test("in passing is asked no longer than the deadline, and its reason is told", async () => {
    const { sum, clock, deadline } = bench(3000);
    await assert.rejects(retryTemporary(failing("IDENTITY_TEMPORARY"), clock, deadline), /the source fails/);
    assert.ok(sum() < 3000);
  });

  test("for good is not asked again", async () => {
    const { pauses, clock, deadline } = bench();
    await assert.rejects(retryTemporary(failing("IDENTITY_DENIED"), clock, deadline));
    assert.deepEqual(pauses, []);
  });

  test("for three seconds gives its keys", async () => {
    const { sum, clock, deadline } = bench();
    const work = async (): Promise<string> => (sum() < 3000 ? failing("IDENTITY_TEMPORARY")() : "keys");
    assert.equal(await retryTemporary(work, clock, deadline), "keys");
  });
});

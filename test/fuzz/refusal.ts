import assert from "node:assert/strict";
import { Failure } from "../../src/base/failure.ts";

/**
 * Lets work be done that may refuse what it was given.
 *
 * @returns what it made, or the failure; anything else that is thrown is a crash and goes on.
 */
export async function madeOrRefused<T>(work: () => T | Promise<T>): Promise<{ made: T } | { refused: Failure }> {
  try {
    return { made: await work() };
  } catch (error) {
    if (error instanceof Failure) return { refused: error };
    throw error;
  }
}

/** What a person gets to see of a failure never holds a secret. */
export function assertTellsNothing(failure: Failure, secrets: readonly string[]): void {
  assert.ok(failure.message !== "", "a failure without a message");
  for (let current: unknown = failure; current instanceof Error; current = current.cause) {
    const told = `${current.message} ${current instanceof Failure ? (current.hint ?? "") : ""}`;
    for (const secret of secrets) assert.ok(!told.includes(secret), `the message shows a secret: ${told}`);
  }
}

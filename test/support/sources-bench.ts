import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { Deadline } from "../../src/base/deadline.ts";
import { Failure, type FailureCode } from "../../src/base/failure.ts";
import type { IdentityContext } from "../../src/sources/context.ts";
import { testWorld } from "./test-world.ts";

/** What a source of identity tokens is given in a test. */
export interface IdentityBench {
  readonly context: IdentityContext;
  /** The lines for `--verbose`. */
  readonly lines: string[];
  readonly pauses: number[];
  /** Ends the deadline for this reason. */
  readonly end: (reason: Failure) => void;
}

export interface IdentityBenchOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly home?: string;
  readonly cwd?: string;
  readonly now?: Date;
}

/** A context whose pauses are noted and not waited for, and whose deadline ends when the test says so. */
export function identityBench(options: IdentityBenchOptions = {}): IdentityBench {
  const world = testWorld(options.now === undefined ? {} : { now: options.now });
  const controller = new AbortController();
  const deadline: Deadline = { signal: controller.signal, remainingMs: () => 60_000, clear: () => undefined };
  const lines: string[] = [];
  const pauses: number[] = [];
  const context: IdentityContext = {
    // Whatever is not named must not be asked: no test may reach a real metadata server.
    env: { PATH: "/usr/bin:/bin", METADATA_SERVER_DETECTION: "none", ...options.env },
    clock: { ...world, sleep: async (ms) => void pauses.push(ms) },
    deadline,
    cwd: options.cwd ?? "/",
    killGroup: world.killGroup,
    uid: process.geteuid?.(),
    home: options.home ?? "/nonexistent",
    verbose: (line) => void lines.push(line),
  };
  return { context, lines, pauses, end: (reason) => controller.abort(reason) };
}

/** The work fails in a foreseen way, in the program's voice, and without anything that looks like a token. */
export async function assertIdentityFails(
  work: Promise<unknown>,
  code: FailureCode,
  ...says: readonly RegExp[]
): Promise<Failure> {
  const outcome: unknown = await work.then(
    () => "no failure",
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Failure, inspect(outcome));
  assert.equal(outcome.code, code, inspect(outcome));
  assert.doesNotMatch(outcome.message, /\.$|\n|^[A-Z][a-z]/);
  assert.doesNotMatch(
    inspect(outcome, { depth: 8 }),
    /eyJ|ya29\.|PRIVATE KEY|refresh-token-of|client-secret-of|853b9a84/,
  );
  for (const pattern of says) assert.match(`${outcome.message} / ${outcome.hint}`, pattern);
  return outcome;
}

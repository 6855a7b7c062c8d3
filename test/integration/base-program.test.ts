import assert from "node:assert/strict";
import { test } from "node:test";

import { startDeadline } from "../../src/base/deadline.ts";
import { runProgram, shellCommand } from "../../src/base/program.ts";
import { testWorld } from "../support/test-world.ts";

test("a run that is stopped while its program starts does not wait for the program", { timeout: 60_000 }, async () => {
  const interruption = new AbortController();
  const world = testWorld({ interrupted: interruption.signal });
  const deadline = startDeadline(3_600_000, world, interruption.signal);
  const running = runProgram(shellCommand("sleep 3600", "sleep"), { ...world, deadline });
  interruption.abort(new Error("stopped"));
  await assert.rejects(running);
  deadline.clear();
});

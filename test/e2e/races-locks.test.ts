import { suite, test } from "node:test";

import { lockFaults } from "../torture/races-locks.ts";

suite("locks of dead, hung and frozen processes, and clocks that jump", { concurrency: 4 }, async () => {
  for (const { name, missing, run, isLong } of lockFaults) {
    const reason = isLong ? "takes long: scripts/torture races-locks" : await missing();
    test(name, { skip: reason ?? false }, async (t) => {
      const note = await run();
      if (note !== undefined) t.diagnostic(note);
    });
  }
});

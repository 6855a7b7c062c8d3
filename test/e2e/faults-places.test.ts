import { suite, test } from "node:test";

import { fileSystemFaults } from "../support/file-system-faults.ts";

suite("a refresh where it cannot write, for real", async () => {
  for (const { name, missing, run } of fileSystemFaults) test(name, { skip: (await missing()) ?? false }, run);
});

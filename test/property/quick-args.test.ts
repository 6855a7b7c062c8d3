import assert from "node:assert/strict";
import { test } from "node:test";

import { fc } from "../support/property.ts";

import { Failure } from "../../src/base/failure.ts";
import { parseArgs } from "../../src/command-line/args.ts";
import { parseQuickArgs } from "../../src/command-line/quick-args.ts";

const word = fc.oneof(
  fc.constantFrom(
    "refresh",
    "check",
    "status",
    "--quiet",
    "-q",
    "--config",
    "--credentials-file",
    "--json",
    "--metrics-file",
    "--lenient",
    "--timeout",
    "--concurrency",
    "90s",
    "2m",
    "2d",
    "0",
    "12",
    "1e1",
    "1000",
    "--force",
    "-n",
    "--",
    "--config=/x",
    "help",
    "/etc/x.ini",
    "default",
    "prod.admin",
    "x@y/z",
  ),
  fc.string({ maxLength: 6 }),
);

test("whenever the quick reader has an answer, it is the one that yargs gives", async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (argv) => {
      const quick = parseQuickArgs(argv);
      if (!quick) return;
      answered++;
      try {
        assert.deepEqual(quick, await parseArgs(argv, undefined));
      } catch (error) {
        // A usage error that only yargs sees would be hidden by the quick reader.
        assert.ok(!(error instanceof Failure), `${JSON.stringify(argv)}: ${String(error)}`);
        throw error;
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(answered > 30, `only ${answered} command lines were quick`);
});

for (const argv of [
  [],
  ["refresh"],
  ["check"],
  ["check", "--quiet", "a", "b"],
  ["--config", "/x.ini"],
  ["refresh", "prod.admin", "--credentials-file", "/c"],
  ["refresh", "--timeout", "50s", "--concurrency", "25"],
]) {
  test(`'rolefresh ${argv.join(" ")}' is quick`, async () => {
    assert.deepEqual(parseQuickArgs(argv), await parseArgs(argv, undefined));
  });
}

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { configTarget } from "../fuzz/config-target.ts";
import { credentialsTarget } from "../fuzz/credentials-target.ts";
import { fuzz, type FuzzTarget } from "../fuzz/fuzz.ts";
import { metadataTarget } from "../fuzz/metadata-target.ts";
import { findPython, NO_PYTHON, startPythonReaders } from "../fuzz/python-readers.ts";
import { startRawServer } from "../fuzz/raw-server.ts";
import { stsTarget } from "../fuzz/sts-target.ts";
import { tokenTarget } from "../fuzz/token-target.ts";
import { SEED } from "../support/property.ts";

// A few thousand of the documents of which `scripts/torture fuzz` tries a million. The same ones every time
// (support/property.ts). A failure names the seed of its document.

const PYTHON = findPython();

async function run<Document>(context: TestContext, target: FuzzTarget<Document>, documents: number): Promise<void> {
  const { tried, broken } = await fuzz(target, { seed: SEED, documents });
  assert.deepEqual(broken, []);
  assert.equal(tried, documents);
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(target.counts)}`);
  for (const [name, count] of Object.entries(target.counts)) assert.ok(count > 0, `nothing was ${name}`);
}

test("no credentials file crashes rolefresh, loses a byte of others or reads otherwise in the SDKs", async (context) => {
  await using python = PYTHON === undefined ? undefined : await startPythonReaders(PYTHON);
  if (!python) context.diagnostic(`without botocore and boto2: ${NO_PYTHON}`);
  const target = credentialsTarget(python, 4);
  await run(context, python ? target : { ...target, counts: {} }, 4000);
});

test("no identity token is taken in part or shown", (context) => run(context, tokenTarget(), 4000));

test("no configuration is taken otherwise than it was written", (context) => run(context, configTarget(), 4000));

test("no answer of a metadata server is believed without its flavor", async (context) => {
  await using server = await startRawServer();
  await run(context, metadataTarget(server), 1000);
});

test("no answer of STS is believed that a reader of the file would misread, and no key is shown", async (context) => {
  await using server = await startRawServer();
  await run(context, stsTarget(server), 1000);
});

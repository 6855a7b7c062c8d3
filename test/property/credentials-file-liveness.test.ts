import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { everydayCase } from "../fuzz/everyday-grammar.ts";
import { fuzz } from "../fuzz/fuzz.ts";
import { livenessTarget, memoryDirectory } from "../fuzz/liveness-target.ts";
import { findPython, NO_PYTHON, startPythonReaders } from "../fuzz/python-readers.ts";
import { SEED } from "../support/property.ts";
import { Chance } from "../fuzz/chance.ts";

// What is ordinary always works. `scripts/torture liveness` tries 200,000 of these.

const CASES = 5000;

/** Found by users: each of these was refused on every run, as soon as a section was to be added below. */
const FILES: Readonly<Record<string, string>> = {
  "a section with a setting": "[default]\nregion = us-east-1\n",
  "a header without a line end": "[default]",
  "a header alone": "[default]\n",
  "a setting without value, mixed line ends": "[default]\nregion=\r\n",
  "a nested block at the end": "[default]\nregion = us-east-1\ns3 =\n  max_concurrent_requests = 20\n",
  "an empty file": "",
  "comments alone": "# mine\n\n# and mine\n",
};
const NAMES = ["default", "billing", "audit", "backup"];

for (const [what, content] of Object.entries(FILES)) {
  test(`one profile to four are written into ${what}, and the second run changes nothing`, async () => {
    await using directory = await temporaryDirectory();
    const target = livenessTarget(directory.path, undefined, { file: 1, python: 1 });
    for (let count = 1; count <= NAMES.length; count++)
      await target.check({ profiles: NAMES.slice(0, count), file: Buffer.from(content) }, new Chance(0));
  });
}

test("a file that every reader reads is written, and every reader finds all of ours and of theirs", async (context) => {
  await using directory = await temporaryDirectory();
  const found = findPython();
  await using python = found === undefined ? undefined : await startPythonReaders(found);
  if (!python) context.diagnostic(`without botocore and boto2: ${NO_PYTHON}`);
  const target = livenessTarget(directory.path, python, { file: 25, python: 5 });
  const { tried, broken } = await fuzz(target, { seed: SEED, documents: CASES });
  assert.deepEqual(broken, []);
  assert.equal(tried, CASES);
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(target.counts)}`);
});

test("the everyday files are of every kind", () => {
  const kinds: Readonly<Record<string, (file: string, profiles: readonly string[]) => boolean>> = {
    CRLF: (file) => file.includes("\r\n"),
    "no last newline": (file) => file !== "" && !file.endsWith("\n"),
    empty: (file) => file === "",
    "a nested block": (file) => /^s3 ?=\r?\n[ \t]/m.test(file),
    "a comment": (file) => /^#/m.test(file),
    "ours first": (file, profiles) => profiles.some((name) => file.startsWith(`[${name}]`)),
    "ours last, header only": (file, profiles) => profiles.some((name) => file.trimEnd().endsWith(`[${name}]`)),
    "ours present": (file) => file.includes("manager = rolefresh"),
    "ours absent": (file, profiles) => profiles.every((name) => !file.includes(`[${name}]`)),
    "four profiles": (_, profiles) => profiles.length === 4,
  };
  const cases = Array.from({ length: CASES }, (_, n) => everydayCase(new Chance(n)));
  for (const [kind, is] of Object.entries(kinds)) {
    const count = cases.filter(({ file, profiles }) => is(file.toString(), profiles)).length;
    assert.ok(count >= 5, `${count} files of the kind: ${kind}`);
  }
});

async function temporaryDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(memoryDirectory(), "rolefresh-liveness-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDeadline } from "../../src/base/deadline.ts";
import { readAsParseIni } from "../../src/credentials-file/reader-models/parse-ini-model.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { isManagedKey } from "../../src/credentials-file/managed.ts";
import { readerProblems } from "../../src/credentials-file/reader-models/problems.ts";
import { acceptEdits, composeFile } from "../../src/credentials-file/accept-edits.ts";
import type { FoundEntry } from "../../src/credentials-file/reader-models/found-entry.ts";
import { readAsConfigparser } from "../../src/credentials-file/reader-models/configparser-model.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import type { EditResult } from "../../src/credentials-file/edit.ts";
import { clock, pending, UID } from "../support/credentials-file-home.ts";
import { documentOf, NEW_VALUES } from "../support/credentials-file-keys.ts";
import { everydayCase, type EverydayCase } from "./everyday-grammar.ts";
import { foreignChange } from "./foreign-bytes.ts";
import type { FuzzTarget } from "./fuzz.ts";
import type { PythonReaders } from "./python-readers.ts";
import { type Found, readWithSmithy } from "./smithy-reader.ts";

/** A place for files that are synced again and again; in memory where there is one. */
export function memoryDirectory(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}

/** Only a hang misses it. */
const DEADLINE_MS = 60_000;

/** In one case of how many more is looked at, which takes longer. */
export interface LivenessShares {
  /** A real file is updated twice, with its lock and syncs; in the others the edit is made in memory. */
  readonly file: number;
  readonly python: number;
}

/**
 * What is ordinary always works: a file that every reader reads is written for every profile of a config, each reader
 * then finds all of ours and all of theirs, and the second run leaves the file as it is.
 *
 * @param directory where the file is made, over and over
 */
export function livenessTarget(
  directory: string,
  python: PythonReaders | undefined,
  every: LivenessShares,
): FuzzTarget<EverydayCase> & { readonly counts: Record<string, number> } {
  const counts = { profiles: 0, files: 0, comparedByPython: 0 };
  const path = join(directory, "credentials");
  return {
    name: "everyday files",
    make: everydayCase,
    show: ({ profiles, file }) => `${profiles.join(" ")}: ${JSON.stringify(file.toString())}`,
    counts,
    async check({ profiles, file: before }, chance) {
      const after = editInMemory(before, profiles);
      assert.ok(after, "nothing is written");
      assert.equal(editInMemory(after, profiles), undefined, "the second edit changes something");
      await checkReaders(before, after, profiles);
      counts.profiles += profiles.length;
      if (chance.oneIn(every.file)) {
        counts.files++;
        await checkFile(path, before, after, profiles);
      }
      if (!python || !chance.oneIn(every.python)) return;
      counts.comparedByPython++;
      const [was, is] = await Promise.all([python.read(before), python.read(after)]);
      for (const library of Object.keys(python.versions))
        compare(was[library] ?? undefined, is[library] ?? undefined, profiles, library);
    },
  };
}

/** The file after an update; undefined when nothing changes. */
function editInMemory(before: Buffer, profiles: readonly string[]): Buffer | undefined {
  const document = documentOf(before);
  const results = new Map<string, EditResult>();
  const edits = profiles.map((profile) => pending(profile));
  const composition = composeFile(document, acceptEdits(document, edits, results));
  assert.deepEqual([...results], []);
  assert.ok(composition.passesGuard(), "the guard refuses the edit");
  return composition.content;
}

async function checkFile(path: string, before: Buffer, after: Buffer, profiles: readonly string[]): Promise<void> {
  await writeFile(path, before, { mode: 0o600 });
  // Nobody is in the middle of writing it.
  await utimes(path, 1, 1);
  assert.deepEqual(await update(path, profiles), Object.fromEntries(profiles.map((name) => [name, "changed"])));
  assert.deepEqual(await readFile(path), after);
  const { ino } = await stat(path);
  assert.deepEqual(await update(path, profiles), Object.fromEntries(profiles.map((name) => [name, "same"])));
  assert.equal((await stat(path)).ino, ino, "the second run replaces the file");
}

/** What became of each profile, in words. */
async function update(path: string, profiles: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const deadline = startDeadline(DEADLINE_MS, clock, new AbortController().signal);
  try {
    const file = await resolveFile(path, UID);
    const edits = profiles.map((profile) => pending(profile));
    const { results } = await updateCredentialsFile(
      { file, edits, writeMode: "atomic" },
      { clock, deadline, uid: UID },
    );
    return Object.fromEntries(
      [...results].map(([name, result]) => [
        name,
        result.kind === "written" ? (result.changed ? "changed" : "same") : inWords(result),
      ]),
    );
  } finally {
    deadline.clear();
  }
}

function inWords(result: { readonly kind: string; readonly failure?: Error }): string {
  return `${result.kind}: ${result.failure?.message ?? ""}`;
}

async function checkReaders(before: Buffer, after: Buffer, profiles: readonly string[]): Promise<void> {
  assert.equal(foreignChange(before, after, profiles), undefined, "a byte of others changed");
  compare(await readWithSmithy(before), await readWithSmithy(after), profiles, "smithy");
  const [was, is] = [before.toString(), after.toString()];
  compare(asFound(readAsConfigparser(was)), asFound(readAsConfigparser(is)), profiles, "the model of Python's readers");
  compare(asFound(readAsParseIni(was)), asFound(readAsParseIni(is)), profiles, "the model of JavaScript's readers");
  for (const text of [was, is]) assert.deepEqual(readerProblems(text, true), []);
}

/** The sections that a model found, without the comments, which belong to none. */
function asFound(entries: readonly FoundEntry[]): Found {
  const found: Record<string, Record<string, string>> = {};
  for (const { section, key, value } of entries) {
    if (key === "#") continue;
    const keys = (found[section] ??= {});
    // The continuation of a value has the same key again.
    if (key !== "[") keys[key] = `${keys[key] ?? ""}${value}`;
  }
  return found;
}

/** After the update a reader finds exactly the new keys in our sections, and all else as before. */
function compare(was: Found | undefined, is: Found | undefined, profiles: readonly string[], reader: string): void {
  assert.ok(was && is, `${reader} cannot read the file`);
  const expected: Record<string, Record<string, unknown>> = {};
  for (const [name, keys] of Object.entries(was)) {
    const isTheirs = ([key]: readonly [string, unknown]) => !profiles.includes(name) || !isManagedKey(key);
    expected[name] = Object.fromEntries(Object.entries(keys).filter(isTheirs));
  }
  for (const name of profiles) expected[name] = { ...expected[name], ...NEW_VALUES };
  assert.deepEqual({ ...is }, expected, reader);
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseFor, startDeadline } from "../../src/base/deadline.ts";
import { Failure } from "../../src/base/failure.ts";
import { acceptEdits, composeApart, composeFile } from "../../src/credentials-file/accept-edits.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import type { EditResult } from "../../src/credentials-file/edit.ts";
import { clock, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { documentOf, REMOVE, WRITE } from "../support/credentials-file-keys.ts";

// Files that somebody made large. With the square of their size the first of them took more than 300 seconds.

const KEYS = "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\nmanager = rolefresh\n";
const LIMIT = { timeout: 100_000 };

function repeated(unit: string, size = 1_000_000): string {
  return unit.repeat(Math.ceil(size / unit.length));
}

const FILES: Readonly<Record<string, string>> = {
  "copies of a managed key": `[p]\n${repeated("manager = rolefresh\n", 2_000_000)}`,
  "copies of a managed key with comments between them": `[p]\n${repeated("manager = rolefresh\n# c\n")}`,
  "managed keys without value": `[p]\n${repeated("manager =\n")}`,
  "indented comments": `[p]\n${KEYS}${repeated("  # c\n")}`,
  "lines of a nested block": `[p]\n${KEYS}s3 =\n${repeated("  a = b\n")}`,
  sections: `[p]\n${KEYS}${repeated("[q]\n")}`,
  "ambiguous headers": `[p]\n${KEYS}${repeated("[ p ]\n")}`,
  "brackets in one line": `[p]\n${KEYS}x = ${repeated("[] ")}\n`,
};

for (const [what, content] of Object.entries(FILES)) {
  test(`a million bytes or two of ${what} take linear time`, LIMIT, () => {
    const document = documentOf(content);
    for (const edit of [WRITE, REMOVE]) {
      const results = new Map<string, EditResult>();
      const edits = ["p", "new"].map((profile) => pending(profile, { edit, overwrite: true }));
      const composition = composeFile(document, acceptEdits(document, edits, results));
      assert.ok(composition.passesGuard());
    }
  });
}

test("thousands of profiles of one file, one of which only the guard refuses, take few tries", LIMIT, async () => {
  const names = Array.from({ length: 2000 }, (_, n) => `p${n}`);
  const bad = "p1234";
  // A blank in Latin-1, and no character at all in UTF-8: a reader of either may be meant.
  const odd = "aws_access_key_id\u00a0= y\n";
  const content = names.map((name) => `[${name}]\n${KEYS}${name === bad ? odd : ""}`).join("");
  const document = documentOf(Buffer.from(content, "latin1"));
  const edits = names.map((profile) => pending(profile, { edit: WRITE }));
  const results = new Map<string, EditResult>();
  let tries = 0;
  const { accepted } = await composeApart(document, acceptEdits(document, edits, results), results, async () => {
    tries++;
  });
  assert.equal(accepted.length, names.length - 1);
  assert.deepEqual([...results.keys()], [bad]);
  assert.ok(tries < 50, `${tries} tries`);
});

test("work on a large file ends when the process is told to stop", async () => {
  await using home = await fileHome(`[p]\n${KEYS}${repeated("[q]\n", 1_100_000)}`);
  const before = await home.read();
  const stop = new AbortController();
  const deadline = startDeadline(60_000, clock, stop.signal);
  const stillWanted = () => {
    stop.abort(new Failure("INTERRUPTED", "stopped", { hint: "" }));
    return true;
  };
  const edits = [pending("p", { stillWanted })];
  const update = updateCredentialsFile({ file: home.file, edits, writeMode: "atomic" }, { clock, deadline, uid: UID });
  await assert.rejects(update, (error) => error instanceof Failure && error.code === "INTERRUPTED");
  assert.equal(await home.read(), before);
  assert.deepEqual(await home.names(), ["credentials"]);
  deadline.clear();
});

test("a deadline that passed during synchronous work is seen in a pause", async () => {
  const deadline = startDeadline(1, clock, new AbortController().signal);
  for (const start = clock.monotonicMs(); clock.monotonicMs() - start < 20;);
  await assert.rejects(pauseFor(deadline.signal), (error) => error instanceof Failure && error.code === "TIMEOUT");
  deadline.clear();
});

import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { test } from "node:test";

import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { clock, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { documentOf } from "../support/credentials-file-keys.ts";
import { BEFORE } from "../support/fault-scene.ts";

test("a file that somebody writes in pieces is waited for, however long the pause, and nothing of it is lost", async () => {
  await using home = await fileHome();
  const pieces = [100, 200, 300, BEFORE.length].map((end) => BEFORE.slice(0, end));
  const next = async (): Promise<void> => {
    const piece = pieces.shift();
    if (piece !== undefined) await writeFile(home.path, piece);
  };
  await next();
  const writing = {
    ...clock,
    sleep: async (ms: number, signal: AbortSignal) => {
      await next();
      await clock.sleep(ms, signal);
    },
  };
  const request = { file: home.file, edits: [pending("default")], writeMode: "atomic" } as const;
  await updateCredentialsFile(request, { clock: writing, deadline: home.deadline, uid: UID });
  assert.equal(pieces.length, 0);
  assert.deepEqual(documentOf(await home.read()).names, ["q", "default", "r"]);
});

test("a file that came by a rename a moment ago is whole, and not waited for", async () => {
  await using home = await fileHome();
  await writeFile(`${home.path}.new`, BEFORE);
  // Times of files go in steps of a few milliseconds.
  await clock.sleep(20, home.deadline.signal);
  await rename(`${home.path}.new`, home.path);
  const refusing = { ...clock, sleep: () => assert.fail("there is nothing to wait for") };
  const request = { file: home.file, edits: [pending("default")], writeMode: "atomic" } as const;
  await updateCredentialsFile(request, { clock: refusing, deadline: home.deadline, uid: UID });
  assert.ok(documentOf(await home.read()).profile("default")?.isComplete);
});

import assert from "node:assert/strict";
import { chmod, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { Failure } from "../../src/base/failure.ts";
import { fileLockOf, journalOf } from "../../src/safe-file/sibling-paths.ts";
import { toJournal } from "../../src/safe-file/journal.ts";
import { readTarget } from "../../src/safe-file/read-target.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { clock, type FileHome, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { documentOf, NEW_KEYS } from "../support/credentials-file-keys.ts";
import { startChild } from "../support/credentials-file-process.ts";
import { failNth } from "../support/fail-nth.ts";

const OLD =
  "# mine\n[q]\nregion = x\n[p]\naws_access_key_id = ASIAOLD\naws_secret_access_key = s\naws_session_token = t\n[r]\nregion = y\n";

async function nextRun(home: FileHome, writeMode: "atomic" | "in-place" = "in-place"): Promise<string> {
  await updateCredentialsFile(
    {
      file: home.file,
      edits: [pending("p", { edit: { kind: "write", keys: { ...NEW_KEYS, accessKeyId: "ASIANEXT" } } })],
      writeMode,
    },
    { clock, deadline: home.deadline, uid: UID },
  );
  return await home.read();
}

async function wholeAfter(): Promise<Buffer> {
  await using home = await fileHome(OLD);
  await updateCredentialsFile(
    { file: home.file, edits: [pending("p")], writeMode: "atomic" },
    { clock, deadline: home.deadline, uid: UID },
  );
  return await readFile(home.path);
}

for (const writeMode of ["atomic", "in-place"] as const) {
  test(`${writeMode}: killed before any of its file operations, the next run finds everything and leaves nothing behind`, async () => {
    const next = await wholeAfter();
    for (let n = 0; ; n++) {
      await using home = await fileHome(OLD);
      const child = startChild(["crash", home.path, writeMode, String(n)]);
      if ((await child.ended) === 0) {
        assert.ok(n > 8, "it was killed often enough");
        return;
      }
      const found = await home.read();
      const where = `killed before operation ${n}`;
      if (writeMode === "atomic") assert.ok(found === OLD || found === next.toString(), where);
      // The dead process's lock, made old instead of waiting.
      await utimes(fileLockOf(home.file), 1, 1);
      const content = await nextRun(home, writeMode);
      assert.equal(content, next.toString().replace("ASIANEW", "ASIANEXT"), where);
      assert.deepEqual(await home.names(), ["credentials"], where);
    }
  });
}

test("a file torn at any byte is put right, whether the new content is longer or shorter", async () => {
  const longer = await wholeAfter();
  for (const [old, next] of [
    [Buffer.from(OLD), longer],
    [longer, Buffer.from(OLD)],
  ] as const) {
    for (let at = 0; at <= next.length; at += 7) {
      await using home = await fileHome();
      const torn = Buffer.concat([next.subarray(0, at), old.subarray(at)]);
      await writeFile(home.path, torn, { mode: 0o600 });
      await writeFile(journalOf(home.file), toJournal(old, next), { mode: 0o600 });
      assert.equal((await readTarget(home.file, UID)).isIncomplete, true);
      const content = documentOf(await nextRun(home));
      assert.deepEqual(content.names, ["q", "p", "r"], `torn at ${at}`);
      assert.equal(content.profile("p")?.accessKeyId, "ASIANEXT");
      assert.deepEqual(await home.names(), ["credentials"]);
    }
  }
});

test("a file that was edited after a write that did not finish is kept, and the old content too", async () => {
  await using home = await fileHome(`${OLD}[late]\nregion = z\n`);
  await writeFile(journalOf(home.file), toJournal(Buffer.from(OLD), await wholeAfter()), { mode: 0o600 });
  const document = documentOf(await nextRun(home));
  assert.deepEqual(document.names, ["q", "p", "r", "late"]);
  const backup = (await home.names()).find((name) => name.includes(".bak-"));
  assert.equal(await readFile(`${home.directory}/${backup ?? ""}`, "utf8"), OLD);
});

test("a file that was emptied after a write that did not finish stays as it is, with the old content kept", async () => {
  await using home = await fileHome("");
  await utimes(home.path, 1, 1);
  await writeFile(journalOf(home.file), toJournal(Buffer.from(OLD), await wholeAfter()), { mode: 0o600 });
  assert.deepEqual(documentOf(await nextRun(home)).names, ["p"]);
  assert.ok((await home.names()).some((name) => name.includes(".bak-")));
});

test("a journal that is not ours is not believed", async () => {
  await using home = await fileHome(OLD);
  for (const [content, mode] of [
    ["rolefresh in-place copy 1 5 5 x\n", 0o600],
    [toJournal(Buffer.from("a"), Buffer.from("b")).subarray(0, -1), 0o600],
    [toJournal(Buffer.from(OLD), Buffer.from("b")), 0o666],
  ] as const) {
    await rm(journalOf(home.file), { force: true });
    await writeFile(journalOf(home.file), content, { mode });
    await chmod(journalOf(home.file), mode);
    await assert.rejects(nextRun(home), (error: unknown) => error instanceof Failure && error.code === "FILE_UNSAFE");
    assert.equal(await home.read(), OLD);
  }
});

test("in-place: when the disk is full in the middle, the old content goes back", async () => {
  await using home = await fileHome(OLD);
  const inode = await home.inode();
  const { ops } = failNth(undefined, "");
  let isTarget = false;
  let writes = 0;
  const full = {
    ...ops,
    open: async (...args: Parameters<typeof ops.open>) => {
      const handle = await ops.open(...args);
      isTarget = args[0] === home.file.target;
      return new Proxy(handle, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name !== "write" || typeof value !== "function" || !isTarget) return value;
          return (buffer: Buffer, at: number, length: number, position: number): unknown => {
            if (++writes === 2) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
            return Reflect.apply(value, target, [buffer, at, writes === 1 ? 60 : length, position]);
          };
        },
      });
    },
  };
  const { results } = await updateCredentialsFile(
    { file: home.file, edits: [pending("p")], writeMode: "in-place" },
    { clock, deadline: home.deadline, uid: UID, ops: full },
  );
  assert.equal(results.get("p")?.kind, "failed");
  assert.ok(writes > 2);
  assert.equal(await home.read(), OLD);
  assert.equal(await home.inode(), inode);
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("in-place: the inode stays, as a single-file mount needs (aws-controllers-k8s test-infra PR 966)", async () => {
  await using home = await fileHome(OLD);
  const inode = await home.inode();
  const content = await nextRun(home);
  assert.ok(documentOf(content).profile("p")?.isComplete);
  assert.equal(await home.inode(), inode);
});

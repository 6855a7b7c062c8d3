import assert from "node:assert/strict";
import { chmod, chown, link, lstat, mkdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/base/failure.ts";
import {
  type UpdateContext,
  updateCredentialsFile,
  type UpdateOutcome,
} from "../../src/refresh/update-credentials-file.ts";
import type { EditResult } from "../../src/credentials-file/edit.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { clock, type FileHome, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { documentOf, NEW_KEYS, REMOVE } from "../support/credentials-file-keys.ts";
import { spliceProfiles } from "../support/credentials-file-splice.ts";
import { failNth } from "../support/fail-nth.ts";
import type { Clock } from "../../src/base/world.ts";

const OTHERS = "# mine\n[q]\nregion = x\n\n[p]\noutput = json\n";

function update(
  home: FileHome,
  edits = [pending("p")],
  more: Partial<UpdateContext> = {},
  writeMode: "atomic" | "in-place" = "atomic",
): Promise<UpdateOutcome> {
  return updateCredentialsFile(
    { file: home.file, edits, writeMode },
    { clock, deadline: home.deadline, uid: UID, ...more },
  );
}

function failureOf(result: EditResult | undefined): Failure {
  if (result?.kind !== "failed") assert.fail(`it is ${result?.kind ?? "nothing"}`);
  return result.failure;
}

test("a missing file is made for its owner alone, in a directory made for its owner alone", async () => {
  await using home = await fileHome();
  const file = await resolveFile(join(home.directory, "a", "b", "credentials"), UID);
  const { results } = await updateCredentialsFile(
    { file, edits: [pending("p")], writeMode: "atomic" },
    { clock, deadline: home.deadline, uid: UID },
  );
  assert.deepEqual(results.get("p"), { kind: "written", changed: true });
  assert.equal((await stat(file.target)).mode & 0o777, 0o600);
  assert.equal((await stat(join(home.directory, "a", "b"))).mode & 0o777, 0o700);
  assert.ok(documentOf(await readFile(file.target)).profile("p")?.isComplete);
});

for (const mode of [0o600, 0o640, 0o644, 0o400]) {
  test(
    `mode ${mode.toString(8)} and owner of the file stay (granted issues 813 and 839)`,
    { skip: UID !== 0 },
    async () => {
      await using home = await fileHome(OTHERS);
      await chown(home.path, 65_534, 65_533);
      await chmod(home.path, mode);
      await update(home);
      const { mode: after, uid, gid } = await stat(home.path);
      assert.deepEqual([after & 0o777, uid, gid], [mode, 65_534, 65_533]);
      assert.deepEqual(await home.names(), ["credentials"]);
    },
  );
}

test("nothing changed means no write at all: the inode stays", async () => {
  await using home = await fileHome(OTHERS);
  await update(home);
  const inode = await home.inode();
  const { results } = await update(home);
  assert.deepEqual(results.get("p"), { kind: "written", changed: false });
  assert.equal(await home.inode(), inode);
});

test("a symlinked credentials file stays a symlink (saml2aws issue 45)", async () => {
  await using home = await fileHome(OTHERS);
  const linked = join(home.directory, "link");
  await symlink("credentials", linked);
  // As root a link in a directory of root is followed, and mkdtemp's directory is ours.
  const file = await resolveFile(linked, undefined);
  await updateCredentialsFile(
    { file, edits: [pending("p")], writeMode: "atomic" },
    { clock, deadline: home.deadline, uid: undefined },
  );
  assert.ok((await lstat(linked)).isSymbolicLink());
  assert.ok(documentOf(await readFile(linked)).profile("p")?.isComplete);
});

test("all edits go in with one write, and one that fails spares the others", async () => {
  await using home = await fileHome(
    `${OTHERS}\n[static]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n[ odd ]\n`,
  );
  const { ops, calls } = failNth(undefined, "");
  const { results } = await update(
    home,
    [pending("p"), pending("static"), pending("odd"), pending("new"), pending("late", { stillWanted: () => false })],
    { ops },
  );
  assert.deepEqual(results.get("p"), { kind: "written", changed: true });
  assert.deepEqual(results.get("new"), { kind: "written", changed: true });
  assert.deepEqual(results.get("late"), { kind: "skipped", section: undefined });
  const foreign = failureOf(results.get("static"));
  assert.equal(foreign.code, "SECTION_FOREIGN");
  assert.equal(
    foreign.message,
    `refusing to overwrite [static]: it holds a long-lived access key that rolefresh did not write (${home.path}:9)`,
  );
  assert.match(foreign.hint ?? "", /overwrite = true/);
  assert.equal(failureOf(results.get("odd")).code, "FILE_UNSAFE");
  assert.equal(calls.filter((call) => call === "rename").length, 1);
  assert.match(await home.read(), /aws_access_key_id = AKIAX/);
});

for (const writeMode of ["atomic", "in-place"] as const) {
  test(`${writeMode}: an edit that only the guard finds out spares the others and leaves nothing behind`, async () => {
    // A blank in Latin-1, and no character at all in UTF-8: a reader of either may be meant.
    const odd = Buffer.from("[odd]\naws_access_key_id = ASIAX\naws_access_key_id\u00a0= y\n", "latin1");
    await using home = await fileHome(Buffer.concat([Buffer.from(OTHERS), odd]));
    const { results } = await update(home, [pending("p"), pending("odd", { overwrite: true })], {}, writeMode);
    const failure = failureOf(results.get("odd"));
    assert.equal(failure.code, "FILE_UNSAFE");
    assert.match(failure.message, /^cannot edit .* safely: /);
    assert.deepEqual(results.get("p"), { kind: "written", changed: true });
    const written = await home.read();
    assert.ok(documentOf(written).profile("p")?.isComplete);
    assert.ok(written.endsWith(odd.toString()));
    assert.deepEqual(await home.names(), ["credentials"]);

    const inode = await home.inode();
    const alone = await update(home, [pending("odd", { overwrite: true })], {}, writeMode);
    assert.equal(failureOf(alone.results.get("odd")).code, "FILE_UNSAFE");
    assert.equal(alone.backup, undefined);
    assert.equal(await home.read(), written);
    assert.equal(await home.inode(), inode);
    assert.deepEqual(await home.names(), ["credentials"]);
  });

  test(`${writeMode}: a file that is read and written in several parts is right to the byte`, async () => {
    const others = Array.from({ length: 9000 }, (_, n) => `[other-${n}]\r\nregion = ${"x".repeat(n % 90)}\r\n\r\n`);
    const before = `${others.slice(0, 4000).join("")}[p]\r\noutput = json\r\n${others.slice(4000).join("")}`;
    for (const edits of [[pending("p")], [pending("p"), pending("new"), pending("other-1")], [pending("new")]]) {
      await using home = await fileHome(before);
      await update(home, edits, {}, writeMode);
      const wanted = new Map(edits.map(({ profile, edit }) => [profile, edit]));
      assert.equal(await home.read(), spliceProfiles(documentOf(before), wanted).toString());
    }
  });
}

test("leftovers are swept under the lock alone, also when the file cannot be read", async () => {
  await using home = await fileHome();
  await mkdir(home.path);
  const { ops, calls } = failNth(undefined, "", async (call) => {
    if (call === "readdir") await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await assert.rejects(
    update(home, [pending("p")], { ops }),
    (error) => error instanceof Failure && error.code === "FILE_UNSAFE",
  );
  assert.deepEqual(calls, ["readdir"], "it was over before the lock was given back");
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("a foreign section is overwritten after a private backup, once", async () => {
  const before = "[p]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n";
  await using home = await fileHome(before);
  await chmod(home.path, 0o644);
  const first = await update(home, [pending("p", { overwrite: true })]);
  assert.match(first.backup ?? "", /credentials\.bak-\d{8}T\d{6}Z$/);
  assert.equal(await readFile(first.backup ?? "", "utf8"), before);
  assert.equal((await stat(first.backup ?? "")).mode & 0o777, 0o600);
  const again = { ...NEW_KEYS, accessKeyId: "ASIAAGAIN" };
  const second = await update(home, [pending("p", { overwrite: true, edit: { kind: "write", keys: again } })]);
  assert.equal(second.backup, undefined);
  assert.equal((await home.names()).length, 2);
});

test("a backup is never written over another one", async () => {
  await using home = await fileHome("[p]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n");
  const now = new Date("2026-11-23T10:00:00Z");
  await writeFile(`${home.path}.bak-20261123T100000Z`, "precious");
  const { backup } = await update(home, [pending("p", { overwrite: true })], { clock: { ...clock, now: () => now } });
  assert.equal(backup, `${home.path}.bak-20261123T100000Z-1`);
  assert.equal(await readFile(`${home.path}.bak-20261123T100000Z`, "utf8"), "precious");
});

test("only our own keys are removed", async () => {
  const pasted = "[pasted]\naws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\n";
  await using home = await fileHome(`${OTHERS}${pasted}`);
  await update(home);
  const { results } = await update(home, [
    pending("p", { edit: REMOVE }),
    pending("pasted", { edit: REMOVE }),
    pending("none", { edit: REMOVE }),
  ]);
  assert.deepEqual(results.get("p"), { kind: "written", changed: true });
  assert.deepEqual(results.get("none"), { kind: "written", changed: true });
  assert.equal(failureOf(results.get("pasted")).code, "SECTION_FOREIGN");
  assert.equal(await home.read(), `${OTHERS}${pasted}`);
});

test("warnings are about the file as it is now", async () => {
  await using home = await fileHome(
    "[q]\nregion = x\nregion = y\n[p]\naws_access_key_id = ASIAX\naws_access_key_id = ASIAY\n",
  );
  const { warnings } = await update(home, [pending("p", { overwrite: true })]);
  assert.deepEqual(
    warnings.map(({ line, message }) => `${line} ${message}`),
    ["3 key region is defined twice in its section, first on line 2: botocore and boto2 cannot read this file at all"],
  );
});

test("another name of the file is warned about, as it keeps the old credentials", async () => {
  await using home = await fileHome(OTHERS);
  await link(home.path, join(home.directory, "other"));
  const { warnings } = await update(home);
  assert.match(warnings[0]?.message ?? "", /hard link/);
});

test("temp files that killed runs left are removed, and nothing else", async () => {
  await using home = await fileHome(OTHERS);
  const kept = [
    ".credentials.rolefresh-",
    ".credentials.rolefresh-0123456789abcdeg",
    ".credentials.rolefresh-mine",
    "credentials.rolefresh-0123456789abcdef",
  ];
  for (const name of [...kept, ".credentials.rolefresh-0123456789abcdef"])
    await writeFile(join(home.directory, name), "x");
  await update(home);
  assert.deepEqual(await home.names(), ["credentials", ...kept].toSorted());
});

for (const writeMode of ["atomic", "in-place"] as const) {
  test(`${writeMode}: a change from outside just before the write is seen, and both survive`, async () => {
    await using home = await fileHome(OTHERS);
    let changed = false;
    const { ops } = failNth(undefined, "", async (call) => {
      if (changed || call !== (writeMode === "atomic" ? "lstat" : "handle.sync")) return;
      changed = true;
      await writeFile(home.path, `${OTHERS}[late]\nregion = z\n`);
    });
    const { results } = await update(home, [pending("p")], { ops }, writeMode);
    assert.ok(changed);
    assert.deepEqual(results.get("p"), { kind: "written", changed: true });
    const document = documentOf(await home.read());
    assert.ok(document.profile("p")?.isComplete);
    assert.deepEqual(document.names, ["q", "p", "late"]);
    assert.deepEqual(await home.names(), ["credentials"]);
  });
}

test("a file that is removed meanwhile is made anew", async () => {
  await using home = await fileHome(OTHERS);
  let done = false;
  const { ops } = failNth(undefined, "", async (call) => {
    if (done || call !== "lstat") return;
    done = true;
    await rm(home.path);
  });
  await update(home, [pending("p")], { ops });
  assert.deepEqual(documentOf(await home.read()).names, ["p"]);
});

test("a file that was emptied a moment ago is given time to be filled (aws-cli issue 10648)", async () => {
  await using home = await fileHome("");
  let isFilled = false;
  const filling: Clock = {
    ...clock,
    sleep: async (ms, signal) => {
      // Once: a file that is written again and again is waited for until the deadline.
      if (!isFilled) await writeFile(home.path, OTHERS);
      isFilled = true;
      await clock.sleep(ms, signal);
    },
  };
  await update(home, [pending("p")], { clock: filling });
  assert.deepEqual(documentOf(await home.read()).names, ["q", "p"]);
});

test("a file that has been empty for long is empty", async () => {
  await using home = await fileHome("");
  await utimes(home.path, 1, 1);
  const refusing = { ...clock, sleep: () => assert.fail("there is nothing to wait for") };
  await update(home, [pending("p")], { clock: refusing });
  assert.ok(documentOf(await home.read()).profile("p")?.isComplete);
});

test("a file that changes again and again is busy when the time is up", async () => {
  await using home = await fileHome(OTHERS, 300);
  let count = 0;
  const { ops } = failNth(undefined, "", async (call) => {
    if (call === "lstat") await writeFile(home.path, `${OTHERS}# ${count++}\n`);
  });
  await assert.rejects(
    update(home, [pending("p")], { ops }),
    (error: unknown) => error instanceof Failure && error.code === "FILE_BUSY",
  );
  assert.deepEqual(await home.names(), ["credentials"]);
});

test("EBUSY on the rename names write_mode = in-place (toolhive issue 3979)", async () => {
  await using home = await fileHome(OTHERS);
  const { calls } = await record(home);
  const { ops } = failNth(calls.indexOf("rename"), "EBUSY");
  await writeFile(home.path, OTHERS);
  const { results } = await update(home, [pending("p")], { ops });
  assert.match(failureOf(results.get("p")).hint ?? "", /write_mode = in-place, or mount the directory/);
});

test("a directory that may not be written is told with exit code 73 in mind", { skip: UID !== 0 }, async () => {
  await using home = await fileHome(OTHERS);
  const { ops } = failNth(1, "EACCES");
  const { results } = await update(home, [pending("p")], { ops });
  assert.equal(failureOf(results.get("p")).code, "FILE_CANNOT_CREATE");
});

async function record(
  home: FileHome,
  writeMode: "atomic" | "in-place" = "atomic",
  overwrite = false,
): Promise<{ readonly calls: readonly string[] }> {
  const { ops, calls } = failNth(undefined, "");
  await update(home, [pending("p", { overwrite })], { ops }, writeMode);
  return { calls };
}

const FOREIGN = "# mine\n[p]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n";
// The clean-up after the file is in place, and what sweeps others' temp files, may fail without failing the run.
const HARMLESS = new Set(["readdir", "unlink", "open directory", "handle.sync directory", "handle.close directory"]);

for (const writeMode of ["atomic", "in-place"] as const) {
  for (const errno of ["ENOSPC", "EIO", "EACCES"]) {
    test(`${writeMode}: whichever call fails with ${errno}, the file is the old or the new one, with no temp, journal or lock left`, async () => {
      const calls = await (async () => {
        await using home = await fileHome(FOREIGN);
        return (await record(home, writeMode, true)).calls;
      })();
      assert.ok(calls.length > 8, calls.join(" "));
      for (const [n, call] of calls.entries()) {
        await using home = await fileHome(FOREIGN);
        const { ops } = failNth(n, errno);
        const { results } = await update(home, [pending("p", { overwrite: true })], { ops }, writeMode);
        const result = results.get("p");
        const content = await home.read();
        const names = await home.names();
        const where = `call ${n}, ${call}: ${names.join(" ")}`;
        if (result?.kind === "failed") {
          assert.equal(content, FOREIGN, where);
          assert.ok(
            ["FILE_WRITE_FAILED", "FILE_CANNOT_CREATE", "FILE_READ_FAILED"].includes(result.failure.code),
            where,
          );
          assert.deepEqual(names, ["credentials"], where);
        } else {
          assert.ok(documentOf(content).profile("p")?.isComplete, where);
          assert.ok(HARMLESS.has(call) || n > calls.lastIndexOf("rename"), where);
          // Only the removal of the journal itself may fail and leave it: the next run removes it.
          const left = names.filter((name) => name !== "credentials" && !name.startsWith("credentials.bak-"));
          if (call !== "unlink") assert.deepEqual(left, [], where);
          await update(home, [
            pending("p", { edit: { kind: "write", keys: { ...NEW_KEYS, accessKeyId: "ASIANEXT" } } }),
          ]);
          assert.deepEqual(
            (await home.names()).filter((name) => !name.startsWith("credentials.bak-")),
            ["credentials"],
            where,
          );
        }
      }
    });
  }
}

test("a short write goes on where it stopped", async () => {
  await using home = await fileHome(OTHERS);
  const { ops } = failNth(undefined, "");
  const short = {
    ...ops,
    open: async (...args: Parameters<typeof ops.open>) => {
      const handle = await ops.open(...args);
      return new Proxy(handle, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name !== "write" || typeof value !== "function") return value;
          return (buffer: Buffer, at: number, length: number, position: number): unknown =>
            Reflect.apply(value, target, [buffer, at, Math.min(length, 7), position]);
        },
      });
    },
  };
  await update(home, [pending("p")], { ops: short });
  const content = await home.read();
  assert.ok(content.startsWith(OTHERS));
  assert.ok(documentOf(content).profile("p")?.isComplete);
});

test("a missing directory that cannot be made is told", async () => {
  await using home = await fileHome("in the way");
  await mkdir(join(home.directory, "sub"));
  await writeFile(join(home.directory, "sub", "file"), "");
  await assert.rejects(
    resolveFile(join(home.directory, "sub", "file", "credentials"), UID),
    (error: unknown) => error instanceof Failure && error.code === "FILE_UNSAFE",
  );
});

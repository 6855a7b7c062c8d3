import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod } from "node:fs/promises";
import { suite, test } from "node:test";

import { clock, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { toolMissing } from "../support/tool.ts";
import { openScene, ONE_ROLE } from "../support/scene.ts";
import { runStraced, straceMissing } from "../support/strace.ts";

const missing = toolMissing("setfacl", ["--version"]) ?? toolMissing("getfacl", ["--version"]);
const listOf = (path: string) =>
  execFileSync("getfacl", ["-cnp", path], { encoding: "utf8" }).replaceAll(/\s+#.*/g, "");
const OTHERS = "[q]\nregion = x\n";

async function refreshed(
  prepare: (path: string, directory: string) => Promise<void>,
): Promise<readonly [string, string]> {
  await using home = await fileHome(OTHERS);
  await prepare(home.path, home.directory);
  const before = listOf(home.path);
  const request = { file: home.file, edits: [pending("p")], writeMode: "atomic" } as const;
  const inode = await home.inode();
  const { results } = await updateCredentialsFile(request, { clock, deadline: home.deadline, uid: UID });
  assert.equal(results.get("p")?.kind, "written");
  assert.notEqual(await home.inode(), inode);
  assert.deepEqual(await home.names(), ["credentials"]);
  return [before, listOf(home.path)];
}

suite("access to the file is as it was", { skip: missing ?? false }, () => {
  for (const mode of [0o600, 0o640, 0o660, 0o644]) {
    test(`mode ${mode.toString(8)} in a directory with a default list lets in nobody more`, async () => {
      const [before, after] = await refreshed(async (path, directory) => {
        await chmod(path, mode);
        execFileSync("setfacl", ["-d", "-m", "u:65534:rw,g:65533:rw", directory]);
      });
      const effective = after.split("\n").filter((line) => !/^(user|group):\d/.test(line));
      if (mode === 0o600) assert.ok(effective.includes("mask::---"), "the list lets nobody in");
      else if (mode === 0o644) assert.ok(effective.includes("mask::r--"), "no more than others may");
      else assert.equal(after, before);
    });
  }

  test("a list of the file itself stays, and its mask does not become the group's rights", async () => {
    const [before, after] = await refreshed(async (path, directory) => {
      await chmod(path, 0o600);
      execFileSync("setfacl", ["-m", "u:65534:r", path]);
      execFileSync("setfacl", ["-d", "-m", "u:65533:rw", directory]);
    });
    assert.match(before, /group::---\nmask::r--/);
    assert.equal(after, before);
  });
});

for (const mode of [0o600, 0o644]) {
  test(`a refresh of a file with mode ${mode.toString(8)} starts no program`, async (t) => {
    const noStrace = straceMissing();
    if (noStrace !== undefined) return t.skip(noStrace);
    await using scene = await openScene(ONE_ROLE);
    await scene.home.write(".aws/credentials", OTHERS);
    await chmod(scene.home.credentials, mode);
    const { code, calls } = await runStraced(["--force"], { env: scene.env, calls: "execve" });
    assert.equal(code, 0);
    assert.match(await scene.credentials(), /manager = rolefresh/);
    assert.equal(calls.length, 1, calls.map(({ text }) => text).join("\n"));
  });
}

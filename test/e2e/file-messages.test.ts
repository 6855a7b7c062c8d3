import assert from "node:assert/strict";
import { chmod, chown, mkdir } from "node:fs/promises";
import { suite, test } from "node:test";

import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";
import { GCP_ARN, openScene, type Scene } from "../support/scene.ts";

// What keeps the credentials file from being written is named, and what to do about it.

async function messageOf(scene: Scene, path: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const args = ["--role-arn", GCP_ARN, "--credentials-file", path];
  const { code, stderr } = await scene.run(args, { env, ...(process.geteuid?.() === 0 ? { uid: OTHER_USER } : {}) });
  assert.ok(code === 73 || code === 65, stderr);
  return stderr;
}

suite("a message names what keeps the file from being written", { skip: otherUserMissing() ?? false }, () => {
  test("a home directory that is /", async () => {
    await using scene = await openScene(undefined);
    const stderr = await messageOf(scene, "/.aws/credentials", { HOME: "/" });
    assert.match(stderr, /cannot create the directory of \/\.aws\/credentials: permission denied/);
    assert.match(stderr, /hint: HOME is '\/': set HOME/);
  });

  test("a directory that cannot be written, which is no lock", async () => {
    await using scene = await openScene(undefined);
    const directory = `${scene.home.path}/.aws`;
    await mkdir(directory);
    await chown(directory, OTHER_USER, OTHER_USER);
    await chmod(directory, 0o555);
    await chmod(scene.home.path, 0o755);
    const stderr = await messageOf(scene, `${directory}/credentials`);
    assert.match(stderr, new RegExp(`error: .*cannot write in ${directory}: permission denied\n`));
    assert.match(stderr, /hint: check the owner, the mode and the mount: ls -ld /);
    assert.doesNotMatch(stderr, /lock/);
  });

  test("a directory that Docker made for a file that is missing on the host", async () => {
    await using scene = await openScene(undefined);
    await chmod(scene.home.path, 0o755);
    await mkdir(scene.home.credentials, { recursive: true });
    const stderr = await messageOf(scene, scene.home.credentials);
    assert.match(stderr, /it is a directory\n[\s\S]*hint: .*Docker makes such a directory .* missing on the host/);
  });
});

import assert from "node:assert/strict";
import { lstat, readdir, readFile, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Sandbox } from "../sandbox/sandbox.ts";
import { ONE_ROLE, openScene, type Scene, valuesOf } from "./scene.ts";

/** A credentials file with others' keys, comments and odd spacing around the two sections that are refreshed. */
export const BEFORE = `# mine, do not touch
[q]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY

[default]
region = eu-central-1
aws_access_key_id     = ASIAOLDOLDOLDOLDOLD1
aws_secret_access_key = old
aws_session_token: old
s3 =
    max_concurrent_requests = 20
; about r
[r]
region = y`;

export type WriteMode = "atomic" | "in-place";

/** A machine with that file, on which the profile `default` is due. */
export async function openFaultScene(writeMode: WriteMode = "atomic", config = ONE_ROLE): Promise<Scene> {
  const scene = await openScene(`[*]\nwrite_mode = ${writeMode}\n${config}`);
  await scene.home.write(".aws/credentials", BEFORE);
  return scene;
}

const MANAGED =
  /^\s*(?:aws_access_key_id|aws_secret_access_key|aws_session_token|aws_security_token|x_principal_arn|x_security_token_expires|manager)\s*[=:].*(?:\r?\n|$)/;

/** The file without the managed lines of these profiles: what must never change. */
export function foreignBytes(content: string, profiles: readonly string[]): string {
  let section = "";
  return (content.match(/[^\n]*\n|[^\n]+$/g) ?? [])
    .filter((line) => {
      section = /^\[(.*)\]/.exec(line)?.[1] ?? section;
      return !(profiles.includes(section) && MANAGED.test(line));
    })
    .join("");
}

/**
 * Holds a file to what is promised: it is `before` to the letter, or what a refresh makes of it, whole: all keys of each
 * profile as STS gave them together, and every other byte as it was.
 *
 * @returns which of the two
 */
export function judgeFile(
  sandbox: Sandbox,
  content: string,
  before = BEFORE,
  profiles: readonly string[] = ["default"],
): "old" | "new" {
  if (content === before) return "old";
  // A file that ended without a newline gets one where a section is added below.
  assert.equal(foreignBytes(content, profiles), foreignBytes(before, profiles), "bytes of others changed");
  for (const profile of profiles) checkKeys(sandbox, content, profile);
  return "new";
}

/** The keys of a profile are ones that STS gave, together. */
export function checkKeys(sandbox: Sandbox, content: string, profile: string): void {
  const values = valuesOf(content, profile);
  const key = sandbox.keyOf(values["aws_access_key_id"] ?? "");
  assert.ok(key, `the access key of ${profile} is none that STS gave`);
  const { aws_secret_access_key, aws_session_token, aws_security_token, manager } = values;
  assert.deepEqual(
    [aws_secret_access_key, aws_session_token, aws_security_token, manager],
    [key.secretAccessKey, key.sessionToken, key.sessionToken, "rolefresh"],
    `the keys of ${profile} do not belong together`,
  );
}

/** The names in `~/.aws` that should not be there after a run. */
export async function leftovers(scene: Scene): Promise<readonly string[]> {
  return (await scene.home.awsFiles()).filter((name) => name !== "credentials" && name !== "rolefresh.ini");
}

/** Makes the locks of a killed run old, instead of waiting the ten seconds after which they are dead. */
export async function ageLocks(path: string): Promise<number> {
  const directory = dirname(path);
  let count = 0;
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".lock") && !name.endsWith(".takeover")) continue;
    const lock = join(directory, name);
    await lstat(lock);
    await utimes(lock, 1, 1);
    count++;
  }
  return count;
}

/** A run with nothing in its way: it succeeds in silence, the file is the new one, and nothing else is left. */
export async function checkNextRun(scene: Scene): Promise<void> {
  await ageLocks(scene.home.credentials);
  const { code, signal, stdout, stderr } = await scene.run(["refresh"]);
  assert.deepEqual([code, signal, stdout, stderr], [0, null, "", ""], "the next run");
  assert.equal(judgeFile(scene.sandbox, await readFile(scene.home.credentials, "utf8")), "new", "the next run");
  // Where the file was the new one already, that run had nothing to do, and took no lock.
  if ((await leftovers(scene)).length > 0) await scene.run(["refresh", "--force"]);
  assert.deepEqual(await leftovers(scene), [], "left after the next run");
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFile, copyFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";

import { diagnose, openHealthyScene } from "../support/doctor-scene.ts";
import { ONE_ROLE, type Scene } from "../support/scene.ts";

/** Mounts a file of the home over its credentials file, as `docker run -v FILE:FILE` does; undone with the scope. */
class FileMount implements AsyncDisposable {
  readonly source: string;
  readonly #target: string;

  private constructor(source: string, target: string) {
    this.source = source;
    this.#target = target;
  }

  static async over(scene: Scene): Promise<FileMount> {
    const source = join(scene.home.path, "on the host");
    await copyFile(scene.home.credentials, source);
    const { status, stderr } = spawnSync("mount", ["--bind", source, scene.home.credentials], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return new FileMount(source, scene.home.credentials);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    spawnSync("umount", [this.#target]);
  }
}

/** Containers mostly forbid mounting: then nothing of this can be tested. */
function skipReason(): string | false {
  if (process.geteuid?.() !== 0) return "needs root to mount";
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", "f=$(mktemp) && mount --bind $f $f && umount $f; s=$?; rm -f $f; exit $s"],
    {
      encoding: "utf8",
    },
  );
  return status === 0 ? false : `cannot mount here: ${stderr.trim()}`;
}

suite("doctor and a mounted file", { skip: skipReason() }, () => {
  test("replacing it fails with EBUSY, also in refresh; write_mode = in-place is ok", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await using mount = await FileMount.over(scene);
    assert.ok(mount.source);
    const { of, code } = await diagnose(scene);
    assert.equal(code, 1);
    assert.match(
      of("mount")[0] ?? "",
      /^error: .*credentials is a mounted file: .*EBUSY.*\| mount the directory that holds it, or set write_mode = in-place/,
    );
    const refused = await scene.run(["refresh", "--force"]);
    assert.equal(refused.code, 74, "the finding tells what really happens");
    await appendFile(scene.home.config, "write_mode = in-place\n");
    const { wrong, of: after } = await diagnose(scene);
    assert.deepEqual(wrong, []);
    assert.match(after("mount")[0] ?? "", /^ok: .*write_mode = in-place/);
  });

  test("a file that was replaced at its source is the old one here", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await using mount = await FileMount.over(scene);
    await writeFile(`${mount.source}.new`, "");
    await rename(`${mount.source}.new`, mount.source);
    const { of } = await diagnose(scene);
    assert.match(of("mount")[0] ?? "", /^error: .*was replaced at its source: the mount shows the old file/);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";

import { ONE_ROLE, openScene, THREE_ROLES, valuesOf } from "../support/scene.ts";
import { toolMissing } from "../support/tool.ts";

const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };
const noBotocore = toolMissing("python3", ["-c", "import botocore.session"]);

suite("paths that people write", () => {
  for (const named of ["$HOME/keys/creds", "${HOME}/keys/creds", "~/keys/creds", "$KEYS/creds"]) {
    test(
      `AWS_SHARED_CREDENTIALS_FILE=${named} is the file that botocore reads`,
      { skip: noBotocore ?? false },
      async () => {
        await using scene = await openScene(ONE_ROLE);
        const env = { AWS_SHARED_CREDENTIALS_FILE: named, KEYS: join(scene.home.path, "keys") };
        assert.deepEqual(await scene.run([], { env, cwd: scene.home.path }), SILENT);
        const { aws_access_key_id: ours } = valuesOf(await scene.home.read("keys/creds"), "default");
        const program = "import botocore.session as s; print(s.Session().get_credentials().access_key)";
        const path = process.env["PATH"] ?? "";
        const read = spawnSync("python3", ["-c", program], {
          env: { ...scene.env, ...env, PATH: path },
          encoding: "utf8",
        });
        assert.equal(read.stdout.trim(), ours, read.stderr);
        assert.deepEqual((await readdir(scene.home.path)).toSorted(), [".aws", "keys"]);
      },
    );
  }

  test("a variable that is not set is a mistake (78), and no directory is named after it", async () => {
    await using scene = await openScene(ONE_ROLE);
    const run = await scene.run([], { env: { AWS_SHARED_CREDENTIALS_FILE: "$KEYS/creds" }, cwd: scene.home.path });
    assert.equal(run.code, 78);
    assert.match(run.stderr, /^rolefresh: error: AWS_SHARED_CREDENTIALS_FILE: the variable \$KEYS is not set\n/);
    assert.deepEqual(await readdir(scene.home.path), [".aws"]);
    for (const args of [
      ["--credentials-file", "$KEYS/creds"],
      ["--config", "$KEYS/rolefresh.ini"],
    ]) {
      const other = await scene.run(args, { cwd: scene.home.path });
      assert.equal(other.code, 78, args.join(" "));
      assert.match(other.stderr, /variable \$KEYS is not set/);
    }
  });

  test("a relative AWS_SHARED_CREDENTIALS_FILE is one file, shown with its whole path", async () => {
    await using scene = await openScene(THREE_ROLES);
    const options = { env: { AWS_SHARED_CREDENTIALS_FILE: "creds" }, cwd: scene.home.path };
    assert.deepEqual(await scene.run([], options), SILENT);
    const status: { profiles: { credentials_file: string }[] } = JSON.parse(
      (await scene.run(["status", "--json"], options)).stdout,
    );
    for (const { credentials_file: file } of status.profiles) assert.equal(file, join(scene.home.path, "creds"));
    // `old` is written and not configured any more: it is looked for in all files, and is in one.
    await scene.home.write(".aws/rolefresh.ini", ONE_ROLE);
    const removal = await scene.run(["remove", "billing", "--dry-run"], options);
    assert.equal(removal.code, 0, removal.stderr);
  });

  test("doctor says that the variable is not set, and goes on", async () => {
    await using scene = await openScene(ONE_ROLE);
    const env = { AWS_SHARED_CREDENTIALS_FILE: "$KEYS/creds", AWS_CONFIG_FILE: "$KEYS/config" };
    const { code, stdout } = await scene.run(["doctor"], { env });
    assert.equal(code, 1);
    assert.match(stdout, /AWS_SHARED_CREDENTIALS_FILE: the variable \$KEYS is not set/);
    assert.match(stdout, /AWS_CONFIG_FILE cannot be used: the variable \$KEYS is not set/);
  });
});

test("watch with a profile that is not configured ends at once (64)", async () => {
  await using scene = await openScene(ONE_ROLE);
  const { code, stderr } = await scene.run(["watch", "nope"]);
  assert.equal(code, 64);
  assert.match(stderr, /^rolefresh: error: no profile 'nope' is configured in /);
});

test("AWS_REGION=aws-global works as if there was no region", async () => {
  await using scene = await openScene(THREE_ROLES);
  assert.deepEqual(await scene.run([], { env: { AWS_REGION: "aws-global" } }), SILENT);
});

test("a source_profile that is nowhere is told beside the other mistakes, also in doctor", async () => {
  const role = "role_arn = arn:aws:iam::999999999999:role/Billing\n";
  const config = `${ONE_ROLE}regoin = x\n[billing]\n${role}source_profile = nowhere\n[c]\n${role}source_profile = broken\n[broken]\n${role}`;
  await using scene = await openScene(config);
  const { code, stderr } = await scene.run([]);
  assert.equal(code, 78);
  assert.match(stderr, /:4: \[default\] unknown key 'regoin'/);
  assert.match(stderr, /:5: \[billing\] source_profile 'nowhere' is neither configured nor a section of /);
  assert.match(stderr, /:11: \[broken\] no identity source is configured/);
  assert.equal(stderr.match(/^rolefresh: error: /gm)?.length, 3, "[broken] is configured");
  const { stdout } = await scene.run(["doctor"]);
  assert.match(stdout, /'nowhere' is neither configured/);
});

test("[profile x] is refused, and the file stays as it is", async () => {
  await using scene = await openScene(ONE_ROLE.replace("[default]", "[profile x]"));
  const { code, stderr } = await scene.run([]);
  assert.equal(code, 78);
  assert.match(stderr, /write \[x\]; the 'profile ' prefix belongs to ~\/\.aws\/config/);
  assert.deepEqual(await scene.home.awsFiles(), ["rolefresh.ini"]);
});

test("a profile named with --profile is refused like one of the config", async () => {
  await using scene = await openScene(undefined);
  for (const [name, why] of [
    ["a;b", /may not contain ';'/],
    ["profile x", /write \[x\]/],
  ] as const) {
    const { code, stderr } = await scene.run(["--role-arn", "arn:aws:iam::123412341234:role/r", "--profile", name]);
    assert.equal(code, 78);
    assert.match(stderr, why);
  }
});

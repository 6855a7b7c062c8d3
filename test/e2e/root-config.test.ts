import assert from "node:assert/strict";
import { chmod, chown, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { underAttack } from "../support/attacker.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";
import { GCP_ARN, openScene, type Scene } from "../support/scene.ts";

// What decides what root does comes only from where nobody but root can write.

const missing = otherUserMissing();

interface Stage extends AsyncDisposable {
  readonly scene: Scene;
  /** A directory of the other user. */
  readonly theirs: string;
  /** A directory of root that everybody may search. */
  readonly roots: string;
}

async function openStage(): Promise<Stage> {
  const scene = await openScene(undefined);
  const [theirs, roots] = [`${scene.home.path}/theirs`, `${scene.home.path}/roots`];
  await chmod(scene.home.path, 0o755);
  await mkdir(theirs, { mode: 0o755 });
  await mkdir(roots, { mode: 0o755 });
  await chown(theirs, OTHER_USER, OTHER_USER);
  return { scene, theirs, roots, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

/** A config whose command shows that root obeyed it. */
const configRunning = (command: string): string =>
  `[default]\nrole_arn = ${GCP_ARN}\nidentity = command\nidentity_command = "${command}"\n`;

async function give(path: string, content: string, mode = 0o644): Promise<string> {
  await writeFile(path, content, { mode });
  await chown(path, OTHER_USER, OTHER_USER);
  return path;
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

suite("root takes a config", { skip: missing ?? false }, () => {
  test("of its own, of group root, through root's own links, and in a directory below /tmp", async () => {
    await using stage = await openStage();
    const { scene, roots } = stage;
    const config = `[default]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`;
    await writeFile(`${roots}/plain.ini`, config);
    await writeFile(`${roots}/group.ini`, config);
    await chmod(`${roots}/group.ini`, 0o664);
    await symlink("plain.ini", `${roots}/link.ini`);
    await symlink(roots, `${scene.home.path}/linked`);
    for (const file of ["roots/plain.ini", "roots/group.ini", "roots/link.ini", "linked/link.ini"]) {
      const result = await scene.run(["check", "--config", `${scene.home.path}/${file}`]);
      assert.deepEqual(result, { code: 0, signal: null, stdout: "", stderr: "" }, file);
    }
  });

  test("and goes by the next usual place where a home kept by sudo has none", async () => {
    await using stage = await openStage();
    const { code, stderr } = await stage.scene.run(["check"], { env: { HOME: stage.theirs } });
    assert.equal(code, 255);
    assert.match(stderr, /no config found/);
  });

  const EXPOSED: readonly (readonly [string, RegExp, (stage: Stage, config: string) => Promise<string>])[] = [
    [
      "a file of another user",
      /file\.ini belongs to user 65534/,
      ({ roots }, config) => give(`${roots}/file.ini`, config),
    ],
    [
      "root's file in another user's directory",
      /theirs belongs to user 65534/,
      async ({ theirs }, config) => {
        await writeFile(`${theirs}/rolefresh.ini`, config);
        return `${theirs}/rolefresh.ini`;
      },
    ],
    [
      "root's file that everybody may write",
      /open\.ini can be written by every user/,
      async ({ roots }, config) => {
        await writeFile(`${roots}/open.ini`, config);
        await chmod(`${roots}/open.ini`, 0o666);
        return `${roots}/open.ini`;
      },
    ],
    [
      "root's file in a directory that a group may write",
      /roots can be written by group 65534/,
      async ({ roots }, config) => {
        await writeFile(`${roots}/rolefresh.ini`, config);
        await chown(roots, 0, OTHER_USER);
        await chmod(roots, 0o775);
        return `${roots}/rolefresh.ini`;
      },
    ],
    [
      "root's file behind a link in another user's directory",
      /theirs belongs to user 65534/,
      async ({ theirs, roots }, config) => {
        await writeFile(`${roots}/rolefresh.ini`, config);
        await symlink(`${roots}/rolefresh.ini`, `${theirs}/link.ini`);
        return `${theirs}/link.ini`;
      },
    ],
    [
      "root's link to a file in another user's directory",
      /theirs belongs to user 65534/,
      async ({ theirs, roots }, config) => {
        await writeFile(`${theirs}/rolefresh.ini`, config);
        await symlink(`../theirs/rolefresh.ini`, `${roots}/link.ini`);
        return `${roots}/link.ini`;
      },
    ],
    [
      "root's file directly in a sticky directory",
      /shared can be written by every user/,
      async ({ scene }, config) => {
        await mkdir(`${scene.home.path}/shared`);
        await chmod(`${scene.home.path}/shared`, 0o1777);
        await writeFile(`${scene.home.path}/shared/rolefresh.ini`, config);
        return `${scene.home.path}/shared/rolefresh.ini`;
      },
    ],
  ];

  for (const [title, reason, plant] of EXPOSED) {
    test(`but not ${title}`, async () => {
      await using stage = await openStage();
      const proof = `${stage.roots}/proof`;
      const file = await plant(stage, configRunning(`touch ${proof}`));
      const { code, stderr } = await stage.scene.run(["--config", file]);
      assert.equal(code, 78, stderr);
      assert.match(stderr, /^rolefresh: error: root does not use the config /);
      assert.match(stderr, reason);
      assert.match(stderr, /\nrolefresh: hint: .*(chmod go-w|chown root|keep the file in) .*--run-as USER/);
      assert.equal(await isThere(proof), false);
    });
  }

  test("never a user's, however fast the user swaps a file for it", async (context) => {
    await using stage = await openStage();
    const { scene, theirs, roots } = stage;
    const proof = `${roots}/proof`;
    await writeFile(`${roots}/rolefresh.ini`, `[default]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`);
    await symlink(`${roots}/rolefresh.ini`, `${theirs}/good`);
    await give(`${theirs}/bad`, configRunning(`touch ${proof}`));
    const swap = `
      fs.linkSync("bad", "next"); fs.renameSync("next", "rolefresh.ini");
      fs.symlinkSync(${JSON.stringify(`${roots}/rolefresh.ini`)}, "next"); fs.renameSync("next", "rolefresh.ini");`;
    const codes = new Map<number | null, number>();
    await underAttack({ directory: theirs, step: swap }, async () => {
      for (let n = 0; n < 10; n++) {
        const { code, stderr } = await scene.run(["--config", `${theirs}/rolefresh.ini`, "--timeout", "20s"]);
        codes.set(code, (codes.get(code) ?? 0) + 1);
        assert.equal(code, 78, stderr);
        assert.equal(await isThere(proof), false);
      }
    });
    context.diagnostic(`exit statuses: ${JSON.stringify([...codes])}`);
  });

  test("a file of root's that a user could move into place is none either", async () => {
    await using stage = await openStage();
    const { scene, theirs, roots } = stage;
    const proof = `${roots}/proof`;
    // As a backup by root was, whose content the user chose.
    await writeFile(`${theirs}/credentials.bak`, configRunning(`touch ${proof}`));
    await rename(`${theirs}/credentials.bak`, `${theirs}/rolefresh.ini`);
    const { code } = await scene.run(["--config", `${theirs}/rolefresh.ini`]);
    assert.equal(code, 78);
    assert.equal(await isThere(proof), false);
  });
});

suite("root takes from another user's directory", { skip: missing ?? false }, () => {
  const REFUSED: readonly (readonly [
    string,
    number,
    (stage: Stage) => Promise<readonly [string, Record<string, string>]>,
  ])[] = [
    [
      "no policy_file",
      78,
      async ({ theirs }) => {
        const file = await give(`${theirs}/policy.json`, "{}");
        return [`identity = gcp-metadata\npolicy_file = ${file}`, {}];
      },
    ],
    [
      "no ca_bundle",
      78,
      async ({ theirs }) => {
        const file = await give(`${theirs}/ca.pem`, "");
        return [`identity = gcp-metadata\nendpoint_url = https://127.0.0.1:1\nca_bundle = ${file}`, {}];
      },
    ],
    [
      "no Google credentials",
      77,
      async ({ theirs }) => {
        const file = await give(`${theirs}/key.json`, `{"type":"service_account"}`);
        return ["identity = gcp-adc", { GOOGLE_APPLICATION_CREDENTIALS: file }];
      },
    ],
    [
      "no AWS config",
      78,
      async ({ theirs, roots }) => {
        const command = `/bin/touch ${roots}/proof`;
        const file = await give(`${theirs}/config`, `[profile p]\ncredential_process = ${command}\n`);
        return ["identity = aws-profile\nsource_profile = p", { AWS_CONFIG_FILE: file }];
      },
    ],
  ];

  for (const [title, status, plant] of REFUSED) {
    test(title, async () => {
      await using stage = await openStage();
      const { scene, roots } = stage;
      const [lines, env] = await plant(stage);
      await writeFile(`${roots}/rolefresh.ini`, `[default]\nrole_arn = ${GCP_ARN}\n${lines}\n`);
      const { code, stderr } = await scene.run(["--config", `${roots}/rolefresh.ini`, "--timeout", "30s"], { env });
      assert.equal(code, status, stderr);
      assert.match(stderr, /theirs belongs to user 65534, and root trusts only what root alone can change/);
      assert.equal(await isThere(`${roots}/proof`), false);
      assert.equal(await isThere(scene.home.credentials), false);
    });
  }

  test("a token, which its own service writes and STS judges", async () => {
    await using stage = await openStage();
    const { scene, theirs, roots } = stage;
    const token = await give(`${theirs}/token`, await scene.sandbox.mintToken(), 0o640);
    await writeFile(
      `${roots}/rolefresh.ini`,
      `[default]\nrole_arn = ${GCP_ARN}\nidentity = file\nweb_identity_token_file = ${token}\n`,
    );
    const result = await scene.run(["--config", `${roots}/rolefresh.ini`]);
    assert.deepEqual(result, { code: 0, signal: null, stdout: "", stderr: "" });
    assert.match(await readFile(scene.home.credentials, "utf8"), /manager = rolefresh/);
    await rm(token);
  });
});

suite("schedule prints a system unit", { skip: missing ?? false }, () => {
  const config = `[default]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`;

  test("for root's config, and for a user's with --run-as", async () => {
    await using stage = await openStage();
    const { scene, theirs, roots } = stage;
    await writeFile(`${roots}/rolefresh.ini`, config);
    const own = await scene.run(["schedule", "systemd", "--system", "--config", `${roots}/rolefresh.ini`]);
    assert.equal(own.code, 0, own.stderr);
    const file = await give(`${theirs}/rolefresh.ini`, config);
    const args = ["schedule", "systemd", "--system", "--run-as", "nobody", "--config", file];
    const theirOwn = await scene.run([...args, "--credentials-file", `${theirs}/credentials`]);
    assert.equal(theirOwn.code, 0, theirOwn.stderr);
    assert.match(theirOwn.stdout, /^User=nobody$/m);
  });

  for (const uid of [0, OTHER_USER]) {
    test(`but none for root by a user's config, asked by user ${uid}`, async () => {
      await using stage = await openStage();
      const { scene, theirs } = stage;
      const file = await give(`${theirs}/rolefresh.ini`, config);
      const env = { HOME: theirs };
      const result = await scene.run(["schedule", "systemd", "--system", "--config", file], { uid, env });
      assert.deepEqual([result.code, result.stdout], [78, ""], result.stderr);
      assert.match(result.stderr, /belongs to user 65534/);
      assert.match(result.stderr, /--run-as USER.*|\/etc\/rolefresh\.ini/);
    });
  }

  test("a line of a file that the user may not read is not shown in a mistake", async () => {
    await using stage = await openStage();
    const { scene, theirs, roots } = stage;
    await writeFile(`${roots}/secret`, "root:$6$hash:20000:0\n", { mode: 0o600 });
    await symlink(`${roots}/secret`, `${theirs}/rolefresh.ini`);
    const args = ["schedule", "systemd", "--system", "--run-as", "nobody", "--config", `${theirs}/rolefresh.ini`];
    const { code, stderr } = await scene.run(args);
    assert.equal(code, 78, stderr);
    assert.match(stderr, /rolefresh\.ini:1: this line is not valid \(not shown/);
    assert.doesNotMatch(stderr, /hash/);
  });
});

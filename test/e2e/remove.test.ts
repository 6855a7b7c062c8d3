import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { suite, test } from "node:test";

import { ONE_ROLE, openScene, THREE_ROLES } from "../support/scene.ts";

const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };
const FOREIGN = "[theirs]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = a/b+c==\n";
const PASTED = "[pasted]\naws_access_key_id = ASIAPASTEDPASTED0000\naws_secret_access_key = s\naws_session_token = t\n";

suite("remove", () => {
  test("takes what refresh wrote out again: the file is byte for byte as it was", async () => {
    await using scene = await openScene(THREE_ROLES);
    const before = `# ours, do not touch\r\n${FOREIGN.replaceAll("\n", "\r\n")}\r\n[billing]\r\nregion = eu-west-1\r\n# the end\r\n`;
    await scene.home.write(".aws/credentials", before);
    await scene.run([]);
    assert.deepEqual(await scene.run(["remove", "default", "prod.admin", "billing"]), SILENT);
    assert.equal((await scene.credentials()).trimEnd(), before.trimEnd());
    assert.deepEqual(await scene.home.awsFiles(), ["credentials", "rolefresh.ini"]);
  });

  test("the others stay, and a second removal of a configured profile changes nothing", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.run([]);
    await scene.run(["remove", "prod.admin"]);
    const after = await scene.credentials();
    assert.ok(!after.includes("prod.admin"));
    assert.match(after, /^\[default\]$/m);
    assert.match(after, /^\[billing\]$/m);
    const inode = await scene.home.inode(".aws/credentials");
    assert.deepEqual(await scene.run(["remove", "prod.admin"]), SILENT);
    assert.equal(await scene.home.inode(".aws/credentials"), inode);
  });

  test("a profile need not be configured any more, nor need there be a config at all", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.run([]);
    await scene.home.write(".aws/rolefresh.ini", ONE_ROLE);
    assert.deepEqual(await scene.run(["remove", "billing"]), SILENT);
    await rm(scene.home.config);
    assert.deepEqual(await scene.run(["remove", "prod.admin"]), SILENT);
    assert.deepEqual((await scene.credentials()).match(/^\[.*\]$/gm), ["[default]"]);
  });

  test("a profile is looked for in every file that the config names", async () => {
    await using scene = await openScene(undefined);
    const other = `${scene.home.path}/other`;
    await scene.home.write(
      ".aws/rolefresh.ini",
      `${THREE_ROLES}credentials_file = ${other}\n`
        .replace("source_profile = default\n", "identity = gcp-metadata\n")
        .replace("999999999999:role/Billing", "123412341234:role/my-gcp-role-20211031"),
    );
    await scene.run([]);
    await scene.run([
      "refresh",
      "--role-arn",
      "arn:aws:iam::123412341234:role/my-gcp-role-20211031",
      "--profile",
      "old",
      "--credentials-file",
      other,
    ]);
    assert.match(await readFile(other, "utf8"), /^\[old\]$/m);
    assert.deepEqual(await scene.run(["remove", "old", "billing"]), SILENT);
    assert.equal((await readFile(other, "utf8")).trim(), "");
  });

  test("--dry-run shows what would go and writes nothing", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    const before = await scene.credentials();
    const { code, stdout, stderr } = await scene.run(["remove", "--dry-run", "default"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, `PROFILE  OUTCOME  CREDENTIALS FILE\ndefault  present  ${scene.home.credentials}\n`);
    assert.equal(await scene.credentials(), before);
  });

  test("--json says how each profile ended", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.run(["refresh", "default"]);
    await scene.home.write(".aws/credentials", `${await scene.credentials()}\n${FOREIGN}`);
    const { code, stdout } = await scene.run(["remove", "--json", "default", "billing", "theirs"]);
    assert.equal(code, 65);
    const answer: unknown = JSON.parse(stdout);
    const file = scene.home.credentials;
    const error = (answer as { profiles: { error: { message: string } | null }[] }).profiles[2]?.error;
    assert.match(error?.message ?? "", /^refusing to remove \[/);
    assert.deepEqual(answer, {
      profiles: [
        { profile: "default", outcome: "removed", credentials_file: file, error: null },
        { profile: "billing", outcome: "absent", credentials_file: file, error: null },
        {
          profile: "theirs",
          outcome: "failed",
          credentials_file: file,
          error: {
            code: "SECTION_FOREIGN",
            message: error?.message,
            hint: "remove it by hand: rolefresh removes only what it wrote (manager = rolefresh)",
          },
        },
      ],
    });
    assert.equal((await scene.credentials()).trim(), FOREIGN.trim());
  });

  test("bad input: exit status, one clear error, silence on standard output, the file as it was", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.run(["refresh", "default"]);
    await scene.home.write(
      ".aws/credentials",
      `${await scene.credentials()}\n${FOREIGN}\n${PASTED}\n[empty]\nregion = x\n`,
    );
    const before = await scene.credentials();
    const foreign =
      /error: refusing to remove \[theirs\]: it holds a long-lived access key that rolefresh did not write \(.*\/credentials:\d+\)\n/;
    const cases: readonly (readonly [number, readonly string[], RegExp])[] = [
      [64, [], /error: no profile given\nrolefresh: hint: /],
      [
        64,
        ["defalt"],
        /error: no profile 'defalt' is configured or in .*\nrolefresh: hint: did you mean 'default'\?\n/,
      ],
      [
        64,
        ["default", "nothing-like-it"],
        /error: no profile 'nothing-like-it' is .*\nrolefresh: hint: known: default, /,
      ],
      [64, ["--dry-rum", "default"], /error: unknown option --dry-rum\nrolefresh: hint: did you mean '--dry-run'\?\n/],
      [65, ["theirs"], foreign],
      [65, ["pasted"], /error: refusing to remove \[pasted\]: rolefresh did not write it \(.*:\d+\)\n/],
      [65, ["empty"], /error: refusing to remove \[empty\]: rolefresh did not write it \(.*:\d+\)\n/],
      [78, ["--config", "/nonexistent.ini", "default"], /error: the config \/nonexistent\.ini does not exist/],
    ];
    for (const [status, args, voice] of cases) {
      const { code, stdout, stderr } = await scene.run(["remove", ...args]);
      assert.deepEqual([code, stdout], [status, ""], `${args.join(" ")}\n${stderr}`);
      assert.match(stderr, voice);
      assert.equal(await scene.credentials(), before);
    }
    const mixed = await scene.run(["remove", "theirs", "default"]);
    assert.equal(mixed.code, 65);
    assert.match(mixed.stderr, foreign);
    assert.ok(!(await scene.credentials()).includes("[default]"), "one profile's fault spares the others");
    assert.deepEqual(await scene.home.awsFiles(), ["credentials", "rolefresh.ini"]);
  });

  test("a file that cannot be spliced safely is refused", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    const twice = `${await scene.credentials()}\n[default]\nregion = x\n`;
    await scene.home.write(".aws/credentials", twice);
    const { code, stdout, stderr } = await scene.run(["remove", "default"]);
    assert.deepEqual([code, stdout], [65, ""]);
    assert.match(stderr, /^rolefresh: error: .*credentials:\d+/);
    assert.equal(await scene.credentials(), twice);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { main } from "../../src/main.ts";
import { openScene, type Scene, THREE_ROLES, valuesOf } from "../support/scene.ts";
import { testWorld } from "../support/test-world.ts";

// What a person sees of files that are written, and of those that are refused.

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(scene: Scene, ...argv: readonly string[]): Promise<Ran> {
  const world = testWorld({ argv, env: scene.env, home: scene.home.path });
  const code = await main(world);
  return { code, ...world.written };
}

test("an ordinary file and a config of three profiles: refresh ends with 0, and nothing is due then", async () => {
  await using scene = await openScene(THREE_ROLES);
  await scene.home.write(".aws/credentials", "[default]\nregion = us-east-1\n");
  const refreshed = await run(scene, "refresh");
  assert.equal(refreshed.code, 0, refreshed.err);
  const file = await scene.credentials();
  for (const name of ["default", "prod.admin", "billing"]) assert.equal(valuesOf(file, name)["manager"], "rolefresh");
  assert.equal(valuesOf(file, "default")["region"], "us-east-1");
  assert.equal((await run(scene, "check")).code, 1);
});

const REFUSED: Readonly<Record<string, readonly [string, RegExp]>> = {
  "a Google service account key": [
    '{\n  "type": "service_account",\n  "private_key": "-----BEGIN PRIVATE KEY-----"\n}\n',
    /credentials:1: the file has no \[section\] header and looks like a Google service account key \(JSON\)/,
  ],
  "a CSV file of keys": [
    "Access key ID,Secret access key\nAKIAX,secret\n",
    /credentials:1: .* a CSV file of access keys/,
  ],
  "a JSON array on one line": ['[{"AccessKeyId": "AKIAX"}]', /credentials:1: the file looks like JSON/],
  "keys without a header": [
    "# mine\naws_access_key_id = AKIAX\n",
    /credentials:2: the file has keys before its first \[section\] header/,
  ],
  "an identity token": ["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", /credentials:1: .* an identity token \(JWT\)/],
  prose: ["Dear diary\n", /credentials:1: .* does not look like a credentials file/],
};

for (const [what, [content, message]] of Object.entries(REFUSED)) {
  test(`${what} instead of a credentials file is refused and stays as it is`, async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.home.write(".aws/credentials", content);
    const refreshed = await run(scene, "refresh");
    assert.equal(refreshed.code, 65);
    assert.match(refreshed.err, message);
    assert.doesNotMatch(refreshed.err, /AKIA|PRIVATE|eyJ/);
    assert.equal((await run(scene, "check")).code, 255);
    assert.equal((await run(scene, "status")).code, 65);
    assert.equal(await scene.credentials(), content);
    assert.equal(scene.sandbox.calls.length, 0, "STS was not asked");
  });
}

test("a stray line in a fresh section of ours: no command says fresh, and each names the line", async () => {
  await using scene = await openScene(THREE_ROLES);
  assert.equal((await run(scene, "refresh")).code, 0);
  const good = await scene.credentials();
  for (const stray of ["wrapped/part/of/a/token", "<<<<<<< HEAD", "======="]) {
    const broken = good.replace(/(\[default\]\n(?:.*\n)*?aws_session_token = .*\n)/, `$1${stray}\n`);
    await scene.home.write(".aws/credentials", broken);
    const line = broken.split("\n").indexOf(stray) + 1;
    const named = new RegExp(`cannot write profile 'default' safely: .*/credentials:${line}: `);
    const status = await run(scene, "status", "--json");
    assert.equal(status.code, 65);
    assert.match(status.err, named);
    const { profiles } = JSON.parse(status.out) as { profiles: { profile: string; state: string }[] };
    assert.deepEqual(
      profiles.map(({ profile, state }) => [profile, state]),
      [
        ["default", "due"],
        ["prod.admin", "fresh"],
        ["billing", "fresh"],
      ],
    );
    for (const [command, code] of [
      ["check", 255],
      ["refresh", 65],
    ] as const) {
      const ran = await run(scene, command);
      assert.equal(ran.code, code);
      assert.match(ran.err, named);
    }
    assert.equal(await scene.credentials(), broken);
  }
});

import assert from "node:assert/strict";
import { access, stat, writeFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

import { BIN, runProgram } from "../support/run-bin.ts";
import {
  BILLING_ARN,
  expiringIn,
  GCP_ARN,
  ONE_ROLE,
  openScene,
  type Scene,
  THREE_ROLES,
  valuesOf,
} from "../support/scene.ts";
import { toolMissing } from "../support/tool.ts";

const MINUTE = 60_000;
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Runs it and holds the answer to the format (AWS CLI User Guide, "Sourcing credentials with an external process"). */
async function answer(scene: Scene, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await scene.run(["credential-process", ...args], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  const keys: unknown = JSON.parse(stdout);
  assert.ok(typeof keys === "object" && keys !== null);
  const { Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration, ...others } = keys as Record<
    string,
    unknown
  >;
  assert.deepEqual(others, {});
  assert.equal(Version, 1);
  assert.match(String(Expiration), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  return { AccessKeyId, SecretAccessKey, SessionToken, Expiration };
}

/** `~/.aws/config` with rolefresh as the credential_process of a profile. */
async function configure(scene: Scene, profile: string, argument: string): Promise<string> {
  const header = profile === "default" ? "[default]" : `[profile ${profile}]`;
  return scene.home.write(
    ".aws/config",
    `${header}\nregion = us-east-1\ncredential_process = "${process.execPath}" "${BIN}" credential-process ${argument}\n`,
  );
}

suite("credential-process", () => {
  test("refreshes the file when the profile is due, serves it from the file when fresh", async () => {
    await using scene = await openScene(ONE_ROLE);
    const first = await answer(scene, ["default"]);
    const file = valuesOf(await scene.credentials(), "default");
    assert.deepEqual(first, {
      AccessKeyId: file["aws_access_key_id"],
      SecretAccessKey: file["aws_secret_access_key"],
      SessionToken: file["aws_session_token"],
      Expiration: file["x_security_token_expires"],
    });
    const calls = scene.sandbox.calls.length;
    const inode = await scene.home.inode(".aws/credentials");
    assert.deepEqual(await answer(scene, ["default"]), first);
    assert.equal(scene.sandbox.calls.length, calls);
    assert.equal(await scene.home.inode(".aws/credentials"), inode);
  });

  test("a chained profile is refreshed with its source", async () => {
    await using scene = await openScene(THREE_ROLES);
    const { AccessKeyId } = await answer(scene, ["billing"]);
    assert.match(
      scene.sandbox.keyOf(String(AccessKeyId))?.principal.arn ?? "",
      /^arn:aws:sts::999999999999:assumed-role\/Billing\//,
    );
  });

  test("the ARN of a configured role is its profile", async () => {
    await using scene = await openScene(THREE_ROLES);
    const { AccessKeyId } = await answer(scene, [BILLING_ARN]);
    assert.equal(AccessKeyId, valuesOf(await scene.credentials(), "billing")["aws_access_key_id"]);
  });

  // https://github.com/doitintl/janus: `janus.py ROLE_ARN`, AWS_JANUS_ROLE, audience gcp, session PROJECT.HOSTNAME.
  test("the ARN of a role that nobody configured is served as janus does, and no file is written", async () => {
    await using scene = await openScene(undefined);
    const { AccessKeyId } = await answer(scene, [GCP_ARN]);
    assert.equal(
      scene.sandbox.keyOf(String(AccessKeyId))?.principal.arn,
      "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/demo-project.legacy-vm.c.demo-project.internal",
    );
    await assert.rejects(access(scene.home.credentials), { code: "ENOENT" });
    await answer(scene, [], { AWS_JANUS_ROLE: GCP_ARN });
    await assert.rejects(stat(`${scene.home.path}/.aws`), { code: "ENOENT" });
  });

  test("an argument goes before AWS_JANUS_ROLE, and a config that knows other roles is in nobody's way", async () => {
    await using scene = await openScene(ONE_ROLE.replace("my-gcp-role-20211031", "other"));
    const { AccessKeyId } = await answer(scene, [GCP_ARN], { AWS_JANUS_ROLE: BILLING_ARN });
    assert.match(scene.sandbox.keyOf(String(AccessKeyId))?.principal.arn ?? "", /my-gcp-role-20211031/);
  });

  test("old keys that are still valid are served, with a warning, when the refresh fails", async () => {
    await using scene = await openScene(ONE_ROLE);
    const first = await answer(scene, ["default"]);
    await writeFile(scene.home.credentials, expiringIn(await scene.credentials(), "default", 10 * MINUTE));
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
    const { code, stdout, stderr } = await scene.run(["credential-process", "default"]);
    assert.equal(code, 0);
    assert.ok(stdout.includes(String(first.AccessKeyId)));
    assert.match(stderr, /^rolefresh: warning: .*the old credentials are valid until /);
  });

  test("an on_refresh command cannot get into the answer", async () => {
    await using scene = await openScene(`${ONE_ROLE}on_refresh = echo noise\n`);
    await answer(scene, ["default"]);
  });

  test("bad input: exit status, one clear error, nothing on standard output", async () => {
    await using scene = await openScene(`${THREE_ROLES}[twin]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`);
    const cases: readonly (readonly [number, readonly string[], RegExp])[] = [
      [64, [], /error: no profile or role is named\nrolefresh: hint: .*AWS_JANUS_ROLE/],
      [64, ["biling"], /error: no profile 'biling' is configured in .*\nrolefresh: hint: did you mean 'billing'\?/],
      [64, [GCP_ARN], /error: the profiles 'default' and 'prod\.admin' both have the role /],
      [
        64,
        ["arn:aws:sts::123412341234:assumed-role/x/y"],
        /error: '.*' is not the ARN of an IAM role\nrolefresh: hint: this is the ARN of a session/,
      ],
      [64, ["a", "b"], /error: /],
      [64, ["--forse", "default"], /error: unknown option --forse\n/],
      [78, ["--config", "/nonexistent.ini", GCP_ARN], /error: the config \/nonexistent\.ini does not exist/],
      [77, ["arn:aws:iam::123412341234:role/nobody"], /error: role arn:aws:iam::123412341234:role\/nobody: /],
    ];
    for (const [status, args, voice] of cases) {
      const { code, stdout, stderr } = await scene.run(["credential-process", ...args]);
      assert.deepEqual([code, stdout], [status, ""], `${args.join(" ")}\n${stderr}`);
      assert.match(stderr, voice);
    }
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
    const { code, stdout, stderr } = await scene.run(["credential-process", "default"]);
    assert.deepEqual([code, stdout], [77, ""]);
    assert.match(stderr, /^rolefresh: error: profile 'default': /);
  });

  test("a broken config is an error for a role's ARN too", async () => {
    await using scene = await openScene("[default]\nrole = x\n");
    const { code, stdout } = await scene.run(["credential-process", GCP_ARN]);
    assert.deepEqual([code, stdout], [78, ""]);
  });
});

const WHO_AM_I_JS = `
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
console.log((await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn);`;

const WHO_AM_I_PYTHON = `
import os, botocore.session
session = botocore.session.Session()
sts = session.create_client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL_STS"])
print(sts.get_caller_identity()["Arn"])`;

suite("SDKs with rolefresh as their credential_process", () => {
  for (const [name, profile, argument, role] of [
    ["a configured profile", "app", "billing", "Billing"],
    ["a role's ARN, as janus is called", "app", GCP_ARN, "my-gcp-role-20211031"],
    ["the profile of the same name", "default", "default", "my-gcp-role-20211031"],
  ] as const) {
    test(`the JavaScript SDK: ${name}`, async () => {
      await using scene = await openScene(name.includes("janus") ? undefined : THREE_ROLES);
      await configure(scene, profile, argument);
      const args = ["--input-type=module", "-e", WHO_AM_I_JS];
      const env = { ...scene.env, AWS_PROFILE: profile, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
      const { code, stdout, stderr } = await runProgram(process.execPath, args, { env, cwd: ROOT });
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`:assumed-role/${role}/`));
    });

    test(`botocore: ${name}`, async (t) => {
      const python = pythonWithBotocore();
      if (python === undefined) return t.skip("there is no Python with botocore here (scripts/test-tools installs it)");
      await using scene = await openScene(name.includes("janus") ? undefined : THREE_ROLES);
      await configure(scene, profile, argument);
      const env = { ...scene.env, PATH: process.env["PATH"] ?? "", AWS_PROFILE: profile };
      const { code, stdout, stderr } = await runProgram(python, ["-c", WHO_AM_I_PYTHON], { env });
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`:assumed-role/${role}/`));
    });
  }
});

function pythonWithBotocore(): string | undefined {
  return ["python3", "/usr/bin/python3"].find((python) => toolMissing(python, ["-c", "import botocore"]) === undefined);
}

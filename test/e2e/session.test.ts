import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { suite, test } from "node:test";

import type { SandboxRole, SandboxUser } from "../sandbox/sandbox.ts";
import { isThere, runOverdue } from "../support/overdue.ts";
import { openScene, type Scene, valuesOf } from "../support/scene.ts";
import { SigningProbe } from "../support/signing-probe.ts";

/*
 * Long-lived keys and second factors: GetSessionToken and AssumeRole with a code, the whole way. STS takes each code once
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html).
 */

const SERIAL = "arn:aws:iam::123412341234:mfa/jane";
const ROLE = "arn:aws:iam::123412341234:role/Legacy";
const USER: SandboxUser = {
  arn: "arn:aws:iam::123412341234:user/jane",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  mfa: { serial: SERIAL, codes: ["123456", "234567"] },
};
const KEYS = `[jane-long-term]\naws_access_key_id = ${USER.accessKeyId}\naws_secret_access_key = ${USER.secretAccessKey}\n`;
const MFA = `mfa_serial = ${SERIAL}\nmfa_command = "cat $HOME/code"\n`;
const SESSION = `[jane]\nidentity = session\nsource_profile = jane-long-term\n`;
const ASSUME = `[legacy]\nrole_arn = ${ROLE}\n`;
const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };

/** Lets the user in, with a second factor alone. */
const LEGACY: SandboxRole = {
  arn: ROLE,
  maxSessionDuration: 43_200,
  trustPolicy: {
    Statement: {
      Effect: "Allow",
      Principal: { AWS: "123412341234" },
      Action: "sts:AssumeRole",
      Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
    },
  },
};

async function openJane(config: string, code = "123456", keys = KEYS): Promise<Scene> {
  const scene = await openScene(config, { users: [USER], roles: [LEGACY] });
  await scene.home.write(".aws/credentials", keys);
  await scene.home.write("code", `${code}\n`);
  return scene;
}

suite("identity = session", () => {
  test("keys of the user himself for twelve hours, without a principal, and the long-lived ones untouched", async () => {
    await using scene = await openJane(SESSION + MFA);
    assert.deepEqual(await scene.run([]), SILENT);
    const file = await scene.credentials();
    assert.ok(file.startsWith(KEYS));
    const values = valuesOf(file, "jane");
    assert.deepEqual(Object.keys(values), [
      "aws_access_key_id",
      "aws_secret_access_key",
      "aws_session_token",
      "aws_security_token",
      "x_security_token_expires",
      "manager",
    ]);
    const hours = (Date.parse(values["x_security_token_expires"] ?? "") - Date.now()) / 3_600_000;
    assert.ok(hours > 11.9 && hours <= 12, String(hours));
    assert.equal(await new SigningProbe(scene).callerArn("jane"), USER.arn);
    assert.deepEqual(await scene.run([]), SILENT, "fresh: the code would not be taken twice");
    assert.equal(scene.sandbox.callsTo("GetSessionToken").length, 1);
  });

  test("status and refresh --json say that there is no role and no principal", async () => {
    await using scene = await openJane(SESSION + MFA);
    const refresh = JSON.parse((await scene.run(["--json"])).stdout) as { profiles: Record<string, unknown>[] };
    assert.deepEqual([refresh.profiles[0]?.["role_arn"], refresh.profiles[0]?.["principal_arn"]], [null, null]);
    const status = JSON.parse((await scene.run(["status", "--json"])).stdout) as {
      profiles: Record<string, unknown>[];
    };
    assert.deepEqual(
      [status.profiles[0]?.["state"], status.profiles[0]?.["role_arn"], status.profiles[0]?.["principal_arn"]],
      ["fresh", null, null],
    );
    assert.match((await scene.run(["status"])).stdout, /^jane +- +fresh/m);
  });

  test("without a second factor, for the configured time", async () => {
    await using scene = await openJane(`${SESSION}duration_seconds = 129600\n`);
    assert.deepEqual(await scene.run([]), SILENT);
    assert.equal(scene.sandbox.callsTo("GetSessionToken")[0]?.durationSeconds, 129_600);
  });

  test("a role that asks for a second factor is assumed from it, as often as one likes and for more than an hour", async () => {
    const config = `${SESSION}${MFA}\n${ASSUME}source_profile = jane\nduration_seconds = 7200\n`;
    await using scene = await openJane(config);
    assert.deepEqual(await scene.run([]), SILENT);
    assert.deepEqual(await scene.run(["--force", "legacy"]), SILENT);
    assert.equal(scene.sandbox.callsTo("GetSessionToken").length, 1);
    assert.match(await new SigningProbe(scene).callerArn("legacy"), /assumed-role\/Legacy\//);
  });

  test("a profile that had a role before is rewritten", async () => {
    await using scene = await openJane(SESSION);
    await scene.run([]);
    const { writeFile } = await import("node:fs/promises");
    const file = await scene.credentials();
    await writeFile(
      scene.home.credentials,
      file.replace("manager =", `x_principal_arn = arn:aws:sts::123412341234:assumed-role/Old/x\nmanager =`),
    );
    assert.deepEqual(await scene.run([]), SILENT);
    assert.equal(valuesOf(await scene.credentials(), "jane")["x_principal_arn"], undefined);
  });

  /** Refused with this status and line; nothing of the keys or the code is shown, and the file stays. */
  async function fails(scene: Scene, code: number, says: RegExp): Promise<void> {
    const before = await scene.credentials();
    const result = await runOverdue(scene, ["--verbose"], isThere(`${scene.home.path}/reached`));
    assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
    assert.match(result.stderr, says);
    for (const secret of [USER.secretAccessKey, "123456", "999999", "s3cr3t"])
      assert.ok(!result.stderr.includes(secret), result.stderr);
    assert.equal(await scene.credentials(), before);
  }

  test("a wrong code is denied, and the hint speaks of codes", async () => {
    await using scene = await openJane(SESSION + MFA, "999999");
    await fails(scene, 77, /AccessDenied: MultiFactorAuthentication failed.*\n.*`mfa_serial`.*a code works once/);
  });

  test("a device of another user is denied", async () => {
    await using scene = await openJane(SESSION + MFA.replace("mfa/jane", "mfa/joe"));
    await fails(scene, 77, /unable to validate MFA code/);
  });

  test("keys of a session instead of long-lived ones are rejected before STS is called", async () => {
    await using scene = await openJane(SESSION, "123456", `${KEYS}aws_session_token = token\n`);
    await fails(scene, 66, /source_profile 'jane-long-term' holds temporary keys\n.*long-lived keys/);
    assert.equal(scene.sandbox.callsTo("GetSessionToken").length, 0);
  });

  test("unknown keys are denied", async () => {
    await using scene = await openJane(SESSION, "123456", KEYS.replace(USER.secretAccessKey, "s3cr3t".repeat(8)));
    await fails(scene, 77, /SignatureDoesNotMatch/);
  });

  const codes: readonly (readonly [string, string, number, RegExp])[] = [
    ["prints no code", "echo s3cr3t", 76, /`mfa_command` did not print a code of six digits/],
    ["prints nothing", "true", 76, /six digits/],
    ["prints two codes", "echo 123456; echo 123456", 76, /six digits/],
    ["prints without end", "yes s3cr3t", 76, /`mfa_command` printed too much/],
    ["is not there", "/nonexistent/oathtool", 69, /`mfa_command` cannot be run \(exit 127\)/],
    ["fails", "echo no seed >&2; exit 1", 75, /`mfa_command` failed with exit 1: no seed/],
    ["hangs", "touch $HOME/reached; sleep 600", 75, /`mfa_command` has not ended: timed out after/],
    ["dies of a signal", "kill -9 $$", 75, /`mfa_command` was ended by SIGKILL/],
  ];
  for (const [name, command, code, says] of codes) {
    test(`a command that ${name}: exit ${code}`, async () => {
      await using scene = await openJane(SESSION + MFA.replace(/mfa_command = .*/, () => `mfa_command = "${command}"`));
      await fails(scene, code, says);
      assert.equal(scene.sandbox.callsTo("GetSessionToken").length, 0);
    });
  }

  const invalid = [
    ["no-credentials", { kind: "no-credentials" }],
    ["an expiry in the past", { kind: "past-expiry" }],
    ["a token with a line break", { kind: "hostile-field", field: "sessionToken" }],
  ] as const;
  for (const [name, fault] of invalid) {
    test(`a response with ${name} is rejected: exit 76`, async () => {
      await using scene = await openJane(SESSION);
      scene.sandbox.misbehave("sts", fault);
      await fails(scene, 76, /STS returned an invalid response for the source profile's user/);
    });
  }
});

suite("AssumeRole with a second factor", () => {
  test("the code comes from the command, is sent once and is stored nowhere", async () => {
    await using scene = await openJane(`${ASSUME}source_profile = jane-long-term\n${MFA}`);
    const result = await scene.run(["--verbose"]);
    assert.equal(result.code, 0, result.stderr);
    assert.doesNotMatch(result.stderr, /123456/);
    const [call] = scene.sandbox.callsTo("AssumeRole");
    assert.deepEqual(
      [call?.signedBy, call?.parameters["SerialNumber"], call?.parameters["TokenCode"]],
      [USER.arn, SERIAL, "[redacted, 6 characters]"],
    );
    assert.deepEqual((await readdir(scene.home.path)).toSorted(), [".aws", "code"], "nothing was left in the home");
  });

  test("without it the role's policy keeps the user out", async () => {
    await using scene = await openJane(`${ASSUME}source_profile = jane-long-term\n`);
    const result = await scene.run([]);
    assert.deepEqual([result.code, result.stdout], [77, ""]);
    assert.match(result.stderr, /AccessDenied/);
  });
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import {
  type MachineFault,
  type MachineKeys,
  startContainerCredentials,
  startInstanceMetadata,
  startSsoPortal,
} from "../sandbox/aws-machine.ts";
import type { SandboxRole, SandboxUser } from "../sandbox/sandbox.ts";
import { isThere, runOverdue } from "../support/overdue.ts";
import { GCP_ARN, ONE_ROLE, openScene, type Scene, valuesOf } from "../support/scene.ts";
import { SigningProbe } from "../support/signing-probe.ts";

/** `identity = aws-profile`: whatever the SDK resolves for a profile of `~/.aws/config` becomes keys in a section. */

const LEGACY = "[legacy]\nidentity = aws-profile\nsource_profile = dev\n";
const ROLE = "arn:aws:iam::123412341234:role/Legacy";
const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };
const HOUR = 3_600_000;
const USER: SandboxUser = {
  arn: "arn:aws:iam::123412341234:user/jane",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const TRUSTS_ACCOUNT: SandboxRole = {
  arn: ROLE,
  trustPolicy: { Statement: { Effect: "Allow", Principal: { AWS: "123412341234" }, Action: "sts:AssumeRole" } },
};

const keys = (): MachineKeys => ({
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  secretAccessKey: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
  sessionToken: `IQoJb3JpZ2luX2Vj${"a+/".repeat(100)}==`,
  expiration: new Date(Math.ceil(Date.now() / 1000) * 1000 + HOUR),
});

async function openMachine(config: string, awsConfig: string): Promise<Scene> {
  const scene = await openScene(config, { users: [USER], roles: [TRUSTS_ACCOUNT] });
  await scene.home.write(".aws/config", awsConfig);
  return scene;
}

const SSO = `[profile dev]
sso_session = corp
sso_account_id = 123412341234
sso_role_name = Developer

[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
`;

/** What `aws sso login` leaves behind (botocore: sha1 of the session's name). */
async function logIn(scene: Scene, accessToken: string, expiresAt: Date): Promise<void> {
  const name = createHash("sha1").update("corp").digest("hex");
  const text = JSON.stringify({ accessToken, expiresAt: expiresAt.toISOString(), region: "eu-central-1" });
  await scene.home.write(`.aws/sso/cache/${name}.json`, text);
}

suite("a profile with IAM Identity Center", () => {
  test("its credentials are passed through with their expiry and without a principal, and left alone while fresh", async () => {
    await using scene = await openMachine(LEGACY, SSO);
    const given = keys();
    await using portal = await startSsoPortal(given, "sso-token");
    await logIn(scene, "sso-token", new Date(Date.now() + HOUR));
    const env = { AWS_ENDPOINT_URL_SSO: portal.url };
    assert.deepEqual(await scene.run([], { env }), SILENT);
    const values = valuesOf(await scene.credentials(), "legacy");
    assert.deepEqual(values, {
      aws_access_key_id: given.accessKeyId,
      aws_secret_access_key: given.secretAccessKey,
      aws_session_token: given.sessionToken,
      aws_security_token: given.sessionToken,
      x_security_token_expires: given.expiration.toISOString().replace(".000Z", "Z"),
      manager: "rolefresh",
    });
    assert.deepEqual(portal.requests, ["GET /federation/credentials?role_name=Developer&account_id=123412341234"]);
    assert.deepEqual(await scene.run([], { env }), SILENT);
    assert.equal(portal.requests.length, 1);
    assert.equal(scene.sandbox.calls.length, 0, "neither STS nor Google was asked");
  });

  async function fails(
    code: number,
    says: RegExp,
    options: { readonly fault?: MachineFault; readonly token?: string | undefined; readonly expiresAt?: Date } = {},
  ): Promise<void> {
    await using scene = await openMachine(LEGACY, SSO);
    await using portal = await startSsoPortal(keys(), "sso-token");
    portal.misbehave(options.fault);
    const token = "token" in options ? options.token : "sso-token";
    if (token !== undefined) await logIn(scene, token, options.expiresAt ?? new Date(Date.now() + HOUR));
    const env = { AWS_ENDPOINT_URL_SSO: portal.url };
    const result = await scene.run(["--verbose"], { env });
    assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
    assert.match(result.stderr, says);
    assert.doesNotMatch(result.stderr, /sso-token|je7MtGbClwBF|IQoJ/);
    assert.ok(!(await scene.home.awsFiles()).includes("credentials"));
  }

  const login = (cause: string) => new RegExp(`${cause}\nrolefresh: hint: aws sso login --profile dev`);
  test("no login: exit 77 and the command to run", () =>
    fails(77, login("it has no SSO login on this machine"), { token: undefined }));
  test("a login that has expired: exit 77 and the command to run", () =>
    fails(77, login("its SSO login has expired"), { expiresAt: new Date(Date.now() - HOUR) }));
  test("a login that the portal does not know: exit 77 and the command to run", () =>
    fails(77, login("IAM Identity Center rejects its SSO login"), { token: "old" }));
  test("a role that the user may not have: exit 77", () =>
    fails(77, /denies access to this account and role\n.*sso_role_name/, {
      fault: { kind: "status", status: 403, errorType: "ForbiddenException", body: '{"message":"No access"}' },
    }));
  test("a portal that fails: exit 75", () =>
    fails(75, /error: profile 'legacy'/, { fault: { kind: "status", status: 503 } }));
  test("a portal that responds with a page: exit 76", () =>
    fails(76, /error: profile 'legacy'/, { fault: { kind: "body", body: "<html>log in</html>" } }));
  test("a portal that responds without credentials: exit 76", () =>
    fails(76, /error: profile 'legacy'/, { fault: { kind: "body", body: '{"roleCredentials":{}}' } }));

  test("a portal that is not there: exit 75", async () => {
    await using scene = await openMachine(LEGACY, SSO);
    await logIn(scene, "sso-token", new Date(Date.now() + HOUR));
    const result = await scene.run([], { env: { AWS_ENDPOINT_URL_SSO: "http://127.0.0.1:1" } });
    assert.equal(result.code, 75, result.stderr);
    assert.match(result.stderr, /the network fails/);
  });

  test("a portal that does not respond: exit 75 at the deadline, and the run ends", async () => {
    await using scene = await openMachine(LEGACY, SSO);
    await using portal = await startSsoPortal(keys(), "sso-token");
    portal.misbehave({ kind: "hang" });
    await logIn(scene, "sso-token", new Date(Date.now() + HOUR));
    const env = { AWS_ENDPOINT_URL_SSO: portal.url };
    const result = await runOverdue(scene, [], () => portal.requests.length > 0, { env });
    assert.equal(result.code, 75, result.stderr);
    assert.match(result.stderr, /profile 'dev' of .*config has not been resolved: timed out after 3600 s/);
  });
});

suite("a profile with a credential_process", () => {
  const json = (change: object = {}): string => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = keys();
    return JSON.stringify({
      Version: 1,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: expiration.toISOString(),
      ...change,
    });
  };

  async function openProcess(command: string, output: string, config = LEGACY): Promise<Scene> {
    const scene = await openMachine(config, `[profile dev]\ncredential_process = ${command}\n`);
    await scene.home.write("keys.json", output);
    return scene;
  }
  const CAT = 'cat "$HOME/keys.json"';

  test("its credentials are passed through; without an Expiration they are obtained at every run", async () => {
    await using scene = await openProcess(CAT, json());
    assert.deepEqual(await scene.run([]), SILENT);
    assert.equal((await scene.run(["check"])).code, 1);
    await scene.home.write("keys.json", json({ Expiration: undefined }));
    assert.deepEqual(await scene.run(["--force"]), SILENT);
    assert.equal(valuesOf(await scene.credentials(), "legacy")["x_security_token_expires"], undefined);
    assert.equal((await scene.run(["check"])).code, 0, "due");
  });

  test("with a role_arn its keys call AssumeRole", async () => {
    const long = { AccessKeyId: USER.accessKeyId, SecretAccessKey: USER.secretAccessKey, SessionToken: undefined };
    await using scene = await openProcess(CAT, json(long), `${LEGACY}role_arn = ${ROLE}\n`);
    assert.deepEqual(await scene.run([]), SILENT);
    assert.match(await new SigningProbe(scene).callerArn("legacy"), /assumed-role\/Legacy\//);
    assert.equal(scene.sandbox.callsTo("AssumeRole")[0]?.signedBy, USER.arn);
  });

  const cases: readonly (readonly [string, string, string, number, RegExp])[] = [
    ["long-lived keys", CAT, json({ SessionToken: undefined }), 66, /provides long-lived keys.*\n.*role_arn/],
    ["expired keys", CAT, json({ Expiration: "2020-01-01T00:00:00Z" }), 77, /expired at 2020-01-01T00:00:00Z/],
    ["no JSON", CAT, "hello", 76, /printed no JSON object with Version 1/],
    ["another version", CAT, json({ Version: 2 }), 76, /printed no JSON object with Version 1/],
    ["no keys", CAT, json({ SecretAccessKey: "" }), 76, /printed no AccessKeyId and SecretAccessKey/],
    ["a token that is none", CAT, json({ SessionToken: 7 }), 76, /printed no SessionToken/],
    ["a time that is none", CAT, json({ Expiration: "soon" }), 76, /printed an invalid Expiration/],
    ["a line break in a key", CAT, json({ SecretAccessKey: "a\n[x]" }), 76, /the credentials file cannot hold/],
    ["a failure", "echo locked >&2; exit 1", "", 75, /failed with exit 1: locked/],
    ["a program that is not there", "/nonexistent/tool", "", 69, /cannot be run \(exit 127\)/],
    ["silence", "touch $HOME/reached; sleep 600", "", 75, /has not ended: timed out after 3600 s/],
  ];
  for (const [name, command, output, code, says] of cases) {
    test(`${name}: exit ${code}`, async () => {
      await using scene = await openProcess(command, output);
      const result = await runOverdue(scene, ["--verbose"], isThere(`${scene.home.path}/reached`));
      assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
      assert.match(result.stderr, says);
      assert.doesNotMatch(result.stderr, /je7MtGbClwBF|IQoJ|\[x\]/);
    });
  }
});

suite("what else the SDK resolves", () => {
  test("a role with a source profile, by the SDK's own call", async () => {
    await using scene = await openMachine(
      LEGACY,
      `[profile dev]\nrole_arn = ${ROLE}\nsource_profile = jane\nregion = eu-central-1\n`,
    );
    const own = `[jane]\naws_access_key_id = ${USER.accessKeyId}\naws_secret_access_key = ${USER.secretAccessKey}\n`;
    await scene.home.write(".aws/credentials", own);
    assert.deepEqual(await scene.run([]), SILENT);
    assert.match(await new SigningProbe(scene).callerArn("legacy"), /assumed-role\/Legacy\/aws-sdk-js-/);
    assert.ok((await scene.credentials()).startsWith(own));
  });

  test("a role by web identity: the SDK's own call with the token of a file", async () => {
    await using scene = await openScene(LEGACY);
    const token = await scene.home.write("token", await scene.sandbox.mintToken());
    await scene.home.write(".aws/config", `[profile dev]\nrole_arn = ${GCP_ARN}\nweb_identity_token_file = ${token}\n`);
    assert.deepEqual(await scene.run([]), SILENT);
    const values = valuesOf(await scene.credentials(), "legacy");
    const [call, ...more] = scene.sandbox.callsTo("AssumeRoleWithWebIdentity");
    assert.equal(call?.signed, false);
    assert.deepEqual(more, []);
    assert.match(values["aws_access_key_id"] ?? "", /^ASIA/);
    assert.ok(Date.parse(values["x_security_token_expires"] ?? "") > Date.now() + 50 * 60_000);
  });

  test("a role by credential_source = Ec2InstanceMetadata behind a hop limit of 1: exit 77 and how to raise it", async () => {
    const profile = `[profile dev]\nrole_arn = ${ROLE}\ncredential_source = Ec2InstanceMetadata\n`;
    await using scene = await openMachine(LEGACY, profile);
    await using server = await startInstanceMetadata(keys());
    server.misbehave({ kind: "hop-limit" });
    const env = { AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url };
    const { code, stderr } = await scene.run([], { env });
    assert.equal(code, 77, stderr);
    assert.match(stderr, /requires IMDSv2.*\n.*--http-put-response-hop-limit 2\n$/);
  });

  for (const machine of ["Ec2InstanceMetadata", "EcsContainer"] as const) {
    test(`a role by credential_source = ${machine}: the machine's keys sign the SDK's call`, async () => {
      await using scene = await openMachine(
        LEGACY,
        `[profile dev]\nrole_arn = ${ROLE}\ncredential_source = ${machine}\n`,
      );
      const isInstance = machine === "Ec2InstanceMetadata";
      await using server = await (isInstance
        ? startInstanceMetadata(keys())
        : startContainerCredentials(keys(), "pod"));
      const env = isInstance
        ? { AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url }
        : {
            AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/v1/credentials`,
            AWS_CONTAINER_AUTHORIZATION_TOKEN: "pod",
          };
      const result = await scene.run([], { env });
      // The loopback STS does not know the machine's keys: who signed is what counts here.
      assert.equal(result.code, 77, result.stderr);
      assert.match(result.stderr, /InvalidClientTokenId/);
      assert.doesNotMatch(result.stderr, /je7MtGbClwBF|IQoJ/);
      assert.equal(scene.sandbox.callsTo("AssumeRole")[0]?.signed, true);
    });
  }

  test("a role that STS denies: exit 77", async () => {
    const other = ROLE.replace("Legacy", "Other");
    await using scene = await openMachine(LEGACY, `[profile dev]\nrole_arn = ${other}\nsource_profile = jane\n`);
    await scene.home.write(
      ".aws/credentials",
      `[jane]\naws_access_key_id = ${USER.accessKeyId}\naws_secret_access_key = ${USER.secretAccessKey}\n`,
    );
    const result = await scene.run([]);
    assert.equal(result.code, 77, result.stderr);
    assert.match(result.stderr, /AccessDenied.*\n.*aws sts get-caller-identity --profile dev/);
  });

  test("a role that asks for an MFA code: exit 77 and the identity that can give one", async () => {
    const mfa = "mfa_serial = arn:aws:iam::123412341234:mfa/jane";
    await using scene = await openMachine(LEGACY, `[profile dev]\nrole_arn = ${ROLE}\nsource_profile = jane\n${mfa}\n`);
    await scene.home.write(
      ".aws/credentials",
      `[jane]\naws_access_key_id = ${USER.accessKeyId}\naws_secret_access_key = ${USER.secretAccessKey}\n`,
    );
    const result = await scene.run([]);
    assert.equal(result.code, 77, result.stderr);
    assert.match(result.stderr, /asks for an MFA code\n.*identity = session/);
  });

  test("an unknown profile: exit 66", async () => {
    await using scene = await openMachine(LEGACY, "[profile other]\nregion = eu-west-1\n");
    const result = await scene.run([]);
    assert.equal(result.code, 66, result.stderr);
    assert.match(result.stderr, /there is no profile 'dev' in .*\.aws\/config/);
  });

  test("a profile without credentials: exit 69", async () => {
    await using scene = await openMachine(LEGACY, "[profile dev]\nregion = eu-west-1\n");
    const result = await scene.run([]);
    assert.equal(result.code, 69, result.stderr);
    assert.match(result.stderr, /Could not resolve credentials/);
  });

  test("a profile that leads to a section of ours is rejected: it would be fed from itself", async () => {
    const loops: readonly (readonly [string, string, string, number, RegExp])[] = [
      [
        "[dev]\nidentity = aws-profile\nsource_profile = dev\n",
        SSO,
        "",
        78,
        /'dev' is a section that rolefresh writes/,
      ],
      [`${LEGACY}\n[dev]\nrole_arn = ${ROLE}\nidentity = gcp-metadata\n`, SSO, "", 78, /remove identity/],
      [
        LEGACY,
        `[profile dev]\nrole_arn = ${ROLE}\nsource_profile = legacy\n`,
        "[legacy]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\naws_session_token = t\nmanager = rolefresh\n",
        78,
        /profile 'dev' leads to \[legacy\], a section that rolefresh writes/,
      ],
    ];
    for (const [config, awsConfig, credentials, code, says] of loops) {
      await using scene = await openMachine(config, awsConfig);
      await scene.home.write(".aws/credentials", credentials);
      const result = await scene.run([]);
      assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
      assert.match(result.stderr, says);
      assert.equal(await scene.credentials(), credentials);
    }
  });
});

test("a run loads no library of a source that it does not use", async () => {
  await using scene = await openScene(ONE_ROLE);
  const directory = await mkdtemp(join(tmpdir(), "rolefresh-loaded-"));
  try {
    // Node writes there which scripts it has loaded.
    const result = await scene.run([], { env: { NODE_V8_COVERAGE: directory } });
    assert.deepEqual([result.code, result.stderr], [0, ""]);
    const reports = await Promise.all(
      (await readdir(directory)).map((name) => readFile(join(directory, name), "utf8")),
    );
    assert.match(reports.join(), /client-sts/);
    assert.doesNotMatch(
      reports.join(),
      /credential-providers|xmldom|https-proxy-agent|google-auth-library|node_modules\/jose/,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

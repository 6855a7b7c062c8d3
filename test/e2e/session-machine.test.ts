import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  type MachineFault,
  type MachineKeys,
  type MachineServer,
  startContainerCredentials,
  startInstanceMetadata,
} from "../sandbox/aws-machine.ts";
import { runOverdue } from "../support/overdue.ts";
import { openScene, valuesOf } from "../support/scene.ts";
import { SigningProbe } from "../support/signing-probe.ts";

/** `credential_source`: the keys that AWS gives a machine of its own, handed on or used for AssumeRole. */

const ROLE = "arn:aws:iam::123412341234:role/Legacy";
const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };
const keys = (): MachineKeys => ({
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  secretAccessKey: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
  sessionToken: `IQoJb3JpZ2luX2Vj${"a+/".repeat(100)}==`,
  expiration: new Date(Math.ceil(Date.now() / 1000) * 1000 + 6 * 3_600_000),
});
const SECRETS = /je7MtGbClwBF|IQoJ|pod-s3cr3t/;

interface Machine {
  readonly name: string;
  readonly config: string;
  readonly start: () => Promise<MachineServer>;
  readonly env: (url: string, tokenFile: string) => Readonly<Record<string, string>>;
}

const MACHINES: readonly Machine[] = [
  {
    name: "Ec2InstanceMetadata",
    config: "[legacy]\ncredential_source = Ec2InstanceMetadata\n",
    start: () => startInstanceMetadata(keys()),
    env: (url) => ({ AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: url }),
  },
  {
    name: "EcsContainer",
    config: "[legacy]\ncredential_source = EcsContainer\n",
    start: () => startContainerCredentials(keys(), "pod-s3cr3t"),
    env: (url, tokenFile) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    }),
  },
];

for (const { name, config, start, env } of MACHINES) {
  suite(`credential_source = ${name}`, () => {
    test("its credentials are passed through, requested directly whatever proxy is set", async () => {
      await using scene = await openScene(config);
      await using server = await start();
      const token = await scene.home.write("token", "pod-s3cr3t");
      const proxies = { HTTPS_PROXY: "http://127.0.0.1:1", HTTP_PROXY: "http://127.0.0.1:1" };
      assert.deepEqual(await scene.run([], { env: { ...env(server.url, token), ...proxies } }), SILENT);
      const values = valuesOf(await scene.credentials(), "legacy");
      assert.equal(values["aws_secret_access_key"], keys().secretAccessKey);
      assert.equal(values["x_principal_arn"], undefined);
      assert.ok(Date.parse(values["x_security_token_expires"] ?? "") > Date.now() + 5 * 3_600_000);
    });

    test("with a role_arn they call AssumeRole", async () => {
      await using scene = await openScene(`${config}role_arn = ${ROLE}\n`);
      await using server = await start();
      const token = await scene.home.write("token", "pod-s3cr3t");
      const result = await scene.run(["--verbose"], { env: env(server.url, token) });
      // The loopback STS does not know the machine's keys: who signed is what counts here.
      assert.equal(result.code, 77, result.stderr);
      assert.match(result.stderr, /AssumeRole of .*role\/Legacy .*InvalidClientTokenId/);
      assert.doesNotMatch(result.stderr, SECRETS);
      assert.equal(scene.sandbox.callsTo("AssumeRole")[0]?.signed, true);
    });

    const faults: readonly (readonly [string, MachineFault, number, RegExp])[] = [
      ["refuses", { kind: "status", status: 403 }, 77, /denies access \(status 403\)/],
      ["has no credentials", { kind: "status", status: 404 }, 69, /has no credentials \(status 404\)/],
      ["fails", { kind: "status", status: 500 }, 75, /responds with status 500/],
      [
        "responds with a page",
        { kind: "body", body: "<html>je7MtGbClwBF</html>" },
        76,
        /does not respond with credentials/,
      ],
      [
        "answers half of the keys",
        { kind: "body", body: '{"AccessKeyId":"ASIA","Token":"IQoJ"}' },
        76,
        /not respond with credentials/,
      ],
      ["does not respond", { kind: "hang" }, 75, /has not answered: timed out after 3600 s/],
    ];
    for (const [how, fault, code, says] of faults) {
      test(`one that ${how}: exit ${code}`, async () => {
        await using scene = await openScene(config);
        await using server = await start();
        server.misbehave(fault);
        const token = await scene.home.write("token", "pod-s3cr3t");
        const isReached = () => fault.kind === "hang" && server.requests.length > 0;
        const result = await runOverdue(scene, ["--verbose"], isReached, { env: env(server.url, token) });
        assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
        assert.match(result.stderr, says);
        assert.doesNotMatch(result.stderr, SECRETS);
      });
    }

    test("a missing one: exit 69", async () => {
      await using scene = await openScene(config);
      const token = await scene.home.write("token", "pod-s3cr3t");
      const result = await scene.run([], { env: env("http://127.0.0.1:1", token) });
      assert.equal(result.code, 69, result.stderr);
      assert.match(result.stderr, /is not available on this machine/);
    });
  });
}

suite("machines without", () => {
  test("the metadata service switched off: exit 69", async () => {
    await using scene = await openScene(MACHINES[0]?.config);
    const result = await scene.run([]);
    assert.equal(result.code, 69, result.stderr);
    assert.match(result.stderr, /switched off by AWS_EC2_METADATA_DISABLED=true/);
  });

  test("an instance without a role: exit 69", async () => {
    await using scene = await openScene(MACHINES[0]?.config);
    await using server = await startInstanceMetadata(keys(), null);
    const result = await scene.run([], { env: MACHINES[0]?.env(server.url, "") ?? {} });
    assert.equal(result.code, 69, result.stderr);
  });

  test("a hop limit of 1, as in a container: exit 77 and how to raise it", async () => {
    await using scene = await openScene(MACHINES[0]?.config);
    await using server = await startInstanceMetadata(keys());
    server.misbehave({ kind: "hop-limit" });
    const result = await scene.run([], { env: MACHINES[0]?.env(server.url, "") ?? {} });
    assert.equal(result.code, 77, result.stderr);
    assert.match(result.stderr, /requires IMDSv2.*\(status 401\)\n.*--http-put-response-hop-limit 2\n$/);
  });

  test("no container variables: exit 69", async () => {
    await using scene = await openScene(MACHINES[1]?.config);
    const result = await scene.run([]);
    assert.equal(result.code, 69, result.stderr);
    assert.match(result.stderr, /neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor .*FULL_URI is set/);
  });

  test("a wrong container token: exit 77", async () => {
    await using scene = await openScene(MACHINES[1]?.config);
    await using server = await startContainerCredentials(keys(), "another");
    const token = await scene.home.write("token", "pod-s3cr3t");
    const result = await scene.run([], { env: MACHINES[1]?.env(server.url, token) ?? {} });
    assert.equal(result.code, 77, result.stderr);
    assert.match(result.stderr, /denies access \(status 401\)/);
  });
});

suite("credential_source = Environment", () => {
  const user = {
    arn: "arn:aws:iam::123412341234:user/jane",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  const ENV = { AWS_ACCESS_KEY_ID: user.accessKeyId, AWS_SECRET_ACCESS_KEY: user.secretAccessKey };
  const CONFIG = "[legacy]\ncredential_source = Environment\n";
  const role = {
    arn: ROLE,
    trustPolicy: { Statement: { Effect: "Allow", Principal: { AWS: "123412341234" }, Action: "sts:AssumeRole" } },
  } as const;

  test("its keys call AssumeRole", async () => {
    await using scene = await openScene(`${CONFIG}role_arn = ${ROLE}\n`, { users: [user], roles: [role] });
    assert.deepEqual(await scene.run([], { env: ENV }), SILENT);
    assert.match(await new SigningProbe(scene).callerArn("legacy"), /assumed-role\/Legacy\//);
  });

  test("temporary ones are passed through, with their expiry", async () => {
    await using scene = await openScene(CONFIG);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = keys();
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_CREDENTIAL_EXPIRATION: expiration.toISOString(),
    };
    assert.deepEqual(await scene.run([], { env }), SILENT);
    assert.equal(valuesOf(await scene.credentials(), "legacy")["aws_session_token"], sessionToken);
  });

  test("long-lived ones are not copied: exit 66", async () => {
    await using scene = await openScene(CONFIG);
    const result = await scene.run([], { env: ENV });
    assert.equal(result.code, 66, result.stderr);
    assert.match(result.stderr, /provides long-lived keys, which are not copied/);
  });

  for (const [missing, env] of [
    ["AWS_ACCESS_KEY_ID", {}],
    ["AWS_SECRET_ACCESS_KEY", { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" }],
  ] as const) {
    test(`without ${missing}: exit 69`, async () => {
      await using scene = await openScene(CONFIG);
      const result = await scene.run([], { env });
      assert.equal(result.code, 69, result.stderr);
      assert.match(result.stderr, new RegExp(`${missing} is not set\n.*EnvironmentFile=`));
    });
  }
});

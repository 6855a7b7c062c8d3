import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { type MachineKeys, startInstanceMetadata } from "../sandbox/aws-machine.ts";
import { makeSamlResponse } from "../sandbox/saml.ts";
import type { SandboxUser } from "../sandbox/sandbox.ts";
import { diagnose } from "../support/doctor-scene.ts";
import { openScene } from "../support/scene.ts";

/** `doctor` on where keys come from when that is no identity token. */

const ROLE = "arn:aws:iam::123412341234:role/Legacy";
const USER: SandboxUser = {
  arn: "arn:aws:iam::123412341234:user/jane",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const JANE = `[jane]\naws_access_key_id = ${USER.accessKeyId}\naws_secret_access_key = ${USER.secretAccessKey}\n`;

const keys = (expiresInMs: number): MachineKeys => ({
  accessKeyId: "ASIAIOSFODNN7EXAMPLE",
  secretAccessKey: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
  sessionToken: "IQoJb3JpZ2luX2Vj",
  expiration: new Date(Date.now() + expiresInMs),
});

suite("doctor and the sources of keys", () => {
  test("identity = session: the owner of the long-lived keys; no session is created", async () => {
    await using scene = await openScene(
      "[work]\nidentity = session\nsource_profile = jane\nmfa_serial = arn:aws:iam::123412341234:mfa/jane\nmfa_command = echo 123456\n",
      { users: [USER] },
    );
    await scene.home.write(".aws/credentials", JANE);
    const { of } = await diagnose(scene);
    assert.deepEqual(of("identity"), [`ok: [work] the keys of [jane] work: ${USER.arn}`]);
    assert.deepEqual(scene.sandbox.callsTo("GetSessionToken"), []);
    await scene.home.write(".aws/credentials", JANE.replace("wJalr", "wrong"));
    assert.match((await diagnose(scene)).of("identity")[0] ?? "", /^error: \[work\] .*SignatureDoesNotMatch/);
  });

  test("identity = aws-profile: what the profile returns, and its errors", async () => {
    await using scene = await openScene("[legacy]\nidentity = aws-profile\nsource_profile = dev\n");
    const answer = (secondsLeft: number) =>
      JSON.stringify({
        Version: 1,
        AccessKeyId: "ASIAIOSFODNN7EXAMPLE",
        SecretAccessKey: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
        SessionToken: "IQoJb3JpZ2luX2Vj",
        Expiration: new Date(Date.now() + secondsLeft * 1000).toISOString(),
      });
    const process = await scene.home.write("keys.json", answer(3600));
    await scene.home.write(".aws/config", `[profile dev]\ncredential_process = /bin/cat ${process}\n`);
    assert.match(
      (await diagnose(scene)).of("identity")[0] ?? "",
      /^ok: \[legacy\] the AWS profile 'dev' returns keys, valid until 20/,
    );
    await scene.home.write("keys.json", answer(-3600));
    assert.match((await diagnose(scene)).of("identity")[0] ?? "", /^error: \[legacy\] .*expired at/);
    await scene.home.write(".aws/config", "[profile other]\nregion = eu-west-1\n");
    assert.match((await diagnose(scene)).of("identity")[0] ?? "", /^error: \[legacy\] there is no profile 'dev'/);
  });

  test("credential_source: what the machine returns, and a machine without credentials", async () => {
    await using scene = await openScene("[legacy]\ncredential_source = Ec2InstanceMetadata\n");
    await using server = await startInstanceMetadata(keys(3_600_000));
    const env = { AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url };
    assert.match(
      (await diagnose(scene, [], { env })).of("identity")[0] ?? "",
      /^ok: \[legacy\] credential_source = Ec2InstanceMetadata returns keys, valid until 20/,
    );
    server.misbehave({ kind: "status", status: 404 });
    assert.match(
      (await diagnose(scene, [], { env })).of("identity")[0] ?? "",
      /^error: \[legacy\] .*has no credentials/,
    );
  });

  test("identity = saml: whether the response in the file offers the role; a command is not run", async () => {
    const config = `[legacy]\nrole_arn = ${ROLE}\nidentity = saml\nsaml_assertion_file = response.b64\n`;
    const provider = "arn:aws:iam::123412341234:saml-provider/Corp";
    await using scene = await openScene(config);
    await scene.home.write(".aws/response.b64", makeSamlResponse({ roles: [`${ROLE},${provider}`] }));
    assert.deepEqual((await diagnose(scene)).of("identity"), [
      `ok: [legacy] the SAML response offers the role through ${provider}`,
    ]);
    await scene.home.write(".aws/response.b64", makeSamlResponse({ roles: [`${ROLE}2,${provider}`] }));
    assert.match((await diagnose(scene)).of("identity")[0] ?? "", /^error: \[legacy\] /);
    const ran = `${scene.home.path}/ran`;
    await scene.home.write(
      ".aws/rolefresh.ini",
      config.replace("saml_assertion_file = response.b64", `saml_command = "touch ${ran}"`),
    );
    assert.match(
      (await diagnose(scene)).of("identity")[0] ?? "",
      /^ok: \[legacy\] saml_command is skipped because it may prompt/,
    );
    await assert.rejects(scene.home.read("ran"), { code: "ENOENT" });
    assert.deepEqual(scene.sandbox.callsTo("AssumeRoleWithSAML"), []);
  });
});

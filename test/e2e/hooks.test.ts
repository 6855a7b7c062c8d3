import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { suite, test } from "node:test";

import {
  type MachineKeys,
  startContainerCredentials,
  startInstanceMetadata,
  startSsoPortal,
} from "../sandbox/aws-machine.ts";
import { GCP_ARN, openScene, type Scene, valuesOf } from "../support/scene.ts";

/** `on_refresh` follows the keys: it runs once per change of keys in the file, whatever the source hands on. */

const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };
const MINUTE = 60_000;
const HOOK = 'on_refresh = "echo $ROLEFRESH_PROFILE $ROLEFRESH_EXPIRES_AT. >> $HOME/hook"\n';
const LEGACY = `[legacy]\nidentity = aws-profile\nsource_profile = dev\n${HOOK}`;

const inMinutes = (count: number): Date => new Date(Math.ceil(Date.now() / 1000) * 1000 + count * MINUTE);

function keys(expiration: Date, id = "ASIAIOSFODNN7EXAMPLE"): MachineKeys {
  return {
    accessKeyId: id,
    secretAccessKey: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
    sessionToken: `IQoJb3JpZ2luX2Vj${"a+/".repeat(100)}==`,
    expiration,
  };
}

/** What a `credential_process` prints. */
function printed(id: string, expiration: Date | undefined): string {
  const { accessKeyId, secretAccessKey, sessionToken } = keys(new Date(), id);
  const names = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken };
  return JSON.stringify({ Version: 1, ...names, ...(expiration ? { Expiration: expiration.toISOString() } : {}) });
}

async function openProcess(output: string, config = LEGACY): Promise<Scene> {
  const scene = await openScene(config);
  await scene.home.write(".aws/config", '[profile dev]\ncredential_process = cat "$HOME/keys.json"\n');
  await scene.home.write("keys.json", output);
  return scene;
}

/** How often the hook has run. */
async function hooks(scene: Scene): Promise<number> {
  const text = await readFile(`${scene.home.path}/hook`, "utf8").catch(() => "");
  return text.split("\n").length - 1;
}

/** Five runs of a timer: each finds something due, asks, and says nothing; the hook runs once, the file is written once. */
async function fiveRuns(scene: Scene, env: Readonly<Record<string, string>> = {}): Promise<void> {
  assert.deepEqual(await scene.run([], { env }), SILENT);
  const { ino } = await stat(scene.home.credentials);
  for (let run = 0; run < 4; run++) {
    assert.equal((await scene.run(["check"], { env })).code, 0, "the timer's condition holds");
    assert.deepEqual(await scene.run([], { env }), SILENT);
  }
  assert.equal((await stat(scene.home.credentials)).ino, ino, "written once");
  assert.equal(await hooks(scene), 1);
  const { profiles } = JSON.parse((await scene.run(["--json"], { env })).stdout) as {
    readonly profiles: readonly { readonly outcome: string; readonly reason: string }[];
  };
  assert.deepEqual(
    profiles.map(({ outcome, reason }) => [outcome, reason]),
    [["fresh", "source-has-nothing-newer"]],
  );
}

suite("a source that hands on the same keys", () => {
  test("a credential_process that caches", async () => {
    await using scene = await openProcess(printed("ASIAONE", inMinutes(10)));
    await fiveRuns(scene);
  });

  test("a session of IAM Identity Center near its end", async () => {
    await using scene = await openScene(LEGACY);
    await scene.home.write(
      ".aws/config",
      "[profile dev]\nsso_session = corp\nsso_account_id = 123412341234\nsso_role_name = Developer\n" +
        "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-central-1\n",
    );
    const token = { accessToken: "sso-token", expiresAt: inMinutes(60).toISOString(), region: "eu-central-1" };
    const name = createHash("sha1").update("corp").digest("hex");
    await scene.home.write(`.aws/sso/cache/${name}.json`, JSON.stringify(token));
    await using portal = await startSsoPortal(keys(inMinutes(10)), "sso-token");
    await fiveRuns(scene, { AWS_ENDPOINT_URL_SSO: portal.url });
  });

  test("an `aws login` session", async () => {
    await using scene = await openScene(LEGACY);
    const session = "arn:aws:iam::123412341234:user/jane";
    await scene.home.write(".aws/config", `[profile dev]\nlogin_session = ${session}\nregion = eu-central-1\n`);
    const { expiration, ...given } = keys(inMinutes(12));
    const cached = {
      accessToken: { ...given, accountId: "123412341234", expiresAt: expiration.toISOString() },
      clientId: "arn:aws:signin:::devtools/same-device",
      refreshToken: "refresh",
      dpopKey: "not used above five minutes",
    };
    const directory = `${scene.home.path}/login`;
    await mkdir(directory);
    const name = createHash("sha256").update(session).digest("hex");
    await scene.home.write(`login/${name}.json`, JSON.stringify(cached));
    await fiveRuns(scene, { AWS_LOGIN_CACHE_DIRECTORY: directory });
  });

  test("the instance metadata service in the last minutes of its keys", async () => {
    await using scene = await openScene(`[legacy]\ncredential_source = Ec2InstanceMetadata\n${HOOK}`);
    await using server = await startInstanceMetadata(keys(inMinutes(8)));
    await fiveRuns(scene, { AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url });
  });

  test("a container's endpoint in the last minutes of its keys", async () => {
    await using scene = await openScene(`[legacy]\ncredential_source = EcsContainer\n${HOOK}`);
    await using server = await startContainerCredentials(keys(inMinutes(8)), "pod");
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: server.url, AWS_CONTAINER_AUTHORIZATION_TOKEN: "pod" };
    await fiveRuns(scene, env);
  });

  test("a role beside it has new keys each time, and its hook runs each time", async () => {
    const chained = `[app]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n${HOOK}`;
    await using scene = await openProcess(printed("ASIAONE", inMinutes(10)), LEGACY + chained);
    assert.deepEqual(await scene.run([]), SILENT);
    assert.deepEqual(await scene.run(["--force"]), SILENT);
    const ran = (await scene.home.read("hook")).split("\n").map((line) => line.split(" ")[0]);
    assert.equal(ran.filter((profile) => profile === "app").length, 2);
    assert.equal(ran.filter((profile) => profile === "legacy").length, 1);
  });
});

suite("keys without an expiry", () => {
  test("are asked for at each run, written and hooked only when they differ", async () => {
    await using scene = await openProcess(printed("ASIAONE", undefined));
    await fiveRuns(scene);
    assert.equal(await scene.home.read("hook"), "legacy .\n");
    await scene.home.write("keys.json", printed("ASIATWO", undefined));
    assert.deepEqual(await scene.run([]), SILENT);
    assert.deepEqual(await scene.run([]), SILENT);
    assert.equal(await hooks(scene), 2);
    assert.equal(valuesOf(await scene.credentials(), "legacy")["aws_access_key_id"], "ASIATWO");
  });

  test("are due, which says that the next run asks, and lack nothing", async () => {
    await using scene = await openProcess(printed("ASIAONE", undefined));
    await scene.run(["--metrics-file", "metrics"], { cwd: scene.home.path });
    assert.match(await scene.home.read("metrics"), /^rolefresh_profile_expiry_timestamp_seconds\{.*\} \+Inf$/m);
    const { code, stdout } = await scene.run(["status", "--json", "--min-ttl", "10m"]);
    assert.equal(code, 0);
    const [profile] = (JSON.parse(stdout) as { readonly profiles: readonly unknown[] }).profiles;
    assert.deepEqual(profile, {
      profile: "legacy",
      state: "due",
      role_arn: null,
      principal_arn: null,
      expires_at: null,
      remaining_seconds: null,
      refresh_at: null,
      credentials_file: scene.home.credentials,
    });
  });

  test("still serve while their source fails", async () => {
    await using scene = await openProcess(printed("ASIAONE", undefined));
    assert.deepEqual(await scene.run([]), SILENT);
    await scene.home.write("keys.json", "no JSON");
    const { code, stdout, stderr } = await scene.run(["exec", "legacy", "--", "/bin/echo", "started"]);
    assert.deepEqual([code, stdout], [0, "started\n"]);
    assert.match(stderr, /^rolefresh: warning: profile 'legacy'/);
    assert.equal((await scene.run([])).code, 76);
    assert.deepEqual((await scene.run(["--lenient", "--quiet"])).code, 0);
    assert.equal(await hooks(scene), 1);
  });
});

suite("what is no change of keys, and what is", () => {
  test("a later expiry of the same keys is written without the hook", async () => {
    await using scene = await openProcess(printed("ASIAONE", inMinutes(5)));
    assert.deepEqual(await scene.run([]), SILENT);
    const later = inMinutes(60);
    await scene.home.write("keys.json", printed("ASIAONE", later));
    assert.deepEqual(await scene.run([]), SILENT);
    const written = valuesOf(await scene.credentials(), "legacy")["x_security_token_expires"];
    assert.equal(Date.parse(written ?? ""), later.getTime());
    assert.equal((await scene.run(["check"])).code, 1);
    assert.equal(await hooks(scene), 1);
  });

  test("a token that somebody took out of the file is put back, and the tool is told", async () => {
    await using scene = await openProcess(printed("ASIAONE", inMinutes(60)));
    assert.deepEqual(await scene.run([]), SILENT);
    const whole = await scene.credentials();
    await scene.home.write(".aws/credentials", whole.replace(/aws_s\w+_token = .*\n/g, ""));
    assert.deepEqual(await scene.run([]), SILENT);
    assert.equal(
      valuesOf(await scene.credentials(), "legacy")["aws_session_token"],
      valuesOf(whole, "legacy")["aws_session_token"],
    );
    assert.equal(await hooks(scene), 2);
  });
});

suite("on_refresh among several profiles", () => {
  test("runs while another profile still waits for STS", async () => {
    const config = `${LEGACY}[app]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`;
    await using scene = await openProcess(printed("ASIAONE", inMinutes(60)), config);
    scene.sandbox.misbehave("sts", { kind: "hold" });
    // Only the hook lets STS answer: the run would end at its deadline if the hook waited for all profiles.
    const lifted = scene.sandbox.nextCall("AssumeRoleWithWebIdentity").then(async () => {
      while ((await hooks(scene)) === 0) await new Promise((resolve) => setImmediate(resolve));
      scene.sandbox.misbehave("sts", undefined);
    });
    assert.deepEqual(await scene.run([]), SILENT);
    await lifted;
  });

  test("one that hangs takes no other command's time", async () => {
    const waits = 'on_refresh = "until test -e $HOME/hook; do sleep 0.1; done"\n';
    const other = `[other]\nidentity = aws-profile\nsource_profile = dev\n${waits}`;
    await using scene = await openProcess(printed("ASIAONE", inMinutes(60)), other + LEGACY);
    assert.deepEqual(await scene.run([]), SILENT, "it ends when the other command has run");
    assert.equal(await hooks(scene), 1);
  });

  test("sees no profile's token variables", async () => {
    const secret = "NOBODY-MAY-SEE-THIS";
    const config = `[a]\nrole_arn = ${GCP_ARN}\nidentity = env\nidentity_env = A_TOKEN
[b]\nrole_arn = ${GCP_ARN}\nidentity = url\nidentity_url = http://127.0.0.1:1/\nidentity_header[] = X-Vault-Token: {env:B_TOKEN}
[legacy]\nidentity = aws-profile\nsource_profile = dev\non_refresh = "env > $HOME/hook.env"\n`;
    await using scene = await openProcess(printed("ASIAONE", inMinutes(60)), config);
    const env = { A_TOKEN: secret, B_TOKEN: secret, KEPT: "yes" };
    assert.deepEqual(await scene.run(["legacy"], { env }), SILENT);
    const seen = await scene.home.read("hook.env");
    assert.match(seen, /^KEPT=yes$/m);
    assert.ok(!seen.includes(secret), seen);
  });
});

import assert from "node:assert/strict";
import { appendFile, chmod, chown, mkdir, rename, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";

import { CHECKS } from "../../src/doctor/checks.ts";
import { startConnectProxy } from "../sandbox/connect-proxy.ts";
import { diagnose, openHealthyScene } from "../support/doctor-scene.ts";
import { expiringIn, GCP_ARN, ONE_ROLE, openScene, THREE_ROLES } from "../support/scene.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";

suite("doctor as a whole", () => {
  test("a healthy machine: no warning, exit 0, nothing changed, no role assumed", async () => {
    await using scene = await openHealthyScene();
    const before = await scene.credentials();
    const assumed = scene.sandbox.calls.filter(({ action }) => action.startsWith("AssumeRole")).length;
    const { code, wrong, findings, of } = await diagnose(scene);
    assert.deepEqual([code, wrong], [0, []]);
    const unseen = CHECKS.map(({ name }) => name).filter((name) => findings.every(({ check }) => check !== name));
    assert.deepEqual(unseen, ["profile-name", "security-token", "refresh-window"], "these speak only when they must");
    assert.match(of("keys")[2] ?? "", /^ok: \[billing\] the written keys work: arn:aws:sts::999999999999:assumed-role/);
    assert.match(of("token")[0] ?? "", /iss=https:\/\/accounts\.google\.com aud=gcp azp=1\d{20} sub=.*exp=.*email=/);
    assert.match(of("token")[0] ?? "", /accounts\.google\.com:aud=1\d{20} \(azp\) and :oaud=gcp \(aud\)$/);
    assert.equal(await scene.credentials(), before);
    assert.deepEqual(await scene.home.awsFiles(), ["credentials", "rolefresh.ini"]);
    assert.equal(scene.sandbox.calls.filter(({ action }) => action.startsWith("AssumeRole")).length, assumed);
  });

  test("the text has a line per finding and ends with a summary; --quiet prints only warnings and errors", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const env = { PATH: join(scene.home.path, "bin") };
    const well = await scene.run(["doctor"], { env });
    assert.deepEqual([well.code, well.stderr], [0, ""]);
    assert.match(well.stdout, /^(ok {7}[a-z-]+ +\S.*\n)+no errors, no warnings\n$/);
    assert.deepEqual(await scene.run(["doctor", "--quiet"], { env }), { ...well, stdout: "" });
    await chmod(scene.home.credentials, 0o644);
    const quiet = await scene.run(["doctor", "-q"], { env });
    assert.deepEqual([quiet.code, quiet.stderr], [0, ""]);
    assert.equal(
      quiet.stdout,
      `warning  permissions  ${scene.home.credentials} has mode 0644: others can read the credentials\n` +
        `         hint: chmod 600 ${scene.home.credentials}\n1 warning\n`,
    );
  });

  test("PROFILE limits it to that profile and those whose keys it calls with", async () => {
    await using scene = await openHealthyScene();
    const { of } = await diagnose(scene, ["billing"]);
    assert.deepEqual(
      of("profile").map((line) => /\[(.*)\]/.exec(line)?.[1]),
      ["default", "billing"],
    );
  });

  test("an unknown profile is a usage error that names the nearest, with nothing on stdout", async () => {
    await using scene = await openScene(THREE_ROLES);
    const { code, stdout, stderr } = await scene.run(["doctor", "biling"]);
    assert.deepEqual([code, stdout], [64, ""]);
    assert.equal(
      stderr,
      `rolefresh: error: no profile 'biling' is configured in ${scene.home.config}\nrolefresh: hint: did you mean 'billing'?\n`,
    );
    assert.equal(scene.sandbox.calls.length, 0);
  });

  test("SIGTERM ends it by the signal while STS hangs", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "hang" });
    const asked = scene.sandbox.nextCall("GetCallerIdentity");
    const { signal, stdout } = await scene.run(["doctor"], {
      env: { PATH: join(scene.home.path, "bin") },
      onSpawn: (child) => void asked.then(() => child.kill("SIGTERM")),
    });
    assert.deepEqual([signal, stdout], ["SIGTERM", ""]);
  });

  test("a hung STS and a hung metadata server are findings, well within --timeout", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "hang" });
    scene.sandbox.misbehave("metadata", { kind: "hang" });
    const { of } = await diagnose(scene, ["--timeout", "2s"]);
    assert.match(of("sts")[0] ?? "", /^error: us-east-1: no response from 127\.0\.0\.1:\d+/);
    assert.match(of("identity")[0] ?? "", /^error: \[default\] the metadata server at .* has not answered/);
    assert.equal(of("config")[0]?.startsWith("ok"), true);
  });
});

suite("doctor and the config", () => {
  test("a missing config is an error that names the places; the other checks still run", async () => {
    await using scene = await openScene(undefined);
    const { code, of } = await diagnose(scene);
    assert.equal(code, 1);
    assert.match(of("config")[0] ?? "", /^error: no config found: .*rolefresh\.ini and .* \| .+/);
    assert.match(of("sts")[0] ?? "", /^ok: us-east-1/);
    assert.deepEqual([of("node").length, of("environment").length, of("timer").length], [1, 1, 1]);
  });

  test("every mistake is a finding, and written keys are still tested", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await writeFile(scene.home.config, "[default]\nrole_arm = x\nidentity = gcp-metadate\n");
    const { of } = await diagnose(scene);
    assert.match(of("config").join("\n"), /rolefresh\.ini:2: .*unknown key 'role_arm' \| did you mean 'role_arn'\?/);
    assert.match(of("config").join("\n"), /rolefresh\.ini:3: .*gcp-metadate/);
    assert.match(
      of("profile")[0] ?? "",
      /^warning: \[default\] 59m left.*correct the config: nothing is refreshed until then/,
    );
    assert.match(of("keys")[0] ?? "", /^ok: \[default\] the written keys work/);
  });

  test("an unknown source_profile does not hide the other profiles", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await appendFile(scene.home.config, `[b]\nrole_arn = ${GCP_ARN}\nsource_profile = defualt\n`);
    const { of } = await diagnose(scene);
    assert.match(of("config").join("\n"), /^error: .*source_profile 'defualt' is neither .*did you mean 'default'/);
    assert.match(of("profile")[0] ?? "", /^ok: \[default\] fresh/);
    assert.match(of("identity")[0] ?? "", /^ok/);
  });

  test("a config that others can write is a warning, and its commands are an error", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await chmod(scene.home.config, 0o664);
    const { wrong } = await diagnose(scene);
    assert.equal(wrong.length, 1);
    assert.match(wrong[0] ?? "", /^config-permissions warning: .*others can write to.*chmod go-w/);
    await appendFile(scene.home.config, "on_refresh = true\n");
    assert.match((await diagnose(scene)).of("config")[0] ?? "", /^error: .*on_refresh/);
  });

  test("where the path of the credentials file cannot be expanded, no other file is checked instead", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await writeFile(scene.home.config, "[default]\nrole_arm = x\n");
    const { of } = await diagnose(scene, [], { env: { AWS_SHARED_CREDENTIALS_FILE: "$NOT_SET/credentials" } });
    assert.match(of("config").join("\n"), /unknown key 'role_arm'/);
    assert.match(of("environment")[0] ?? "", /^warning: AWS_SHARED_CREDENTIALS_FILE cannot be used: .*\$NOT_SET/);
    assert.deepEqual([of("credentials-file"), of("profile"), of("keys")], [[], [], []]);
    assert.match(of("sts")[0] ?? "", /^ok/);
  });

  test("the config-free form is checked too", async () => {
    await using scene = await openScene(undefined);
    const { of } = await diagnose(scene, ["--role-arn", GCP_ARN]);
    assert.deepEqual(of("config"), ["ok: the command line: 1 profile, no mistakes"]);
    assert.match(of("profile")[0] ?? "", /^error: \[default\] missing/);
  });
});

suite("doctor and the credentials file", () => {
  test("modes of file and directory that give others access", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await chmod(scene.home.credentials, 0o660);
    await chmod(join(scene.home.path, ".aws"), 0o777);
    const { of } = await diagnose(scene);
    assert.match(of("permissions")[0] ?? "", /^error: .*mode 0660: others can change the credentials \| chmod 600/);
    assert.match(of("directory")[0] ?? "", /^warning: .*mode 0777: others can replace.*chmod go-w/);
  });

  test("a file and a directory of different owners", async (t) => {
    const missing = otherUserMissing();
    if (missing !== undefined) return t.skip(missing);
    await using scene = await openHealthyScene(ONE_ROLE);
    await chown(join(scene.home.path, ".aws"), OTHER_USER, OTHER_USER);
    const { of } = await diagnose(scene);
    assert.match(
      of("permissions")[0] ?? "",
      /^error: .*credentials belongs to user 0, but its directory belongs to user 65534, who may be unable to .*chown 65534:65534 /,
    );
  });

  test("a file of another user in a read-only directory", async (t) => {
    const missing = otherUserMissing();
    if (missing !== undefined) return t.skip(missing);
    await using scene = await openHealthyScene(ONE_ROLE);
    await chmod(scene.home.path, 0o755);
    await chmod(join(scene.home.path, ".aws"), 0o755);
    await chmod(scene.home.credentials, 0o644);
    await chmod(scene.home.config, 0o644);
    const { of } = await diagnose(scene, [], { uid: OTHER_USER });
    assert.match(
      of("permissions").join("\n"),
      /error: .*belongs to user 0: user 65534 cannot replace it.*write_mode = in-place/,
    );
    assert.match(of("directory")[0] ?? "", /^error: lock and temp files cannot be created in .*permission denied/);
  });

  test("a symbolic link is printed with its target; a dangling one is an error", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const real = join(scene.home.path, "real");
    await rename(scene.home.credentials, real);
    await symlink("../real", scene.home.credentials);
    assert.deepEqual((await diagnose(scene)).of("credentials-file"), [
      `ok: ${scene.home.credentials} → ${real} is readable`,
    ]);
    await rename(real, `${real}.away`);
    assert.match((await diagnose(scene)).of("credentials-file")[0] ?? "", /^error: .*points to .*does not exist/);
  });

  test("a file that cannot be written safely is an error with its line", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await appendFile(scene.home.credentials, "\n[default]\nregion = x\n");
    const { of } = await diagnose(scene);
    assert.match(of("profile")[0] ?? "", /^error: \[default\] .*credentials:\d+: section \[default\] is defined twice/);
    assert.match(of("readers")[0] ?? "", /botocore and boto2 cannot read this file at all/);
  });

  test("a directory in its place is an error; the other checks still run", async () => {
    await using scene = await openScene(ONE_ROLE);
    await mkdir(scene.home.credentials, { recursive: true });
    const { of } = await diagnose(scene);
    assert.match(of("credentials-file")[0] ?? "", /^error: .*it is a directory/);
    assert.match(of("identity")[0] ?? "", /^ok/);
  });

  test("leftovers of killed runs are warnings; a run in progress is ok", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const lock = await mkdir(`${scene.home.credentials}.lock`, { recursive: true });
    // As its holder has just touched it, however long doctor takes to come to it.
    const soon = new Date(Date.now() + 600_000);
    await utimes(lock ?? "", soon, soon);
    assert.match(
      (await diagnose(scene)).of("leftovers")[0] ?? "",
      /^ok: a run is in progress: it holds .*credentials\.lock/,
    );
    const long = new Date(Date.now() - 3_600_000);
    await utimes(lock ?? "", long, long);
    await scene.home.write(".aws/.credentials.rolefresh-0123456789abcdef", "x");
    await scene.home.write(".aws/.credentials.rolefresh-journal", "x");
    const { of } = await diagnose(scene);
    assert.equal(of("leftovers").length, 3);
    assert.match(of("leftovers")[0] ?? "", /^warning: the lock .*credentials\.lock is 1h00m old/);
    assert.match(of("leftovers")[1] ?? "", /^warning: killed runs left 1 temp file in /);
    assert.match(of("leftovers")[2] ?? "", /^warning: an in-place write did not finish: .*rolefresh-journal/);
  });

  test("readers that cannot read the file, and names that some do not find", async () => {
    await using scene = await openHealthyScene(`${ONE_ROLE}[a b]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`);
    await appendFile(scene.home.credentials, "\n[other]\n; no equals sign here\nk: v\n[other]\n");
    const { of, code } = await diagnose(scene);
    assert.equal(code, 0, "rolefresh itself can write its part");
    assert.match(of("readers")[0] ?? "", /^warning: .*\[other\] is defined twice.*botocore and boto2 cannot read/);
    assert.match(of("readers")[1] ?? "", /^warning: .*a ';' comment has no '='.*Java v1 cannot read this file at all/);
    assert.match(
      of("profile-name")[0] ?? "",
      /^warning: \[a b\] .*C\+\+, the CRT, Java v2, JavaScript v3 and Rust do not find it/,
    );
  });
});

suite("doctor and what overrides the file", () => {
  test("profiles of the same name in the AWS config file, by the key and who follows it", async () => {
    await using scene = await openHealthyScene();
    await scene.home.write(
      ".aws/config",
      "[default]\nregion = eu-west-1\ncredential_process = /bin/x\n[profile prod.admin]\nsso_session = y\n" +
        '[profile "billing"]\nrole_arn = arn:aws:iam::1:role/r\n[profile other]\nrole_arn = z\n',
    );
    const { of } = await diagnose(scene);
    assert.equal(of("aws-config").length, 3);
    assert.match(of("aws-config")[0] ?? "", /^warning: \[default\] .*config:3: .*credential_process.*SDK for Java/);
    assert.match(of("aws-config")[1] ?? "", /^warning: \[prod\.admin\] .*config:5: .*sso_session.*boto3/);
    assert.match(of("aws-config")[2] ?? "", /^warning: \[billing\] .*config:7: .*role_arn.*the AWS CLI and the SDKs/);
  });

  test("AWS_CONFIG_FILE is checked where it is set, also for lines that botocore cannot read", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const other = await scene.home.write("elsewhere", "[default]\nweb_identity_token_file = t\n[x]\n[x]\n");
    const { of } = await diagnose(scene, [], { env: { AWS_CONFIG_FILE: other } });
    assert.match(of("aws-config")[0] ?? "", /^warning: \[default\] .*elsewhere:2: .*web_identity_token_file/);
    assert.match(of("aws-config")[1] ?? "", /^warning: .*elsewhere:4: .*twice/);
  });

  test("environment variables that override the file", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const env = {
      AWS_ACCESS_KEY_ID: "AKIASESAME",
      AWS_ROLE_ARN: "arn:x",
      AWS_WEB_IDENTITY_TOKEN_FILE: "/t",
      AWS_PROFILE: "defualt",
    };
    const { of } = await diagnose(scene, [], { env });
    assert.equal(of("environment").length, 3);
    assert.match(of("environment")[0] ?? "", /^warning: AWS_ACCESS_KEY_ID is set.*\| unset AWS_ACCESS_KEY_ID/);
    assert.doesNotMatch(of("environment").join("\n"), /SESAME/);
    assert.match(of("environment")[1] ?? "", /^warning: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set/);
    assert.match(of("environment")[2] ?? "", /^warning: AWS_PROFILE .*'defualt'.*did you mean 'default'/);
  });

  test("a file that tools do not read", async () => {
    await using scene = await openHealthyScene(`${ONE_ROLE}credentials_file = ~/elsewhere\n`);
    const plain = await diagnose(scene);
    assert.deepEqual(plain.wrong, []);
    assert.match(
      plain.of("environment")[0] ?? "",
      /^ok: tools started from this shell read .*\.aws\/credentials, but .*elsewhere/,
    );
    const env = { AWS_SHARED_CREDENTIALS_FILE: scene.home.credentials };
    assert.match(
      (await diagnose(scene, [], { env })).of("environment")[0] ?? "",
      /^warning: tools started from this shell read/,
    );
  });
});

suite("doctor and the profiles", () => {
  test("expired, long due and foreign, each with a hint", async () => {
    await using scene = await openHealthyScene();
    let file = expiringIn(await scene.credentials(), "default", -3_600_000);
    file = expiringIn(file, "prod.admin", 5 * 60_000);
    await writeFile(
      scene.home.credentials,
      file.replace(/(\[billing\][^]*?)manager = rolefresh/, "$1manager = awsume"),
    );
    const { of } = await diagnose(scene);
    assert.match(of("profile")[0] ?? "", /^error: \[default\] expired: 1h00m ago, at .* \| rolefresh refresh default$/);
    assert.match(of("profile")[1] ?? "", /^warning: \[prod\.admin\] due for 2\dm and not refreshed: [45]m left/);
    assert.match(of("profile")[2] ?? "", /^error: \[billing\] .*managed by 'awsume'/);
    assert.match(of("timer")[0] ?? "", /^warning: nothing schedules rolefresh; ignore this if/);
    assert.deepEqual(
      of("keys").map((line) => line.split(":", 2)[1]?.trim()),
      ["[prod.admin] the written keys work"],
      "expired and foreign keys are not tried",
    );
  });

  test("a profile that has just become due is ok", async () => {
    await using scene = await openHealthyScene(`${ONE_ROLE}refresh_before = 25m\n`);
    await writeFile(scene.home.credentials, expiringIn(await scene.credentials(), "default", 24 * 60_000));
    const { wrong, of } = await diagnose(scene);
    assert.deepEqual(wrong, []);
    assert.match(of("profile")[0] ?? "", /^ok: \[default\] due for \dm, the next run refreshes it: 2[34]m left/);
  });

  test("a stale aws_security_token, which botocore prefers", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const file = await scene.credentials();
    await writeFile(
      scene.home.credentials,
      file.replace(/aws_security_token = .*/, "aws_security_token = stale-token"),
    );
    const { of } = await diagnose(scene);
    assert.match(of("security-token")[0] ?? "", /^error: \[default\] aws_security_token differs.*rolefresh refresh/);
  });
});

suite("doctor, identity and STS", () => {
  test("a token for another audience: the error prints its claims", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    scene.sandbox.misbehave("metadata", { kind: "token-claims", claims: { aud: "other" } });
    const { of } = await diagnose(scene);
    assert.match(of("identity")[0] ?? "", /^error: \[default\] .*not for the audience gcp.*aud=other.* \| /);
    assert.deepEqual(of("token"), []);
  });

  test("keys that STS does not know, and keys of another session", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const file = await scene.credentials();
    await writeFile(
      scene.home.credentials,
      file.replace(/aws_access_key_id = .*/, "aws_access_key_id = ASIAUNKNOWNUNKNOWN12"),
    );
    assert.match(
      (await diagnose(scene)).of("keys")[0] ?? "",
      /^error: \[default\] the written keys do not work: .*--force default$/,
    );
    await writeFile(scene.home.credentials, file.replace(/(x_principal_arn = .*\/)[^/\n]*/, "$1somebody.else"));
    assert.match(
      (await diagnose(scene)).of("keys")[0] ?? "",
      /^error: .*belong to arn.*, not to x_principal_arn .*somebody\.else/,
    );
  });

  test("a clock ten minutes behind STS", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    scene.sandbox.advance(600_000);
    const { of } = await diagnose(scene);
    assert.match(of("clock").join("\n"), /error: this machine's clock is (9|10)m behind 127.*timedatectl/);
  });

  test("a server that is not STS", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "html" });
    const { of } = await diagnose(scene);
    assert.match(of("sts")[0] ?? "", /^error: .*the server at 127\.0\.0\.1:\d+ is not STS.*keys are not tested/);
    assert.deepEqual([of("keys"), of("clock")], [[], []]);
  });

  test("the proxy to STS is named, its password never", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await using proxy = await startConnectProxy({ targetPort: 1 });
    proxy.misbehave({ kind: "status", status: 403 });
    const env = {
      HTTPS_PROXY: proxy.url.replace("//", "//u:sesame@"),
      NO_PROXY: "x",
      AWS_CA_BUNDLE: "/nowhere/ca.pem",
    };
    const direct = await diagnose(scene, [], { env });
    assert.match(direct.of("proxy")[0] ?? "", /^ok: HTTPS_PROXY is set, but 127\.0\.0\.1:\d+ is exempt/);
    assert.match(direct.of("ca")[0] ?? "", /^error: AWS_CA_BUNDLE names \/nowhere\/ca\.pem, which cannot be read/);
    const through = await diagnose(scene, [], { env: { ...env, AWS_ENDPOINT_URL_STS: "", AWS_CA_BUNDLE: "" } });
    assert.match(through.of("sts")[0] ?? "", /^error: .*the proxy refuses with status 403/);
    assert.match(
      through.of("proxy")[0] ?? "",
      /^warning: sts\.[a-z0-9-]+\.amazonaws\.com is called through the proxy 127\.0\.0\.1:\d+/,
    );
    assert.doesNotMatch(JSON.stringify([direct.findings, through.findings]), /sesame/);
    const unused = await diagnose(scene, [], { env: { ALL_PROXY: proxy.url } });
    assert.match(unused.of("proxy")[0] ?? "", /^ok: ALL_PROXY is set but not used/);
  });

  test("an endpoint that must not be used is an error of STS alone", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const { of } = await diagnose(scene, [], { env: { AWS_ENDPOINT_URL_STS: "http://sts.example.com" } });
    assert.match(of("sts")[0] ?? "", /^error: AWS_ENDPOINT_URL_STS names sts\.example\.com with plain http/);
    assert.match(of("identity")[0] ?? "", /^ok/);
  });
});

import assert from "node:assert/strict";
import { chmod, readdir, stat, writeFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

import { SigningProbe } from "../support/signing-probe.ts";
import { BILLING_ARN, expiringIn, GCP_ARN, ONE_ROLE, openScene, THREE_ROLES, valuesOf } from "../support/scene.ts";

const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };

/** What every end leaves in ~/.aws: no temp, no lock. */
const CLEAN = ["credentials", "rolefresh.ini"];

suite("refresh", () => {
  test("a first run makes the file 0600 in a 0700 directory and says nothing on either stream", async () => {
    await using scene = await openScene(undefined);
    const config = await scene.home.write("etc/rolefresh.ini", ONE_ROLE);
    assert.deepEqual(await scene.run([], { env: { ROLEFRESH_CONFIG: config } }), SILENT);
    assert.equal((await stat(scene.home.credentials)).mode & 0o777, 0o600);
    assert.equal((await stat(`${scene.home.path}/.aws`)).mode & 0o777, 0o700);
    const values = valuesOf(await scene.credentials(), "default");
    assert.deepEqual(Object.keys(values), [
      "aws_access_key_id",
      "aws_secret_access_key",
      "aws_session_token",
      "aws_security_token",
      "x_principal_arn",
      "x_security_token_expires",
      "manager",
    ]);
    assert.match(values["aws_access_key_id"] ?? "", /^ASIA/);
    assert.equal(values["aws_session_token"], values["aws_security_token"]);
    assert.equal(
      values["x_principal_arn"],
      "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/demo-project.legacy-vm.c.demo-project.internal",
    );
    assert.match(values["x_security_token_expires"] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(values["manager"], "rolefresh");
    assert.deepEqual(await scene.home.awsFiles(), ["credentials"]);
  });

  test("several roles go in with one write, the chained one with the keys of its source; all prove themselves", async () => {
    await using scene = await openScene(THREE_ROLES);
    assert.deepEqual(await scene.run(["refresh"]), SILENT);
    const calls = scene.sandbox.calls.filter((call) => call.service === "sts");
    const chained = calls.find((call) => call.action === "AssumeRole");
    assert.deepEqual(
      calls.map((call) => `${call.action} ${call.sessionName}`).toSorted((a, b) => a.localeCompare(b)),
      [
        `AssumeRole ${chained?.sessionName}`,
        "AssumeRoleWithWebIdentity demo-project.legacy-vm.c.demo-project.internal",
        "AssumeRoleWithWebIdentity prod.admin",
      ],
    );
    assert.equal(scene.sandbox.callsTo("identity").length, 1, "one token serves all");
    assert.ok(chained?.signedBy?.endsWith("my-gcp-role-20211031/demo-project.legacy-vm.c.demo-project.internal"));
    const probe = new SigningProbe(scene);
    assert.match(await probe.callerArn("default"), /assumed-role\/my-gcp-role-20211031\//);
    assert.match(await probe.callerArn("prod.admin"), /assumed-role\/my-gcp-role-20211031\/prod\.admin$/);
    assert.match(await probe.callerArn("billing"), /^arn:aws:sts::999999999999:assumed-role\/Billing\//);
  });

  test("a second run makes no call, takes no lock and leaves the inode alone", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.run([]);
    const inode = await scene.home.inode(".aws/credentials");
    const calls = scene.sandbox.calls.length;
    await chmod(`${scene.home.path}/.aws`, 0o500);
    const before = await stat(`${scene.home.path}/.aws`, { bigint: true });
    assert.deepEqual(await scene.run([]), SILENT);
    const after = await stat(`${scene.home.path}/.aws`, { bigint: true });
    assert.equal(after.mtimeNs, before.mtimeNs, "no lock was made in the directory");
    assert.equal(scene.sandbox.calls.length, calls);
    assert.equal(await scene.home.inode(".aws/credentials"), inode);
    await chmod(`${scene.home.path}/.aws`, 0o700);
  });

  test("when the clock has moved into the window exactly the due profiles are refreshed", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.run([]);
    const first = await scene.credentials();
    await writeFile(scene.home.credentials, expiringIn(first, "prod.admin", 29 * 60_000));
    const calls = scene.sandbox.calls.filter((call) => call.service === "sts").length;
    assert.deepEqual(await scene.run([]), SILENT);
    const second = await scene.credentials();
    assert.deepEqual(
      scene.sandbox.calls
        .filter((call) => call.service === "sts")
        .slice(calls)
        .map((call) => call.sessionName),
      ["prod.admin"],
    );
    assert.deepEqual(valuesOf(second, "default"), valuesOf(first, "default"));
    assert.deepEqual(valuesOf(second, "billing"), valuesOf(first, "billing"));
    assert.notEqual(
      valuesOf(second, "prod.admin")["aws_access_key_id"],
      valuesOf(first, "prod.admin")["aws_access_key_id"],
    );
  });

  test("somebody else's sections, comments, order and line ends come out byte for byte", async () => {
    await using scene = await openScene(THREE_ROLES);
    const foreign = [
      "# ours, do not touch\r\n",
      "[theirs]\r\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\r\n  ; kept\r\naws_secret_access_key = a/b+c==\r\n\r\n",
      "[default]\r\nregion = eu-central-1\r\ns3 =\r\n  max_concurrent_requests = 20\r\n",
      "\r\n# the end\r\n",
    ];
    await scene.home.write(".aws/credentials", foreign.join(""));
    assert.deepEqual(await scene.run(["refresh", "default"]), SILENT);
    const after = await scene.credentials();
    const managed = after.split("\r\n").filter((line) => /^(aws_|x_|manager)/.test(line) && !/AKIA|a\/b/.test(line));
    assert.equal(managed.length, 7);
    assert.equal(
      after
        .split("\r\n")
        .filter((line) => !managed.includes(line))
        .join("\r\n"),
      foreign.join(""),
    );
    assert.ok(!/[^\r]\n/.test(after), "every line still ends with CRLF");
  });

  test("the SDK's own loader reads back what STS gave", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    const { credentialsFile } = await loadSharedConfigFiles({
      filepath: scene.home.credentials,
      configFilepath: "/dev/null",
      ignoreCache: true,
    });
    const key = scene.sandbox.keyOf(credentialsFile["default"]?.["aws_access_key_id"] ?? "");
    assert.ok(key);
    assert.equal(credentialsFile["default"]?.["aws_secret_access_key"], key.secretAccessKey);
    assert.equal(credentialsFile["default"]?.["aws_session_token"], key.sessionToken);
  });

  test("the config-free form serves one role", async () => {
    await using scene = await openScene(undefined);
    assert.deepEqual(
      await scene.run([
        "--role-arn",
        GCP_ARN,
        "--profile",
        "x@y/z",
        "--duration-seconds",
        "900",
        "--role-session-name",
        "nightly",
      ]),
      SILENT,
    );
    assert.match(valuesOf(await scene.credentials(), "x@y/z")["x_principal_arn"] ?? "", /\/nightly$/);
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity")[0]?.durationSeconds, 900);
  });

  test("--json prints one object with every field, null where there is nothing", async () => {
    await using scene = await openScene(THREE_ROLES);
    const first = await scene.run(["--json"]);
    assert.equal(first.stderr, "");
    const { profiles } = JSON.parse(first.stdout) as { profiles: Record<string, unknown>[] };
    assert.deepEqual(Object.keys(profiles[0] ?? {}), [
      "profile",
      "outcome",
      "reason",
      "role_arn",
      "principal_arn",
      "access_key_id",
      "expires_at",
      "remaining_seconds",
      "credentials_file",
      "error",
    ]);
    assert.deepEqual(
      profiles.map(({ profile, outcome, reason, error }) => [profile, outcome, reason, error]),
      [
        ["default", "refreshed", "missing", null],
        ["prod.admin", "refreshed", "missing", null],
        ["billing", "refreshed", "missing", null],
      ],
    );
    const again = JSON.parse((await scene.run(["--json", "refresh", "billing"])).stdout) as {
      profiles: Record<string, unknown>[];
    };
    assert.deepEqual(
      again.profiles.map(({ profile, outcome }) => [profile, outcome]),
      [["billing", "fresh"]],
    );
  });

  test("--dry-run shows what would be done and does nothing", async () => {
    await using scene = await openScene(THREE_ROLES);
    const { code, stdout, stderr } = await scene.run(["--dry-run"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^PROFILE +OUTCOME +REASON +EXPIRES +LEFT\ndefault +due +missing +- +-\n/);
    assert.deepEqual(await scene.home.awsFiles(), ["rolefresh.ini"]);
    assert.equal(scene.sandbox.calls.length, 0);
  });

  test("--force refreshes what is fresh", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    const before = valuesOf(await scene.credentials(), "default");
    assert.deepEqual(await scene.run(["--force"]), SILENT);
    assert.notEqual(valuesOf(await scene.credentials(), "default")["aws_access_key_id"], before["aws_access_key_id"]);
  });

  test("one profile's failure spares the others, and the old credentials stay", async () => {
    await using scene = await openScene(THREE_ROLES.replace(BILLING_ARN, "arn:aws:iam::999999999999:role/Nobody"));
    const { code, stdout, stderr } = await scene.run([]);
    assert.deepEqual([code, stdout], [77, ""]);
    assert.match(stderr, /^rolefresh: error: profile 'billing': .*AccessDenied.*\nrolefresh: hint: .+\n$/);
    const file = await scene.credentials();
    assert.match(valuesOf(file, "default")["aws_access_key_id"] ?? "", /^ASIA/);
    assert.match(valuesOf(file, "prod.admin")["aws_access_key_id"] ?? "", /^ASIA/);
    assert.ok(!file.includes("[billing]"));
    assert.deepEqual(await scene.home.awsFiles(), CLEAN);
  });

  test("a failed refresh says until when the old credentials are good", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    const file = expiringIn(await scene.credentials(), "default", 20 * 60_000 + 30_000);
    await writeFile(scene.home.credentials, file);
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
    const { code, stderr } = await scene.run([]);
    assert.equal(code, 77);
    assert.match(stderr, /the old credentials are valid until \d{4}-\S+Z \(20m\)/);
    assert.equal(await scene.credentials(), file);
  });

  test("overwrite = true takes a section over once: one backup, and then it is refreshed only when due", async () => {
    await using scene = await openScene(`${ONE_ROLE}overwrite = true\n`);
    const theirs =
      "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";
    await scene.home.write(".aws/credentials", theirs);
    assert.deepEqual(await scene.run([]), SILENT);
    const [backup = "", ...rest] = (await scene.home.awsFiles()).filter((name) => name.includes(".bak-"));
    assert.deepEqual(rest, []);
    assert.equal(await scene.home.read(`.aws/${backup}`), theirs);
    assert.equal((await stat(`${scene.home.path}/.aws/${backup}`)).mode & 0o777, 0o600);
    assert.match(
      await scene.credentials(),
      /^\[default\]\nrole_arn = arn:aws:iam::1:role\/x\nsource_profile = y\naws_access_key_id = ASIA/,
    );
    const calls = scene.sandbox.calls.length;
    assert.deepEqual(await scene.run([]), SILENT);
    assert.equal(scene.sandbox.calls.length, calls, "nothing is due");
    await scene.run(["--force"]);
    assert.equal((await scene.home.awsFiles()).filter((name) => name.includes(".bak-")).length, 1);
  });

  test("fifty processes started at once on expired profiles make one STS call per profile", async () => {
    await using scene = await openScene(THREE_ROLES);
    const runs = await Promise.all(Array.from({ length: 50 }, () => scene.run([])));
    for (const run of runs) assert.deepEqual(run, SILENT);
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 2);
    assert.equal(scene.sandbox.callsTo("AssumeRole").length, 1);
    assert.deepEqual((await readdir(`${scene.home.path}/.aws`)).toSorted(), CLEAN);
  });

  test("an ambient AWS_PROFILE, keys and a broken ~/.aws/config do not touch the web-identity call", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.home.write(".aws/config", "[profile nowhere\nrole_arn = broken\nregion");
    const env = {
      AWS_PROFILE: "nowhere",
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "x",
      AWS_SESSION_TOKEN: "y",
    };
    assert.deepEqual(await scene.run([], { env }), SILENT);
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity")[0]?.signed, false);
  });
});

suite("check and status", () => {
  test("check answers 0 due, 1 nothing due, 255 error, and prints nothing but errors", async () => {
    await using scene = await openScene(ONE_ROLE);
    assert.deepEqual(await scene.run(["check"]), SILENT);
    await scene.run([]);
    assert.deepEqual(await scene.run(["check"]), { ...SILENT, code: 1 });
    const calls = scene.sandbox.calls.length;
    const unknown = await scene.run(["check", "defalt"]);
    assert.deepEqual([unknown.code, unknown.stdout], [255, ""]);
    assert.match(
      unknown.stderr,
      /^rolefresh: error: no profile 'defalt' is configured in .*\nrolefresh: hint: did you mean 'default'\?\n$/,
    );
    await writeFile(
      scene.home.credentials,
      "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n",
    );
    const foreign = await scene.run(["check"]);
    assert.deepEqual([foreign.code, foreign.stdout], [255, ""]);
    assert.match(foreign.stderr, /long-lived access key/);
    assert.equal(scene.sandbox.calls.length, calls, "no network");
  });

  test("status shows a table, and the JSON of the design", async () => {
    await using scene = await openScene(
      `${ONE_ROLE}\n[theirs]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n[none]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`,
    );
    await scene.run(["refresh", "default"]);
    await writeFile(
      scene.home.credentials,
      `${await scene.credentials()}\n[theirs]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n`,
    );
    const text = await scene.run(["status"]);
    assert.deepEqual([text.code, text.stderr], [0, ""]);
    assert.match(
      text.stdout,
      /^PROFILE +ROLE +STATE +EXPIRES +LEFT\ndefault +\S+ +fresh +\S+Z +59m\ntheirs +\S+ +foreign .*\nnone +\S+ +missing +- +-\n$/,
    );
    const { profiles } = JSON.parse((await scene.run(["status", "--json"])).stdout) as {
      profiles: Record<string, unknown>[];
    };
    assert.deepEqual(Object.keys(profiles[0] ?? {}), [
      "profile",
      "state",
      "role_arn",
      "principal_arn",
      "expires_at",
      "remaining_seconds",
      "refresh_at",
      "credentials_file",
    ]);
    assert.deepEqual(profiles[2], {
      profile: "none",
      state: "missing",
      role_arn: GCP_ARN,
      principal_arn: null,
      expires_at: null,
      remaining_seconds: null,
      refresh_at: null,
      credentials_file: scene.home.credentials,
    });
  });

  test("status --min-ttl makes the exit status 1 when a profile has less", async () => {
    await using scene = await openScene(ONE_ROLE);
    assert.equal((await scene.run(["status", "--min-ttl", "10m"])).code, 1);
    await scene.run([]);
    assert.equal((await scene.run(["status", "--min-ttl", "10m"])).code, 0);
    assert.equal((await scene.run(["status", "--min-ttl", "2h"])).code, 1);
  });
});

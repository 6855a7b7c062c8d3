import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { DEFAULT_SERVICE_ACCOUNT, type SandboxRole, type TrustPolicy } from "../sandbox/sandbox.ts";
import { BIN, runBin, runProgram } from "../support/run-bin.ts";
import { BILLING_ARN, GCP_ARN, ONE_ROLE, openScene, type Scene } from "../support/scene.ts";

const ID = DEFAULT_SERVICE_ACCOUNT.uniqueId;
const STRANGER = { email: "stranger@demo-project.iam.gserviceaccount.com", uniqueId: "998877665544332211009" };

/** The role with the policy that the program prints for a profile. */
async function roleFromOutput(scene: Scene, arn: string, profile: string): Promise<SandboxRole> {
  const { code, stdout, stderr } = await scene.run(["trust-policy", profile]);
  assert.equal(code, 0, stderr);
  return { arn, trustPolicy: JSON.parse(stdout) as TrustPolicy };
}

suite("trust-policy", () => {
  test("prints a document on standard output and what to know about it on standard error", async () => {
    await using scene = await openScene(ONE_ROLE);
    const { code, stdout, stderr } = await scene.run(["trust-policy", "default"]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: "accounts.google.com" },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              "accounts.google.com:aud": ID,
              "accounts.google.com:oaud": "gcp",
              "accounts.google.com:sub": ID,
            },
          },
        },
      ],
    });
    assert.match(stderr, /azp '112233445566778899001'/);
    assert.match(stderr, /is built into IAM: create no OIDC provider for it\n$/);
    for (const line of stderr.trimEnd().split("\n")) assert.match(line, /^rolefresh: info: /);
    assert.equal((await scene.run(["trust-policy", "default", "--quiet"])).stderr, "");
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0);
  });

  test("the policy put on the role lets the token in, and a token of another service account not", async () => {
    const config = `${ONE_ROLE}\n[other]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\nservice_account = ${STRANGER.email}\n`;
    await using scene = await openScene(config, { roles: [], serviceAccounts: [DEFAULT_SERVICE_ACCOUNT, STRANGER] });
    scene.sandbox.addRole(await roleFromOutput(scene, GCP_ARN, "default"));
    assert.deepEqual(await scene.run(["refresh", "default"]), { code: 0, signal: null, stdout: "", stderr: "" });
    const refused = await scene.run(["refresh", "other"]);
    assert.equal(refused.code, 77);
    assert.match(refused.stderr, /hint: compare the role's trust policy with 'rolefresh trust-policy other': /);
  });

  test("offline claims give the same policy, without a question to anybody", async () => {
    await using scene = await openScene(ONE_ROLE);
    const live = await scene.run(["trust-policy"]);
    const before = scene.sandbox.calls.length;
    const offline = await scene.run(["trust-policy", "--sub", ID]);
    assert.equal(offline.stdout, live.stdout);
    assert.match(offline.stderr, /azp is assumed to be the subject/);
    const github = await scene.run([
      "trust-policy",
      "--iss",
      "https://token.actions.githubusercontent.com",
      "--sub",
      "repo:o/r:ref:refs/heads/main",
      "--aud",
      "sts.amazonaws.com",
    ]);
    assert.match(github.stdout, /"arn:aws:iam::123412341234:oidc-provider\/token\.actions\.githubusercontent\.com"/);
    assert.match(github.stdout, /"token\.actions\.githubusercontent\.com:sub": "repo:o\/r:ref:refs\/heads\/main"/);
    assert.match(
      github.stderr,
      /create-open-id-connect-provider --url https:\/\/token\.actions\.githubusercontent\.com --client-id-list sts\.amazonaws\.com/,
    );
    assert.equal(scene.sandbox.calls.length, before);
  });

  test("a role without a config file has its policy too, in each format", async () => {
    await using scene = await openScene(undefined);
    const terraform = await scene.run(["trust-policy", "--role-arn", GCP_ARN, "--format", "terraform"]);
    assert.equal(terraform.code, 0, terraform.stderr);
    assert.match(terraform.stdout, /^data "aws_iam_policy_document" "my-gcp-role-20211031_trust" \{\n/);
    const cloudformation = await scene.run(["trust-policy", "--role-arn", GCP_ARN, "--format", "cloudformation"]);
    assert.equal(JSON.parse(cloudformation.stdout).Resources.MyGcpRole20211031.Type, "AWS::IAM::Role");
  });

  test("a chain of roles works by the printed policies, with external ID, tags and a source identity handed on", async () => {
    const audit = "arn:aws:iam::999999999999:role/vendor/Audit";
    const config = `${ONE_ROLE}
[billing]
role_arn = ${BILLING_ARN}
source_profile = default
external_id = ticket-42
tags = team=data, env=prod
transitive_tag_keys = team
source_identity = legacy-tool

[audit]
role_arn = ${audit}
source_profile = billing
`;
    await using scene = await openScene(config, { roles: [] });
    for (const [arn, profile] of [
      [GCP_ARN, "default"],
      [BILLING_ARN, "billing"],
      [audit, "audit"],
    ] as const) {
      scene.sandbox.addRole(await roleFromOutput(scene, arn, profile));
    }
    const { stdout } = await scene.run(["trust-policy", "audit"]);
    assert.deepEqual(JSON.parse(stdout).Statement[0], {
      Effect: "Allow",
      Principal: { AWS: BILLING_ARN },
      Action: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
    });
    const refreshed = await scene.run(["refresh"]);
    assert.equal(refreshed.code, 0, refreshed.stderr);
    scene.sandbox.addRole({
      arn: audit,
      trustPolicy: { Statement: { Effect: "Allow", Principal: { AWS: BILLING_ARN }, Action: "sts:AssumeRole" } },
    });
    assert.equal((await scene.run(["refresh", "--force", "audit"])).code, 77);
  });

  test("a source that is a section of the file is named by what STS says of its keys", async () => {
    const user = {
      arn: "arn:aws:iam::123412341234:user/robot",
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    };
    await using scene = await openScene(`[billing]\nrole_arn = ${BILLING_ARN}\nsource_profile = robot\n`, {
      users: [user],
    });
    const section = `[robot]\naws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\n`;
    await scene.home.write(".aws/credentials", section);
    const { code, stdout, stderr } = await scene.run(["trust-policy"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).Statement[0].Principal, { AWS: user.arn });
    assert.doesNotMatch(stdout + stderr, /wJalr/);
    assert.equal(await scene.credentials(), section);
  });
});

suite("trust-policy --check", () => {
  const policy = (condition: object): string =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Sid: "Google",
        Effect: "Allow",
        Principal: { Federated: "accounts.google.com" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: condition,
      },
    });

  test("says that a good policy is accepted, with exit 0 and nothing on standard error", async () => {
    await using scene = await openScene(ONE_ROLE);
    const file = await scene.home.write("trust.json", policy({ StringEquals: { "accounts.google.com:aud": ID } }));
    assert.deepEqual(await scene.run(["trust-policy", "--check", file, "default"]), {
      code: 0,
      signal: null,
      stdout: `accepted: the policy lets this machine's token assume ${GCP_ARN}\n`,
      stderr: "",
    });
  });

  test("names the condition that the token does not meet, with exit 77 and what to type", async () => {
    await using scene = await openScene(ONE_ROLE);
    const file = await scene.home.write("trust.json", policy({ StringEquals: { "accounts.google.com:aud": "gcp" } }));
    const { code, stdout, stderr } = await scene.run(["trust-policy", "--check", file, "default"]);
    assert.equal(code, 77);
    assert.equal(
      stdout,
      `not accepted
statement 1 'Google' (Allow):
  Condition StringEquals accounts.google.com:aud: the policy requires 'gcp', the token has '${ID}'; AWS compares accounts.google.com:aud with the token's azp: the audience belongs under accounts.google.com:oaud
`,
    );
    assert.equal(
      stderr,
      `rolefresh: error: profile 'default': the trust policy in ${file} does not let this machine's token assume ${GCP_ARN}
rolefresh: hint: print one that does with 'rolefresh trust-policy default', put it on the role with 'aws iam update-assume-role-policy --role-name my-gcp-role-20211031 --policy-document file://POLICY'
`,
    );
  });

  test("--json gives every finding with its place", async () => {
    await using scene = await openScene(ONE_ROLE);
    const file = await scene.home.write("trust.json", policy({ StringLike: { "accounts.google.com:sub": ["9*"] } }));
    const { code, stdout } = await scene.run(["trust-policy", "--json", "--check", file]);
    assert.equal(code, 77);
    const { findings, ...rest } = JSON.parse(stdout);
    assert.deepEqual(rest, { profile: "default", role_arn: GCP_ARN, accepted: false });
    const [{ message, ...finding }] = findings;
    assert.equal(typeof message, "string");
    assert.deepEqual(finding, {
      statement: 1,
      sid: "Google",
      effect: "Allow",
      element: "Condition",
      operator: "StringLike",
      key: "accounts.google.com:sub",
      expected: ["9*"],
      actual: [ID],
    });
  });

  test("knows the session's name when a policy asks for it, and reads standard input", async () => {
    await using scene = await openScene(ONE_ROLE);
    const text = policy({ StringLike: { "sts:RoleSessionName": "demo-project.legacy-vm*" } });
    const file = await scene.home.write("trust.json", text);
    assert.equal((await scene.run(["trust-policy", "--check", file])).code, 0);
    const piped = `"${process.execPath}" "${BIN}" trust-policy --check - < "${file}"`;
    const read = await runProgram("/bin/sh", ["-c", piped], { env: scene.env });
    assert.equal(read.code, 0, read.stderr);
  });

  test("control characters of a policy do not reach the terminal", async () => {
    await using scene = await openScene(ONE_ROLE);
    const file = await scene.home.write(
      "t.json",
      policy({ StringEquals: { "accounts.google.com:sub": "\u001b[31m\nx" } }),
    );
    const { stdout } = await scene.run(["trust-policy", "--check", file]);
    // oxlint-disable-next-line no-control-regex -- it is what is looked for
    assert.doesNotMatch(stdout, /\u001b/);
    assert.equal(stdout.trimEnd().split("\n").length, 3);
  });
});

suite("bad input to trust-policy", () => {
  const two = `${ONE_ROLE}\n[billing]\nrole_arn = ${BILLING_ARN}\nsource_profile = default\n`;
  const cases: readonly (readonly [string, string | undefined, readonly string[], number, string])[] = [
    [
      "an unknown profile",
      two,
      ["defalt"],
      64,
      "error: no profile 'defalt' is configured in HOME/.aws/rolefresh.ini\nhint: did you mean 'default'?",
    ],
    [
      "no profile where there are several",
      two,
      [],
      64,
      "error: trust-policy needs the name of a profile\nhint: choose one of: default, billing",
    ],
    [
      "two profiles",
      two,
      ["default", "billing"],
      64,
      "error: trust-policy takes one profile, not 2\nhint: see rolefresh --help",
    ],
    [
      "an unknown format",
      two,
      ["default", "--format", "yaml"],
      64,
      "error: unknown format 'yaml'\nhint: choose one of json, terraform, cloudformation",
    ],
    [
      "--aud without --sub",
      two,
      ["default", "--aud", "x"],
      64,
      "error: --aud requires --sub\nhint: add the token's subject: --sub SUBJECT",
    ],
    [
      "--check with --format",
      two,
      ["default", "--check", "x", "--format", "json"],
      64,
      "error: --check and --format cannot be used together\nhint: see rolefresh --help",
    ],
    [
      "--sub for keys of a source profile",
      two,
      ["billing", "--sub", "1"],
      64,
      "error: profile 'billing': --sub describes a token, but 'billing' uses the credentials of a source_profile\nhint: remove --sub: rolefresh trust-policy billing",
    ],
    [
      "a policy that is not there",
      two,
      ["default", "--check", "/nowhere.json"],
      66,
      "error: the trust policy /nowhere.json does not exist\nhint: save one with 'aws iam get-role --role-name NAME' and pass that file",
    ],
    [
      "a directory for a policy",
      two,
      ["default", "--check", "/"],
      77,
      "error: the trust policy in / cannot be read (EISDIR)",
    ],
    [
      "an empty standard input",
      two,
      ["default", "--check", "-"],
      65,
      "error: the trust policy on standard input is empty\nhint: pass the policy's JSON, or the output of 'aws iam get-role --role-name NAME'",
    ],
  ];
  for (const [name, config, args, expected, lines] of cases) {
    test(name, async () => {
      await using scene = await openScene(config);
      const { code, stdout, stderr } = await scene.run(["trust-policy", ...args]);
      const said = lines
        .replaceAll("HOME", scene.home.path)
        .split("\n")
        .map((line) => `rolefresh: ${line}\n`);
      assert.deepEqual({ code, stdout, stderr }, { code: expected, stdout: "", stderr: said.join("") });
      assert.deepEqual(await scene.home.awsFiles(), ["rolefresh.ini"]);
    });
  }

  test("nothing configured", async () => {
    await using scene = await openScene(undefined);
    const { code, stdout, stderr } = await runBin(["trust-policy", "default"], { env: scene.env });
    assert.deepEqual([code, stdout], [78, ""]);
    assert.match(stderr, /^rolefresh: error: no config found: .*\nrolefresh: hint: .*\n$/);
  });

  test("no metadata server", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.sandbox.stop();
    const { code, stdout, stderr } = await scene.run(["trust-policy", "--timeout", "10s"]);
    assert.ok(code === 69 || code === 75, String(code));
    assert.equal(stdout, "");
    assert.match(stderr, /^rolefresh: error: profile 'default': .*metadata server/);
  });
});

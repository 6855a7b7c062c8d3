import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AssumeRoleCommand, type AssumeRoleWithWebIdentityCommandInput } from "@aws-sdk/client-sts";
import { assumeByToken, clientOf, refusalOf, whoAmI } from "../sandbox/sdk-caller.ts";
import { BILLING_ROLE, GCP_ROLE, startSandbox } from "../sandbox/sandbox.ts";

test("keys from a Google token prove themselves, and may assume a role that trusts theirs", async () => {
  await using sandbox = await startSandbox();
  const keys = await assumeByToken(sandbox);
  assert.match(keys.AccessKeyId ?? "", /^ASIA[A-Z2-7]{16}$/);
  assert.equal(keys.SecretAccessKey?.length, 40);
  assert.match(keys.SessionToken ?? "", /^IQoJb3JpZ2luX2Vj[A-Za-z0-9+/]{400,}={1,2}$/);

  const caller = await whoAmI(sandbox, keys);
  assert.equal(caller.Arn, "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/demo-project.legacy-vm");
  assert.equal(caller.Account, "123412341234");

  const chained = await clientOf(sandbox, keys).send(
    new AssumeRoleCommand({ RoleArn: BILLING_ROLE.arn, RoleSessionName: "export", SourceIdentity: "legacy" }),
  );
  assert.equal(chained.SourceIdentity, "legacy");
  const second = await whoAmI(sandbox, chained.Credentials);
  assert.equal(second.Arn, "arn:aws:sts::999999999999:assumed-role/Billing/export");

  const [web] = sandbox.callsTo("AssumeRoleWithWebIdentity");
  assert.equal(web?.signed, false);
  assert.match(web?.parameters["WebIdentityToken"] ?? "", /^\[redacted, \d+ characters\]$/);
  assert.equal(sandbox.callsTo("AssumeRole")[0]?.signedBy, caller.Arn);
});

describe("a parameter out of bounds", () => {
  const cases: readonly (readonly [string, Partial<AssumeRoleWithWebIdentityCommandInput>, string, RegExp])[] = [
    [
      "a session name with a space",
      { RoleSessionName: "a b" },
      "ValidationError",
      /^1 validation error detected: Value 'a b' at 'roleSessionName' .* pattern: \[\\w\+=,\.@-\]\*$/,
    ],
    ["a session name of 65", { RoleSessionName: "a".repeat(65) }, "ValidationError", /less than or equal to 64$/],
    ["899 seconds", { DurationSeconds: 899 }, "ValidationError", /greater than or equal to 900$/],
    ["13 hours", { DurationSeconds: 46_800 }, "ValidationError", /less than or equal to 43200$/],
    ["what is no ARN", { RoleArn: "my-gcp-role-20211031" }, "ValidationError", /^my-gcp-role-20211031 is invalid$/],
    [
      "the ARN of something else",
      { RoleArn: "arn:aws:iam::123412341234:user/me" },
      "ValidationError",
      /^Request ARN is invalid$/,
    ],
    ["a role that is not there", { RoleArn: "arn:aws:iam::123412341234:role/none" }, "AccessDenied", /^Not authorized/],
    ["a policy that is no JSON", { Policy: "{" }, "MalformedPolicyDocument", /invalid Json/],
    [
      "too much policy",
      { Policy: JSON.stringify({ Statement: "x".repeat(2100) }) },
      "PackedPolicyTooLarge",
      /^Packed policy consumes 10\d% of allotted space/,
    ],
  ];
  for (const [name, input, code, message] of cases) {
    test(`${name} is refused with ${code}`, async () => {
      await using sandbox = await startSandbox();
      const refused = await refusalOf(assumeByToken(sandbox, input));
      assert.equal(refused.code, code);
      assert.match(refused.message, message);
    });
  }

  test("the role's own maximum holds, and one hour for a chained role", async () => {
    const long = { ...BILLING_ROLE, maxSessionDuration: 43_200 };
    await using sandbox = await startSandbox({ roles: [{ ...GCP_ROLE, maxSessionDuration: 7200 }, long] });
    const keys = await assumeByToken(sandbox, { DurationSeconds: 7200 });
    const over = await refusalOf(assumeByToken(sandbox, { DurationSeconds: 7201 }));
    assert.equal(over.message, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    const command = new AssumeRoleCommand({ RoleArn: long.arn, RoleSessionName: "chained", DurationSeconds: 3601 });
    const chained = await refusalOf(clientOf(sandbox, keys).send(command));
    assert.equal(
      chained.message,
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  });
});

test("the protocol works as a GET query, and says what is missing or unknown", async () => {
  await using sandbox = await startSandbox();
  const query = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: GCP_ROLE.arn,
    RoleSessionName: "by-get",
    WebIdentityToken: await sandbox.mintToken(),
  });
  const good = await fetch(`${sandbox.stsUrl}/?${query.toString()}`);
  assert.equal(good.status, 200);
  assert.match(good.headers.get("x-amzn-requestid") ?? "", /^[0-9a-f-]{36}$/);
  assert.match(
    await good.text(),
    /^<AssumeRoleWithWebIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">/,
  );
  const codeOf = async (text: string) =>
    /<Code>(.*)<\/Code>/.exec(await (await fetch(`${sandbox.stsUrl}/?${text}`)).text())?.[1];
  assert.equal(await codeOf(""), "MissingAction");
  assert.equal(await codeOf("Action=GetFederationToken&Version=2011-06-15"), "InvalidAction");
  assert.equal(await codeOf("Action=GetCallerIdentity&Version=2011-06-15"), "MissingAuthenticationToken");
});

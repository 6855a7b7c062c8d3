import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AssumeRoleCommand, type Credentials } from "@aws-sdk/client-sts";
import { assert as assertProperty, asyncProperty, string } from "fast-check";
import { assumeByToken, clientOf, refusalOf, whoAmI } from "../sandbox/sdk-caller.ts";
import { BILLING_ROLE, startSandbox } from "../sandbox/sandbox.ts";
import { isSignedWith, parseAuthorization } from "../sandbox/sigv4.ts";

/** The cases `get-vanilla`, `get-vanilla-query-order-key-case` and `post-x-www-form-urlencoded` of AWS's own suite. */
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const DATE = "20150830T123600Z";

interface Vector {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
}

const VECTORS: readonly Vector[] = [
  {
    name: "get-vanilla",
    method: "GET",
    target: "/",
    body: "",
    headers: {},
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  {
    name: "get-vanilla-query-order-key-case",
    method: "GET",
    target: "/?Param2=value2&Param1=value1",
    body: "",
    headers: {},
    signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  {
    name: "post-x-www-form-urlencoded",
    method: "POST",
    target: "/",
    body: "Param1=value1",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  },
];

for (const { name, method, target, body, headers, signature } of VECTORS) {
  test(`the signature check agrees with AWS's vector ${name}`, () => {
    const all = { ...headers, host: "example.amazonaws.com", "x-amz-date": DATE };
    const names = Object.keys(all).toSorted().join(";");
    const authorization = parseAuthorization(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
    );
    assert.ok(authorization !== undefined);
    const request = { method, target, headers: all, body: Buffer.from(body) };
    assert.equal(isSignedWith(SECRET, request, authorization, DATE), true);
    assert.equal(isSignedWith(`${SECRET}x`, request, authorization, DATE), false);
    assert.equal(isSignedWith(SECRET, { ...request, body: Buffer.from(`${body}x`) }, authorization, DATE), false);
  });
}

describe("a signature", () => {
  test("holds for whatever the SDK puts into a request", async () => {
    await using sandbox = await startSandbox();
    const keys = await assumeByToken(sandbox);
    const value = string({ unit: "binary", maxLength: 60 });
    await assertProperty(
      asyncProperty(value, async (Value) => {
        const command = new AssumeRoleCommand({
          RoleArn: BILLING_ROLE.arn,
          RoleSessionName: "tagged",
          Tags: [{ Key: "note", Value }],
        });
        const answer = await clientOf(sandbox, keys).send(command);
        assert.equal(answer.AssumedRoleUser?.Arn, "arn:aws:sts::999999999999:assumed-role/Billing/tagged");
      }),
      { numRuns: 60 },
    );
  });

  test("of a long-lived user is accepted", async () => {
    const user = {
      arn: "arn:aws:iam::123412341234:user/ops",
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "s3cret",
    };
    await using sandbox = await startSandbox({ users: [user] });
    const keys = { AccessKeyId: user.accessKeyId, SecretAccessKey: user.secretAccessKey } as Credentials;
    assert.equal((await whoAmI(sandbox, keys)).Arn, user.arn);
  });

  test("with another secret, another token or unknown keys is refused", async () => {
    await using sandbox = await startSandbox();
    const [keys, other] = [await assumeByToken(sandbox), await assumeByToken(sandbox)];
    const code = async (change: Partial<Credentials>) =>
      (await refusalOf(whoAmI(sandbox, { ...keys, ...change }))).code;
    assert.equal(await code({ SecretAccessKey: other.SecretAccessKey }), "SignatureDoesNotMatch");
    assert.equal(await code({ SessionToken: other.SessionToken }), "InvalidClientTokenId");
    assert.equal(await code({ SessionToken: undefined }), "InvalidClientTokenId");
    assert.equal(await code({ AccessKeyId: "ASIAUNKNOWNUNKNOWN22" }), "InvalidClientTokenId");
  });

  test("is refused when the keys have expired", async () => {
    let now = new Date();
    await using sandbox = await startSandbox({ now: () => now });
    const keys = await assumeByToken(sandbox, { DurationSeconds: 900 });
    now = new Date(now.getTime() + 901_000);
    const refused = await refusalOf(whoAmI(sandbox, keys));
    assert.deepEqual([refused.code, refused.status], ["ExpiredToken", 403]);
  });

  test("is refused when the clocks differ by more than a quarter of an hour", async () => {
    await using sandbox = await startSandbox();
    const keys = await assumeByToken(sandbox);
    sandbox.advance(20 * 60_000);
    const late = await refusalOf(whoAmI(sandbox, keys));
    assert.equal(late.code, "SignatureDoesNotMatch");
    assert.match(
      late.message,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/,
    );
    sandbox.advance(-40 * 60_000);
    assert.match((await refusalOf(whoAmI(sandbox, keys))).message, /^Signature not yet current: /);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { assumeByToken, clientOf, refusalOf } from "../sandbox/sdk-caller.ts";
import { DEFAULT_SERVICE_ACCOUNT, GCP_ROLE, startSandbox, type TrustStatement } from "../sandbox/sandbox.ts";

const allow = (Condition: NonNullable<TrustStatement["Condition"]>): TrustStatement => ({
  Effect: "Allow",
  Principal: { Federated: "accounts.google.com" },
  Action: "sts:AssumeRoleWithWebIdentity",
  Condition,
});

describe("a trust policy", () => {
  const { uniqueId } = DEFAULT_SERVICE_ACCOUNT;
  const cases: readonly (readonly [string, boolean, readonly TrustStatement[]])[] = [
    ["that wants the audience under :oaud", true, [allow({ StringEquals: { "accounts.google.com:oaud": "gcp" } })]],
    ["that wants the audience under :aud", false, [allow({ StringEquals: { "accounts.google.com:aud": "gcp" } })]],
    ["that wants the subject", true, [allow({ StringEquals: { "accounts.google.com:sub": ["1", uniqueId] } })]],
    ["with a pattern", true, [allow({ StringLike: { "accounts.google.com:sub": "1122*" } })]],
    [
      "with a pattern where equality is meant",
      false,
      [allow({ StringEquals: { "accounts.google.com:sub": "1122*" } })],
    ],
    [
      "that asks for a key which Google's tokens lack",
      false,
      [allow({ StringEquals: { "accounts.google.com:hd": "x" } })],
    ],
    [
      "that asks for it only if it is there",
      true,
      [allow({ StringEqualsIfExists: { "accounts.google.com:hd": "x" } })],
    ],
    [
      "with any of several values",
      true,
      [allow({ "ForAnyValue:StringEquals": { "accounts.google.com:oaud": ["a", "gcp"] } })],
    ],
    ["with Null false on a key that is there", true, [allow({ Null: { "accounts.google.com:oaud": "false" } })]],
    [
      "whose Deny applies too",
      false,
      [
        allow({}),
        { ...allow({ StringNotEquals: { "accounts.google.com:oaud": "sts.amazonaws.com" } }), Effect: "Deny" },
      ],
    ],
    ["for another principal", false, [{ ...allow({}), Principal: { Federated: "graph.facebook.com" } }]],
    ["for another action", false, [{ ...allow({}), Action: "sts:AssumeRole" }]],
    ["for all actions", true, [{ ...allow({}), Action: "sts:*" }]],
  ];
  for (const [name, isAllowed, Statement] of cases) {
    test(`${name} ${isAllowed ? "lets in" : "keeps out"}`, async () => {
      await using sandbox = await startSandbox({ roles: [{ arn: GCP_ROLE.arn, trustPolicy: { Statement } }] });
      if (isAllowed) await assumeByToken(sandbox);
      else assert.equal((await refusalOf(assumeByToken(sandbox))).code, "AccessDenied");
    });
  }

  test("with an external id wants it to the letter", async () => {
    await using sandbox = await startSandbox();
    const keys = await assumeByToken(sandbox);
    const arn = "arn:aws:iam::999999999999:role/vendor/Audit";
    const Condition = { StringEquals: { "sts:ExternalId": "ticket-42" } };
    const Statement = {
      Effect: "Allow",
      Principal: { AWS: "123412341234" },
      Action: "sts:AssumeRole",
      Condition,
    } as const;
    sandbox.addRole({ arn, trustPolicy: { Statement } });
    const call = (ExternalId: string) =>
      clientOf(sandbox, keys).send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: "audit", ExternalId }));
    assert.equal((await call("ticket-42")).AssumedRoleUser?.Arn, "arn:aws:sts::999999999999:assumed-role/Audit/audit");
    const refused = await refusalOf(call("ticket-43"));
    assert.match(
      refused.message,
      /^User: arn:aws:sts::123412341234:assumed-role\/\S+ is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::999999999999:role\/vendor\/Audit$/,
    );
  });
});

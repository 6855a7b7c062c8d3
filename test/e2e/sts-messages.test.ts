import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { StsErrorCode } from "../sandbox/query-protocol.ts";
import { BILLING_ARN, GCP_ARN, ONE_ROLE, openScene } from "../support/scene.ts";

// The refusals of STS that say little by themselves, in STS's own words as public reports quote them: each hint names the
// cause and what to type.

const CHAINED = `${ONE_ROLE}
[billing]
role_arn = ${BILLING_ARN}
source_profile = default
tags = team=legacy
source_identity = jane
`;
const CALLER = "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/proj.host";

interface Refusal {
  readonly name: string;
  readonly config: string;
  readonly action: string;
  readonly code: StsErrorCode;
  readonly message: string;
  readonly hint: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "a source identity that the trust policy does not allow (noqdev/iambic#357)",
    config: CHAINED,
    action: "AssumeRole",
    code: "AccessDenied",
    message: `User: ${CALLER} is not authorized to perform: sts:SetSourceIdentity on resource: ${BILLING_ARN}`,
    hint: /hint: allow sts:SetSourceIdentity in the role's trust policy .*, or remove `source_identity` from the profile$/m,
  },
  {
    name: "tags that the trust policy does not allow (aws-actions/configure-aws-credentials#54)",
    config: CHAINED,
    action: "AssumeRole",
    code: "AccessDenied",
    message: `User: ${CALLER} is not authorized to perform: sts:TagSession on resource: ${BILLING_ARN}`,
    hint: /hint: allow sts:TagSession in the role's trust policy .*, or remove `tags` from the profile$/m,
  },
  {
    name: "a role or an account that does not exist, by web identity (aws/aws-sdk-js-v3#6225)",
    config: ONE_ROLE,
    action: "AssumeRoleWithWebIdentity",
    code: "AccessDenied",
    message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    hint: /hint: .*check `role_arn` too: STS says the same of a role or account that does not exist$/m,
  },
  {
    name: "a role or an account that does not exist, chained (DataDog/stratus-red-team#174)",
    config: CHAINED,
    action: "AssumeRole",
    code: "AccessDenied",
    message: `User: ${CALLER} is not authorized to perform: sts:AssumeRole on resource: ${BILLING_ARN}`,
    hint: /hint: .*check `role_arn` too: STS says the same of a role or account that does not exist$/m,
  },
  {
    name: "keys of the global endpoint in an opt-in region (IAM User Guide, Managing AWS STS in an AWS Region)",
    config: `[*]\nregion = af-south-1\n\n${CHAINED}`,
    action: "AssumeRole",
    code: "InvalidClientTokenId",
    message: "The security token included in the request is invalid",
    hint: /hint: .*AWS_STS_REGIONAL_ENDPOINTS=regional.*not valid in the opt-in region af-south-1/,
  },
];

suite("a refusal of STS names its cause:", () => {
  for (const { name, config, action, code, message, hint } of REFUSALS) {
    test(name, async () => {
      await using scene = await openScene(config);
      scene.sandbox.misbehave("sts", { kind: "aws-error", code, message }, { action });
      const result = await scene.run([]);
      assert.equal(result.code, 77, result.stderr);
      assert.ok(result.stderr.includes(message.replace(/\.$/, "")), result.stderr);
      assert.match(result.stderr, hint);
    });
  }

  test("keys that are unknown in a region that is always enabled are not those of the global endpoint", async () => {
    await using scene = await openScene(`[*]\nregion = eu-west-1\n\n${CHAINED}`);
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "InvalidClientTokenId" }, { action: "AssumeRole" });
    const { stderr } = await scene.run([]);
    assert.match(stderr, /hint: check that the source profile's keys exist, are active/);
    assert.doesNotMatch(stderr, /opt-in/);
  });

  // Version 2 tokens of Microsoft Entra ID have an azp, which AWS takes for the audience (aws/aws-sdk-net#3071).
  const tenant = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
  for (const [claim, claims, clientId] of [
    ["azp", { azp: "bbbbbbbb-0000-0000-0000-000000000002" }, "bbbbbbbb-0000-0000-0000-000000000002"],
    ["aud", { azp: undefined }, "api://resource"],
  ] as const) {
    test(`a token whose ${claim} IAM does not know, with the line to type`, async () => {
      await using scene = await openScene(
        `[default]\nrole_arn = ${GCP_ARN}\nidentity = file\nweb_identity_token_file = ../token\n`,
      );
      await scene.home.write("token", await scene.sandbox.mintToken({ iss: tenant, aud: "api://resource", ...claims }));
      scene.sandbox.misbehave("sts", {
        kind: "aws-error",
        code: "InvalidIdentityToken",
        message: "Incorrect token audience",
      });
      const { code, stderr } = await scene.run([]);
      assert.equal(code, 77, stderr);
      const provider = `arn:aws:iam::123412341234:oidc-provider/${tenant.replace("https://", "")}`;
      assert.match(stderr, new RegExp(`hint: register the token's issuer and its ${claim}`));
      assert.ok(stderr.includes(`--url ${tenant} --client-id-list ${clientId};`), stderr);
      assert.ok(stderr.includes(`--open-id-connect-provider-arn ${provider} --client-id ${clientId}`), stderr);
    });
  }

  test("an answer without a code is logged with its status", async () => {
    await using scene = await openScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "status", status: 503 }, { times: 1 });
    const { code, stderr } = await scene.run(["--verbose"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /sts: attempt 1 failed \(status 503\), retrying in/);
  });
});

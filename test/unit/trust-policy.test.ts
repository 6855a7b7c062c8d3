import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Failure } from "../../src/base/failure.ts";
import type { RoleArn } from "../../src/config/config.ts";
import { parseRoleArn } from "../../src/config/role-arn.ts";
import { parseTrustPolicy } from "../../src/trust-policy/document.ts";
import { evaluate } from "../../src/trust-policy/evaluate.ts";
import { policyForSource, policyForToken } from "../../src/trust-policy/generate.ts";
import { notesForToken } from "../../src/trust-policy/notes.ts";
import { renderPolicy } from "../../src/trust-policy/render.ts";
import { assumeRoleRequest, type CertainClaims, webIdentityRequest } from "../../src/trust-policy/trust-request.ts";

function role(arn: string): RoleArn {
  const parsed = parseRoleArn(arn);
  assert.ok(parsed);
  return parsed;
}

const ROLE = role("arn:aws:iam::123412341234:role/my-gcp-role-20211031");
const ID = "112233445566778899001";

const google: CertainClaims = {
  issuer: "https://accounts.google.com",
  subject: ID,
  audience: ["gcp"],
  authorizedParty: ID,
};

/** The one statement of a generated policy. */
function statement(claims: CertainClaims, of: RoleArn = ROLE) {
  const [only] = policyForToken(claims, of).Statement;
  assert.ok(only);
  return only;
}

suite("the trust policy of a token", () => {
  test("Google's names the built-in provider, azp as :aud, the audience as :oaud, and pins :sub", () => {
    assert.deepEqual(statement(google), {
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
    });
  });

  test("Google's without azp has the audience as :aud and no :oaud", () => {
    assert.deepEqual(statement({ ...google, authorizedParty: undefined }).Condition, {
      StringEquals: { "accounts.google.com:aud": "gcp", "accounts.google.com:sub": ID },
    });
  });

  const providers: readonly (readonly [string, string, string])[] = [
    [
      "https://token.actions.githubusercontent.com",
      "arn:aws:iam::123412341234:role/ci",
      "token.actions.githubusercontent.com",
    ],
    // EKS: the issuer's path is part of the provider's name.
    [
      "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
      "arn:aws:iam::123412341234:role/pod",
      "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
    ],
    // Azure's v1 issuer ends with a slash, and so does the provider's name.
    [
      "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
      "arn:aws-cn:iam::123412341234:role/vm",
      "sts.windows.net/11111111-2222-3333-4444-555555555555/",
    ],
  ];
  for (const [issuer, arn, name] of providers) {
    test(`that of ${issuer} names the OIDC provider of the role's account and partition`, () => {
      const of = role(arn);
      const claims = { issuer, subject: "s", audience: ["sts.amazonaws.com", "b"], authorizedParty: undefined };
      const { Principal, Condition } = statement(claims, of);
      assert.deepEqual(Principal, { Federated: `arn:${of.partition}:iam::123412341234:oidc-provider/${name}` });
      assert.deepEqual(Condition, {
        StringEquals: { [`${name}:aud`]: ["sts.amazonaws.com", "b"], [`${name}:sub`]: "s" },
      });
    });
  }

  test("the notes tell the numeric azp from the e-mail address (googleapis/google-auth-library-python 746)", () => {
    const numeric = notesForToken(google, ROLE).join("\n");
    assert.match(numeric, /create no OIDC provider/);
    assert.doesNotMatch(numeric, /list both/);
    const email = notesForToken({ ...google, authorizedParty: "x@y.iam.gserviceaccount.com" }, ROLE).join("\n");
    assert.match(email, /e-mail address[^\n]*leave accounts\.google\.com:aud out or list both/);
  });
});

suite("the trust policy for another profile's keys", () => {
  const source = { arn: ROLE.arn, account: "123412341234", partition: "aws", sessionArn: undefined };
  const plain = {
    externalId: undefined,
    tags: [],
    transitiveTagKeys: [],
    sourceIdentity: undefined,
    sessionName: undefined,
  };

  test("allows sts:AssumeRole to the source's role, and nothing more", () => {
    assert.deepEqual(policyForSource(source, plain).Statement, [
      { Effect: "Allow", Principal: { AWS: ROLE.arn }, Action: "sts:AssumeRole" },
    ]);
  });

  test("allows tags and a source identity only where they are sent, and wants the external ID", () => {
    const [only] = policyForSource(source, {
      ...plain,
      externalId: "ticket-42",
      sourceIdentity: "me",
      tags: [{ key: "team", value: "data" }],
    }).Statement;
    assert.deepEqual(only?.Action, ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]);
    assert.deepEqual(only?.Condition, { StringEquals: { "sts:ExternalId": "ticket-42" } });
  });

  test("a policy without sts:TagSession is not enough for a session with tags", () => {
    const policy = { Statement: { Effect: "Allow", Principal: { AWS: "123412341234" }, Action: "sts:AssumeRole" } };
    const request = assumeRoleRequest(source, { ...plain, tags: [{ key: "team", value: "data" }] });
    const verdict = evaluate(parseTrustPolicy(JSON.stringify(policy), "p"), request);
    assert.deepEqual(
      verdict.findings.map(({ message }) => message),
      ["Action is 'sts:AssumeRole', which does not allow sts:TagSession"],
    );
  });
});

suite("formats", () => {
  test("terraform is as terraform fmt leaves it, with templates escaped", () => {
    const of = role("arn:aws:iam::123412341234:role/team/a=b.c");
    const claims = {
      issuer: "https://i.example",
      subject: 'a"${b}%{c}\\',
      audience: ["x"],
      authorizedParty: undefined,
    };
    const text = renderPolicy(policyForToken(claims, of), { role: of, maxSessionSeconds: 43_200 }, "terraform");
    assert.equal(
      text,
      String.raw`data "aws_iam_policy_document" "a_b_c_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123412341234:oidc-provider/i.example"]
    }

    condition {
      test     = "StringEquals"
      variable = "i.example:aud"
      values   = ["x"]
    }

    condition {
      test     = "StringEquals"
      variable = "i.example:sub"
      values   = ["a\"$${"$"}{b}%%{c}\\"]
    }
  }
}

resource "aws_iam_role" "a_b_c" {
  name                 = "a=b.c"
  path                 = "/team/"
  max_session_duration = 43200
  assume_role_policy   = data.aws_iam_policy_document.a_b_c_trust.json
}
`,
    );
  });

  test("cloudformation is a template whose role has the policy", () => {
    const policy = policyForToken(google, ROLE);
    const text = renderPolicy(policy, { role: ROLE, maxSessionSeconds: undefined }, "cloudformation");
    assert.deepEqual(JSON.parse(text), {
      AWSTemplateFormatVersion: "2010-09-09",
      Resources: {
        MyGcpRole20211031: {
          Type: "AWS::IAM::Role",
          Properties: { RoleName: "my-gcp-role-20211031", AssumeRolePolicyDocument: policy },
        },
      },
    });
  });
});

suite("reading a trust policy", () => {
  const policy = policyForToken(google, ROLE);
  const json = JSON.stringify(policy);
  const forms: Readonly<Record<string, string>> = {
    "its JSON": json,
    "JSON with a byte order mark": `\uFEFF${json}\n`,
    "the answer of aws iam get-role": JSON.stringify({ Role: { RoleName: "r", AssumeRolePolicyDocument: policy } }),
    "the API's URL-encoded document": encodeURIComponent(json),
    "an answer that holds it URL-encoded": JSON.stringify({
      Role: { AssumeRolePolicyDocument: encodeURIComponent(json) },
    }),
    "a JSON string of it": JSON.stringify(json),
  };
  for (const [name, text] of Object.entries(forms)) {
    test(`takes ${name}`, () => {
      const verdict = evaluate(parseTrustPolicy(text, "p"), webIdentityRequest(google, ROLE, undefined));
      assert.deepEqual(verdict, { accepted: true, findings: [] });
    });
  }

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["", /p is empty/],
    ["not json", /p is not JSON/],
    ["%7Bnot", /p is not JSON/],
    ["[]", /p is not a JSON object/],
    ['{"Version": "2012-10-17"}', /it has no Statement/],
    ['{"Statement": [{"Effect": "allow"}]}', /statement 1 needs "Effect"/],
    ['{"Statement": {"Effect": "Allow", "Action": "*"}}', /statement 1 has no Principal/],
    ['{"Statement": {"Effect": "Allow", "Principal": "*"}}', /statement 1 needs an Action/],
    [
      '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": {"Null": []}}}',
      /Condition Null/,
    ],
  ];
  for (const [text, expected] of wrong) {
    test(`refuses ${text === "" ? "nothing" : text}`, () => {
      assert.throws(
        () => parseTrustPolicy(text, "p"),
        (error: unknown) =>
          error instanceof Failure && error.code === "POLICY_MALFORMED" && expected.test(error.message),
      );
    });
  }
});

suite("what keeps a token out is told", () => {
  const request = webIdentityRequest(google, ROLE, undefined);
  const told = (Statement: unknown): readonly string[] =>
    evaluate(parseTrustPolicy(JSON.stringify({ Statement }), "p"), request).findings.map(({ message }) => message);
  const allow = {
    Effect: "Allow",
    Principal: { Federated: "accounts.google.com" },
    Action: "sts:AssumeRoleWithWebIdentity",
  };
  const cases: readonly (readonly [string, unknown, readonly RegExp[]])[] = [
    [
      "the audience under :aud",
      { ...allow, Condition: { StringEquals: { "accounts.google.com:aud": "gcp" } } },
      [
        /requires 'gcp', the token has '112233445566778899001'; AWS compares .* the audience belongs under accounts\.google\.com:oaud/,
      ],
    ],
    [
      "the e-mail address under :aud",
      { ...allow, Condition: { StringEquals: { "accounts.google.com:aud": ["x@y.example", "1"] } } },
      [/requires 'x@y\.example' or '1', .*only for key files and impersonation/],
    ],
    [
      "an OIDC provider made for Google",
      { ...allow, Principal: { Federated: "arn:aws:iam::123412341234:oidc-provider/accounts.google.com" } },
      [/Google is built in: write "Federated": "accounts\.google\.com"/],
    ],
    ["another action", { ...allow, Action: ["sts:AssumeRole"] }, [/^Action is 'sts:AssumeRole', which does not allow/]],
    [
      "a key that the token has not",
      { ...allow, Condition: { StringLike: { "accounts.google.com:hd": "*" } } },
      [/StringLike accounts\.google\.com:hd: the policy requires '\*', the token has no such key/],
    ],
    [
      "an operator that is not known",
      { ...allow, Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } },
      [/the operator IpAddress is not supported here and counts against the request/],
    ],
    [
      "a policy variable",
      // oxlint-disable-next-line no-template-curly-in-string -- IAM's own syntax
      { ...allow, Condition: { StringEquals: { "accounts.google.com:sub": "${aws:PrincipalTag/id}" } } },
      [/the variable in .* is not supported here/],
    ],
    [
      "a Deny that applies",
      [allow, { ...allow, Effect: "Deny", Condition: { StringEquals: { "accounts.google.com:oaud": "gcp" } } }],
      [/^it denies sts:AssumeRoleWithWebIdentity, and a Deny beats every Allow$/],
    ],
    [
      "a Deny that is not understood",
      [allow, { ...allow, Effect: "Deny", Condition: { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }],
      [/^it may deny sts:AssumeRoleWithWebIdentity: .*NotIpAddress/],
    ],
    ["no statement at all", [], [/no statement allows sts:/]],
    [
      "a NotPrincipal",
      { Effect: "Allow", NotPrincipal: { AWS: "1" }, Action: "*" },
      [/NotPrincipal is not supported here/],
    ],
  ];
  for (const [name, Statement, expected] of cases) {
    test(name, () => {
      const messages = told(Statement);
      assert.equal(messages.length, expected.length, messages.join("\n"));
      for (const [index, pattern] of expected.entries()) assert.match(messages[index] ?? "", pattern);
    });
  }

  test("NotAction is what it excludes", () => {
    assert.deepEqual(told({ ...allow, Action: undefined, NotAction: "sts:AssumeRole" }), []);
    assert.equal(told({ ...allow, Action: undefined, NotAction: "sts:*" }).length, 1);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { fc } from "../support/property.ts";

import { decodeClaims } from "../../src/sources/jwt.ts";
import { parseTrustPolicy } from "../../src/trust-policy/document.ts";
import { evaluate } from "../../src/trust-policy/evaluate.ts";
import { policyForToken } from "../../src/trust-policy/generate.ts";
import { certainClaims, webIdentityRequest } from "../../src/trust-policy/trust-request.ts";
import { assumeByToken, refusalOf } from "../sandbox/sdk-caller.ts";
import { type Sandbox, startSandbox, type TrustPolicy, type TrustStatement } from "../sandbox/sandbox.ts";

/*
 * `trust-policy --check` and the sandbox's STS were written apart: what one accepts the other must accept. The words are
 * few, so that policies and tokens meet often enough.
 */

const ACCOUNT = "123412341234";
const ROLE = { arn: `arn:aws:iam::${ACCOUNT}:role/r`, partition: "aws", account: ACCOUNT, name: "r" };
const SESSION = "demo-project.legacy-vm";
const GOOGLE = "accounts.google.com";

const word = fc.constantFrom("1122", "1123", "gcp", "GCP", "sts.amazonaws.com", "a@b.example", "");
const pattern = fc.oneof(word, fc.constantFrom("*", "11*", "1?22", "*amazon*", "g?p", "?", "**"));
const oneOrMore = <T>(item: fc.Arbitrary<T>) => fc.oneof(item, fc.array(item, { maxLength: 3 }));

const claims = fc.record({
  sub: fc.constantFrom("1122", "1123"),
  aud: oneOrMore(fc.constantFrom("gcp", "GCP", "sts.amazonaws.com")).filter((aud) => aud.length > 0),
  azp: fc.constantFrom(undefined, "1122", "a@b.example", "sts.amazonaws.com"),
  fromGoogle: fc.boolean(),
});

const operator = fc
  .tuple(
    fc.constantFrom("", "", "ForAnyValue:", "ForAllValues:"),
    fc.constantFrom(
      "StringEquals",
      "StringNotEquals",
      "StringEqualsIgnoreCase",
      "StringNotEqualsIgnoreCase",
      "StringLike",
      "StringNotLike",
      "ArnLike",
      "ArnNotLike",
      "Bool",
    ),
    fc.constantFrom("", "", "IfExists"),
  )
  .map((parts) => parts.join(""));

const policyFor = (issuer: string): fc.Arbitrary<TrustPolicy> => {
  const name = issuer.replace(/^https?:\/\//, "");
  const arn = `arn:aws:iam::${ACCOUNT}:oidc-provider/${name}`;
  const key = fc.constantFrom(
    `${name}:aud`,
    `${name}:oaud`,
    `${name}:sub`,
    `${name.toUpperCase()}:SUB`,
    `${name}:hd`,
    "sts:RoleSessionName",
    "aws:FederatedProvider",
  );
  const principal = fc.constantFrom("*", GOOGLE, arn, name, "graph.facebook.com");
  const condition = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.dictionary(operator, fc.dictionary(key, oneOrMore(pattern), { maxKeys: 2 }), { maxKeys: 2 }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ Null: fc.dictionary(key, fc.constantFrom("true", "false", true, false), { maxKeys: 2 }) }),
    },
  );
  const statement: fc.Arbitrary<TrustStatement> = fc.record({
    Effect: fc.constantFrom<("Allow" | "Deny")[]>("Allow", "Allow", "Allow", "Deny"),
    Principal: fc.oneof(
      fc.constant("*" as const),
      fc.record({ Federated: oneOrMore(principal) }),
      fc.record({ AWS: fc.constant("*") }),
      fc.record({ Federated: fc.constant(name === GOOGLE ? GOOGLE : arn) }),
    ),
    Action: oneOrMore(
      fc.constantFrom(
        "sts:AssumeRoleWithWebIdentity",
        "sts:assumerolewith*",
        "sts:*",
        "*",
        "sts:AssumeRole",
        "sts:AssumeRol?",
      ),
    ),
    Condition: condition,
  });
  return fc.record({
    Version: fc.constant("2012-10-17"),
    Statement: fc.oneof(statement, fc.array(statement, { maxLength: 3 })),
  });
};

async function isAccepted(sandbox: Sandbox, policy: TrustPolicy, token: string): Promise<boolean> {
  sandbox.addRole({ arn: ROLE.arn, trustPolicy: policy });
  const call = assumeByToken(sandbox, { RoleArn: ROLE.arn, WebIdentityToken: token, RoleSessionName: SESSION });
  try {
    await call;
    return true;
  } catch {
    assert.equal((await refusalOf(call)).code, "AccessDenied");
    return false;
  }
}

function certainOf(token: string) {
  const certain = certainClaims(decodeClaims(token));
  assert.ok(!("missing" in certain));
  return certain;
}

test("what --check accepts the sandbox's STS accepts, and the other way round", async () => {
  await using sandbox = await startSandbox();
  const issuers = { google: "https://accounts.google.com", own: sandbox.issuerUrl };
  const seen = { accepted: 0, refused: 0 };
  const world = claims.chain((given) => {
    const issuer = given.fromGoogle ? issuers.google : issuers.own;
    return fc.tuple(fc.constant({ ...given, issuer }), policyFor(issuer));
  });
  await fc.assert(
    fc.asyncProperty(world, async ([{ sub, aud, azp, issuer, fromGoogle }, policy]) => {
      // STS itself refuses a token that is for no client of the provider, whatever the policy says.
      const clients = azp === undefined ? [aud].flat() : [azp];
      if (!fromGoogle && !clients.includes("sts.amazonaws.com")) return;
      const token = await sandbox.mintToken({ sub, aud, azp, iss: issuer });
      const request = webIdentityRequest(certainOf(token), ROLE, SESSION);
      const verdict = evaluate(parseTrustPolicy(JSON.stringify(policy), "the policy"), request);
      const accepted = await isAccepted(sandbox, policy, token);
      seen[accepted ? "accepted" : "refused"]++;
      assert.equal(verdict.accepted, accepted, JSON.stringify(verdict.findings));
      assert.equal(verdict.findings.length === 0, accepted, "a refusal says why");
    }),
    { numRuns: process.env["SLOW"] === "1" ? 3000 : 300 },
  );
  assert.ok(seen.accepted > 10 && seen.refused > 10, JSON.stringify(seen));
});

test("the generated policy lets its own token in, and none whose subject, audience or azp differs", async () => {
  await using sandbox = await startSandbox();
  await fc.assert(
    fc.asyncProperty(claims, claims, async (own, other) => {
      const tokenOf = ({ sub, aud, azp }: typeof own) => sandbox.mintToken({ sub, aud, azp });
      const [ownToken, otherToken] = await Promise.all([tokenOf(own), tokenOf(other)]);
      const policy = policyForToken(certainOf(ownToken), ROLE);
      assert.equal(await isAccepted(sandbox, policy, ownToken), true);
      const accepted = await isAccepted(sandbox, policy, otherToken);
      if (own.sub !== other.sub || (own.azp ?? other.azp) !== (other.azp ?? own.azp)) assert.equal(accepted, false);
    }),
    { numRuns: 60 },
  );
});

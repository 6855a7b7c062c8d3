import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspect } from "node:util";

import { Failure } from "../../src/base/failure.ts";
import { checkSamlClaims } from "../../src/sources/saml-assertion.ts";
import { parseSamlResponse, type SamlClaims } from "../../src/sources/saml-response.ts";
import { makeSamlResponse } from "../sandbox/saml.ts";

const ROLE = {
  arn: "arn:aws:iam::123412341234:role/Legacy",
  partition: "aws",
  account: "123412341234",
  name: "Legacy",
};
const PROVIDER = "arn:aws:iam::123412341234:saml-provider/Corp";
const NOW = new Date("2026-11-24T08:00:00Z");

const refuse = (why: string): never => {
  throw new Failure("TOKEN_MALFORMED", why);
};

const CLAIMS: SamlClaims = {
  status: "Success",
  isEncrypted: false,
  audiences: ["urn:amazon:webservices"],
  notBefore: undefined,
  notOnOrAfter: undefined,
  roles: [{ roleArn: ROLE.arn, principalArn: PROVIDER }],
  durationSeconds: undefined,
};

const check = (changes: Partial<SamlClaims>): string =>
  checkSamlClaims({ ...CLAIMS, ...changes }, { role: ROLE, principalArn: undefined }, NOW, "the SAML response");

suite("a SAML response", () => {
  test("yields what AWS uses, and shows nothing else", async () => {
    const end = new Date("2026-11-24T08:05:00Z");
    const text = makeSamlResponse({
      roles: [`${ROLE.arn},${PROVIDER}`, "nonsense", `${PROVIDER},arn:aws:iam::123412341234:role/Other`],
      issuedAt: NOW,
      notOnOrAfter: end,
      sessionDuration: 60,
    });
    const { response, ...claims } = await parseSamlResponse(text, 100_000, refuse);
    assert.equal(response.reveal(), text);
    assert.ok(!inspect({ response, claims }).includes(text.slice(0, 24)));
    assert.deepEqual(claims, {
      status: "Success",
      isEncrypted: false,
      audiences: ["urn:amazon:webservices"],
      notBefore: NOW,
      notOnOrAfter: end,
      roles: [
        { roleArn: ROLE.arn, principalArn: PROVIDER },
        { roleArn: "arn:aws:iam::123412341234:role/Other", principalArn: PROVIDER },
      ],
      durationSeconds: 900,
    });
  });

  // The sign-in endpoints of partitions and regions: IAM User Guide, "Configure SAML assertions", and
  // https://docs.aws.amazon.com/general/latest/gr/signin-service.html
  for (const audience of [
    "https://signin.aws.amazon.com/saml",
    "https://eu-central-1.signin.aws.amazon.com/saml",
    "https://signin.aws.amazon.com/saml/acs/SAMLSP4NS7",
    "https://signin.amazonaws.cn/saml",
    "https://signin.amazonaws-us-gov.com/saml",
    "urn:amazon:webservices",
    "urn:amazon:webservices:cn-north-1",
    "urn:amazon:webservices:govcloud",
  ]) {
    test(`for ${audience} is for AWS`, () => assert.equal(check({ audiences: ["other", audience] }), PROVIDER));
  }

  for (const audience of [
    "https://signin.aws.amazon.com.evil.example/saml",
    "https://signin.aws.amazon.com/oauth",
    "urn:amazon:other",
    "https://sp.example/saml",
  ]) {
    test(`for ${audience} is not`, () =>
      assert.throws(
        () => check({ audiences: [audience] }),
        (error: unknown) => error instanceof Failure && error.code === "TOKEN_AUDIENCE",
      ));
  }

  test("is accepted within a minute after its end, and five before its start: STS judges by its own clock", () => {
    const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
    assert.equal(check({ notBefore: at(290), notOnOrAfter: at(-50) }), PROVIDER);
    assert.throws(() => check({ notOnOrAfter: at(-70) }), /expired at 2026-11-24T07:58:50Z/);
    assert.throws(() => check({ notBefore: at(310) }), /not valid before 2026-11-24T08:05:10Z/);
  });

  test("that offers many roles names some of them", () => {
    const roles = Array.from({ length: 8 }, (_, index) => ({
      roleArn: `arn:aws:iam::1:role/${index}`,
      principalArn: "p",
    }));
    assert.throws(
      () => check({ roles }),
      (error: unknown) => error instanceof Failure && error.hint?.endsWith("role/4, …") === true,
    );
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Failure } from "../../src/base/failure.ts";
import { redact, withoutSecrets } from "../../src/base/printable.ts";

suite("what is a secret is taken out", () => {
  const everywhere = [
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "ya29.a0AfB_byC-1234567890",
    "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
    "glpat-abcdefgh12345678",
    "https://jane:s3cr3t@host.example/x",
    "Authorization: Bearer c2VjcmV0LXRva2Vu",
  ];
  for (const text of everywhere) {
    test(`everywhere: ${text.slice(0, 12)}…`, () => {
      const shown = withoutSecrets(`a ${text} b`);
      assert.match(shown, /^a .*\[redacted\].* b$/);
      assert.doesNotMatch(shown, /c2ln|a0Af|16C7|abcdefgh|s3cr3t|c2Vj/);
      assert.equal(new Failure("USAGE", `a ${text} b`, { hint: `a ${text} b` }).message, shown);
      assert.equal(new Failure("USAGE", "x", { hint: `a ${text} b` }).hint, shown);
      assert.equal(redact(`a ${text} b`), shown);
    });
  }

  for (const text of [
    "ASIAIOSFODNN7EXAMPLE",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a_b-".repeat(10),
  ]) {
    test(`in what others wrote: ${text.slice(0, 8)}…`, () => {
      assert.match(redact(`a ${text} b`), /^a (ASIA|AKIA)?\[redacted\] b$/);
      assert.equal(withoutSecrets(`a ${text} b`), `a ${text} b`);
    });
  }

  test("names stay: ARNs of any length, hints for a proxy", () => {
    for (const text of [
      "not authorized on arn:aws:iam::123412341234:role/teams/Billing-Export-For-The-Legacy-Report-20211031 now",
      "set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
      "see https://accounts.google.com/o?x=y",
      "Authorization: Bearer {env:TOKEN}",
    ])
      assert.equal(redact(text), text);
  });
});

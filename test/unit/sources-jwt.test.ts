import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { Failure, type FailureCode } from "../../src/base/failure.ts";
import { checkToken, decodeClaims, MAX_TOKEN_LENGTH } from "../../src/sources/jwt.ts";
import { printable, withoutSecrets } from "../../src/base/printable.ts";

const NOW = new Date("2026-11-23T10:00:00Z");
const at = (offsetSeconds: number): number => NOW.getTime() / 1000 + offsetSeconds;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const SIGNATURE = "c2lnbmF0dXJlLXRoYXQtbXVzdC1ub3QtYmUtc2Vlbg";
const jwt = (claims: unknown): string => `${part({ alg: "RS256" })}.${part(claims)}.${SIGNATURE}`;

const GOOD = {
  iss: "https://accounts.google.com",
  aud: "gcp",
  azp: "112233445566778899001",
  sub: "112233445566778899001",
  email: "legacy@proj.iam.gserviceaccount.com",
  iat: at(0),
  exp: at(3600),
};

function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof Failure, inspect(error));
    return error;
  }
  return assert.fail("nothing was thrown");
}

function assertFails(act: () => unknown, code: FailureCode, ...says: readonly RegExp[]): Failure {
  const failure = failureOf(act);
  assert.equal(failure.code, code);
  for (const pattern of says) assert.match(`${failure.message} / ${failure.hint}`, pattern);
  return failure;
}

describe("decoding a token", () => {
  test("a Google token's claims are read", () => {
    assert.deepEqual(decodeClaims(jwt(GOOD)), {
      issuer: GOOD.iss,
      subject: GOOD.sub,
      audience: ["gcp"],
      authorizedParty: GOOD.azp,
      issuedAt: NOW,
      notBefore: undefined,
      expiresAt: new Date("2026-11-23T11:00:00Z"),
      email: GOOD.email,
    });
  });

  test("several audiences are a list (RFC 7519 4.1.3)", () => {
    assert.deepEqual(decodeClaims(jwt({ aud: ["a", "b"] })).audience, ["a", "b"]);
    assert.deepEqual(decodeClaims(jwt({})).audience, []);
  });

  const malformed: readonly (readonly [string, string, RegExp])[] = [
    ["nothing", "", /is empty/],
    ["one word", "hello", /three base64url parts \(5 bytes\)/],
    ["two parts", `${part({})}.${part({})}`, /three base64url parts/],
    ["an empty signature", `${part({})}.${part({})}.`, /three base64url parts/],
    ["four parts", `${jwt(GOOD)}.x`, /three base64url parts/],
    ["a line break inside", jwt(GOOD).replace(".", ".\n"), /three base64url parts/],
    ["two tokens", `${jwt(GOOD)} ${jwt(GOOD)}`, /three base64url parts/],
    ["a header that is not JSON", `abc.${part({})}.abc`, /header that is not JSON/],
    ["claims that are a list", `${part({})}.${part([1])}.abc`, /not a JSON object/],
    ["claims that are null", `${part({})}.${part(null)}.abc`, /not a JSON object/],
    ["an exp in words", jwt({ exp: "tomorrow" }), /`exp` that is not a time/],
    ["an exp in milliseconds", jwt({ exp: at(0) * 1000 }), /`exp` that is not a time/],
    ["1 MiB", "a".repeat(1024 * 1024), /1048576 bytes long, and STS accepts at most 20000/],
    ["one more than STS takes", "a".repeat(MAX_TOKEN_LENGTH + 1), /20001 bytes long/],
  ];
  for (const [name, token, says] of malformed) {
    test(`${name} is malformed, and the message does not hold it`, () => {
      const failure = assertFails(() => decodeClaims(token), "TOKEN_MALFORMED", says);
      if (token.length > 12) assert.ok(!inspect(failure).includes(token.slice(0, 12)));
    });
  }

  test("any text is decoded or rejected, and never shown", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 20, unit: "grapheme" }), (secret) => {
        const failure = failureOf(() => decodeClaims(secret));
        assert.equal(failure.code, "TOKEN_MALFORMED");
        assert.ok(!failure.message.includes(secret));
      }),
    );
  });
});

describe("checking a token", () => {
  test("a good one passes and does not show itself", () => {
    const checked = checkToken(jwt(GOOD), { now: NOW, audience: "gcp" });
    assert.equal(checked.token.reveal(), jwt(GOOD));
    assert.ok(!inspect(checked, { depth: 9 }).includes(SIGNATURE));
    assert.ok(!JSON.stringify(checked).includes(SIGNATURE));
  });

  test("an expired one is an error with its claims, the time and the clock, and without the token", () => {
    const token = jwt({ ...GOOD, exp: at(-720) });
    const failure = assertFails(
      () => checkToken(token, { now: NOW, describe: "the token in /run/token" }),
      "TOKEN_EXPIRED",
      /^the token in \/run\/token expired 12m ago/,
      /iss=https:\/\/accounts\.google\.com aud=gcp azp=112233445566778899001 sub=112233445566778899001/,
      /exp=2026-11-23T09:48:00Z/,
      /timedatectl/,
    );
    assert.ok(!inspect(failure).includes(SIGNATURE));
    assert.ok(!inspect(failure).includes(token.split(".")[1] ?? "?"));
  });

  test("60 s of expiry and 300 s of being early are left to AWS, a second more is not", () => {
    checkToken(jwt({ ...GOOD, exp: at(-59) }), { now: NOW });
    assertFails(() => checkToken(jwt({ ...GOOD, exp: at(-60) }), { now: NOW }), "TOKEN_EXPIRED");
    checkToken(jwt({ ...GOOD, iat: at(300) }), { now: NOW });
    assertFails(() => checkToken(jwt({ ...GOOD, iat: at(301) }), { now: NOW }), "TOKEN_NOT_YET_VALID", /timedatectl/);
    assertFails(
      () => checkToken(jwt({ ...GOOD, nbf: at(3600) }), { now: NOW }),
      "TOKEN_NOT_YET_VALID",
      /another 1h00m/,
    );
  });

  test("another audience is an error that shows both", () => {
    assertFails(
      () => checkToken(jwt(GOOD), { now: NOW, audience: "other" }),
      "TOKEN_AUDIENCE",
      /audience other/,
      /aud=gcp/,
    );
    checkToken(jwt({ ...GOOD, aud: ["x", "other"] }), { now: NOW, audience: "other" });
    checkToken(jwt(GOOD), { now: NOW });
  });

  test("claims with control characters and a megabyte of text stay on one short line", () => {
    const hostile = "\u001b[31mred\nrolefresh: error: fake\r\u2028\u202e";
    const token = jwt({ ...GOOD, exp: at(-9999), iss: hostile, sub: "s".repeat(5000) });
    const { message } = assertFails(() => checkToken(token, { now: NOW }), "TOKEN_EXPIRED");
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    assert.doesNotMatch(message, /[\u0000-\u001f\u2028\u202e]/);
    assert.ok(message.length < 600, String(message.length));
  });
});

test("a program's stderr is shown without its tokens", () => {
  assert.equal(withoutSecrets(`bad token ${jwt(GOOD)} here`), "bad token [redacted] here");
  assert.equal(withoutSecrets("access ya29.a0Af_H.x-y"), "access [redacted]");
  assert.equal(printable("  a\tb\u0000c  "), "a b c");
  assert.equal(printable("abcdef", 4), "abc…");
});

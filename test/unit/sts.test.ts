import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { Failure } from "../../src/base/failure.ts";
import { validateSession, type RawSession } from "../../src/sts/validate-session.ts";
import { resolveEndpoint } from "../../src/sts/endpoint.ts";
import { redact } from "../../src/base/printable.ts";
import { needsInstance, renderSessionName } from "../../src/plan/session-name.ts";

const NOW = new Date("2026-11-23T10:00:00Z");
const HOUR = 3_600_000;
const ROLE = { arn: "arn:aws:iam::123412341234:role/path/App", partition: "aws", account: "123412341234", name: "App" };
const CREDENTIALS = {
  AccessKeyId: "ASIAIOSFODNN7EXAMPLE",
  SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  SessionToken: "FwoGZXIvYXdzEBYaDEXAMPLE/token+with==",
  Expiration: new Date(NOW.getTime() + HOUR),
};
const RAW: RawSession = {
  credentials: CREDENTIALS,
  assumedRoleArn: "arn:aws:sts::123412341234:assumed-role/App/proj.host",
  stsTime: NOW,
  receivedAt: NOW,
};

const EXPECTED = { subject: ROLE.arn, principal: { role: ROLE, sessionName: "proj.host" } };

function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof Failure, inspect(error));
    return error;
  }
  return assert.fail("nothing was thrown");
}

describe("a response of STS", () => {
  test("is believed when every field is right", () => {
    const session = validateSession(RAW, EXPECTED);
    assert.equal(session.accessKeyId, CREDENTIALS.AccessKeyId);
    assert.equal(session.secretAccessKey.reveal(), CREDENTIALS.SecretAccessKey);
    assert.equal(session.sessionToken.reveal(), CREDENTIALS.SessionToken);
    assert.deepEqual(session.expiresAt, CREDENTIALS.Expiration);
    assert.equal(session.principalArn, RAW.assumedRoleArn);
    assert.equal(session.clockAheadMs, 0);
    assert.ok(!inspect(session).includes(CREDENTIALS.SecretAccessKey));
  });

  test("is judged by STS's clock, and says how far this machine's is ahead", () => {
    const ahead = validateSession({ ...RAW, receivedAt: new Date(NOW.getTime() + 2 * HOUR) }, EXPECTED);
    assert.equal(ahead.clockAheadMs, 2 * HOUR);
    const behind = validateSession({ ...RAW, receivedAt: new Date(NOW.getTime() - 90 * 24 * HOUR) }, EXPECTED);
    assert.equal(behind.clockAheadMs, -90 * 24 * HOUR);
    assert.equal(validateSession({ ...RAW, stsTime: undefined }, EXPECTED).clockAheadMs, undefined);
  });

  const credentials = (change: object): RawSession => ({ ...RAW, credentials: { ...CREDENTIALS, ...change } });
  const wrong: readonly (readonly [string, RawSession, RegExp])[] = [
    ["no credentials", { ...RAW, credentials: undefined }, /no credentials/],
    ["a long-lived key", credentials({ AccessKeyId: "AKIAIOSFODNN7EXAMPLE" }), /access key ID/],
    ["a short key", credentials({ AccessKeyId: "ASIA123" }), /access key ID/],
    ["a key with a line break", credentials({ AccessKeyId: "ASIAIOSFODNN7EXAMPLE\n[x]" }), /access key ID/],
    ["no secret", credentials({ SecretAccessKey: undefined }), /secret access key/],
    ["a secret with a blank", credentials({ SecretAccessKey: "abc def ghi jkl mno pqr" }), /secret access key/],
    ["a token with a section in it", credentials({ SessionToken: "abcdefabcdefabcdef\n[admin]\n" }), /session token/],
    ["a quoted token", credentials({ SessionToken: '"abcdefabcdefabcdef"' }), /session token/],
    ["a token that is cut at a semicolon", credentials({ SessionToken: "abcdefabcdef;abcdef" }), /session token/],
    ["a token of 1 MiB", credentials({ SessionToken: "a".repeat(1024 * 1024) }), /session token/],
    ["no expiry", credentials({ Expiration: undefined }), /expiry is missing/],
    ["an expiry that is no time", credentials({ Expiration: new Date(Number.NaN) }), /expiry is missing/],
    ["a past expiry", credentials({ Expiration: new Date(NOW.getTime() - 1000) }), /in the past/],
    ["an expiry in the next century", credentials({ Expiration: new Date("2126-01-01") }), /too far away/],
    ["no role", { ...RAW, assumedRoleArn: undefined }, /names no role/],
    ["another account", { ...RAW, assumedRoleArn: "arn:aws:sts::999999999999:assumed-role/App/proj.host" }, /not for/],
    [
      "another partition",
      { ...RAW, assumedRoleArn: "arn:aws-cn:sts::123412341234:assumed-role/App/proj.host" },
      /not for/,
    ],
    ["another role", { ...RAW, assumedRoleArn: "arn:aws:sts::123412341234:assumed-role/Admin/proj.host" }, /not for/],
    ["another session", { ...RAW, assumedRoleArn: "arn:aws:sts::123412341234:assumed-role/App/evil" }, /not for/],
    ["a role with a line break", { ...RAW, assumedRoleArn: `${RAW.assumedRoleArn}\n[x]` }, /not for/],
  ];
  for (const [name, raw, says] of wrong) {
    test(`with ${name} is rejected, and shows no secret`, () => {
      const failure = failureOf(() => validateSession(raw, EXPECTED));
      assert.equal(failure.code, "STS_INVALID_RESPONSE");
      assert.match(failure.message, says);
      assert.doesNotMatch(failure.message, /\n/);
      const shown = inspect(failure);
      for (const secret of [raw.credentials?.SecretAccessKey, raw.credentials?.SessionToken]) {
        if (secret !== undefined) assert.ok(!shown.includes(secret.slice(0, 12)), shown);
      }
    });
  }
});

describe("the endpoint", () => {
  const region = "ap-northeast-1";
  const resolve = (url: string | undefined, env: Record<string, string> = {}) => resolveEndpoint({ region, url }, env);

  test("is the profile's, then AWS_ENDPOINT_URL_STS, then AWS_ENDPOINT_URL, then the region's", () => {
    const env = { AWS_ENDPOINT_URL_STS: "https://sts.example", AWS_ENDPOINT_URL: "https://all.example" };
    assert.equal(resolve("https://own.example", env).url, "https://own.example");
    assert.equal(resolve(undefined, env).url, "https://sts.example");
    assert.equal(resolve(undefined, { ...env, AWS_ENDPOINT_URL_STS: "" }).url, "https://all.example");
    assert.equal(resolve(undefined, { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }).url, undefined);
    assert.deepEqual(resolve(undefined), { region, url: undefined, useFips: false, useDualstack: false });
    assert.equal(resolve(undefined, { AWS_USE_FIPS_ENDPOINT: "true" }).useFips, true);
    assert.equal(resolve(undefined, { AWS_USE_DUALSTACK_ENDPOINT: "true" }).useDualstack, true);
    const own = { region, url: undefined, useFips: false };
    assert.equal(resolveEndpoint(own, { AWS_USE_FIPS_ENDPOINT: "true" }).useFips, false, "the profile's own counts");
  });

  for (const url of [
    "http://127.0.0.1:4566",
    "http://127.9.8.7",
    "http://localhost:1",
    "http://[::1]:1",
    "https://sts.example/path",
  ]) {
    test(`${url} is taken`, () => assert.equal(resolve(url).url, url));
  }

  for (const url of [
    "http://sts.amazonaws.com",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://10.0.0.1",
    "http://[::2]",
    "ftp://127.0.0.1",
    "https://user:secret@sts.example",
    "https://sts.example?x=secret",
    "sts.example",
    "",
  ]) {
    test(`${JSON.stringify(url)} is refused without showing a password`, () => {
      const failure = failureOf(() => resolve(url));
      assert.equal(failure.code, "ENDPOINT_REFUSED");
      assert.doesNotMatch(failure.message, /secret/);
    });
  }
});

describe("a session name", () => {
  const values = { profile: "a b", hostname: "host", project: "proj", instance: "vm.c.proj.internal" };

  test("is filled in, made valid and cut to 64", () => {
    assert.equal(renderSessionName("{project}.{instance}", values), "proj.vm.c.proj.internal");
    assert.equal(renderSessionName("{profile}@{hostname}", values), "a-b@host");
    assert.equal(renderSessionName("{unknown}", values), "-unknown-");
    assert.equal(renderSessionName("x".repeat(100), values).length, 64);
    assert.equal(renderSessionName("é💥", values), "--");
    assert.equal(renderSessionName("x", values), "x-");
    assert.equal(renderSessionName("", values), "rolefresh");
    assert.equal(renderSessionName("{profile}", { ...values, profile: "{project}" }), "-project-");
  });

  test("is one that STS takes, whatever went in", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), (template, instance) => {
        assert.match(renderSessionName(`${template}{instance}`, { ...values, instance }), /^[A-Za-z0-9_+=,.@-]{2,64}$/);
      }),
    );
  });

  test("tells whether it needs the metadata server", () => {
    assert.equal(needsInstance("{project}.x"), true);
    assert.equal(needsInstance("{hostname}.{profile}"), false);
  });
});

test("AWS's words lose keys and tokens and keep ARNs", () => {
  const arn = "arn:aws:iam::123412341234:role/my-gcp-role-20211031";
  assert.equal(redact(`Not authorized for ${arn}`), `Not authorized for ${arn}`);
  assert.equal(redact("key ASIAIOSFODNN7EXAMPLE bad"), "key ASIA[redacted] bad");
  assert.equal(redact(`secret ${CREDENTIALS.SecretAccessKey}!`), "secret [redacted]!");
  assert.equal(redact("jwt eyJhbGciOi.eyJpc3M.c2ln end"), "jwt [redacted] end");
  assert.equal(redact("two\nlines\u001b[31m"), "two lines [31m");
});

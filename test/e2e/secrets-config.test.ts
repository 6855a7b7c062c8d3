import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { MarkedSecrets } from "../support/marked-secrets.ts";
import { GCP_ARN, ONE_ROLE, openScene } from "../support/scene.ts";

// As secrets.test.ts, for secrets that people put into the wrong place of the config, and that a mistake would then tell to
// cron's mail.

const MARK = "MarkedByTheTest-NobodyMaySeeThis-0123456789";
const LONG_LIVED = "MarkedByTheTest/LongLivedKey+0123456789A";
const ROLE = `[legacy]\nrole_arn = ${GCP_ARN}\n`;
const JWT = ["eyJhbGciOiJSUzI1NiJ9", Buffer.from(`{"sub":"${MARK}"}`).toString("base64url"), MARK].join(".");
const ASSERTION = Buffer.from(`<samlp:Response>${MARK.repeat(8)}</samlp:Response>`).toString("base64");

/** The config, the secret in it, and what is said instead. */
const MISTAKES: Readonly<Record<string, readonly [config: string, secret: string, says: RegExp]>> = {
  "a user in endpoint_url": [
    `${ONE_ROLE}endpoint_url = https://jane:${MARK}@sts.corp.example\n`,
    MARK,
    /endpoint_url contains a user or password, which STS does not accept/,
  ],
  "a user in an endpoint_url that cannot be read": [
    `${ONE_ROLE}endpoint_url = https://jane:${MARK}@sts corp\n`,
    MARK,
    /endpoint_url = 'https:\/\/\[redacted\]@sts corp' is not an http\(s\) URL/,
  ],
  "a token in web_identity_token_file": [
    `${ROLE}web_identity_token_file = ${JWT}\n`,
    JWT,
    /web_identity_token_file is not a file path: .*\nrolefresh: hint: save it to a file with mode 0600/,
  ],
  "an assertion in saml_assertion_file": [
    `${ROLE}identity = saml\nsaml_assertion_file = ${ASSERTION}\n`,
    ASSERTION,
    /saml_assertion_file is not a file path/,
  ],
  "a colon for the equals sign": [
    `${ROLE}identity = url\nidentity_url = https://tokens.example\nidentity_header: X-Key: ${MARK}\n`,
    MARK,
    /:5: 'identity_header' is followed by ':' instead of '='\nrolefresh: hint: write 'identity_header = …'/,
  ],
  "a colon for the equals sign, and an equals sign behind it": [
    `${ROLE}identity = url\nidentity_url = https://tokens.example\nidentity_header: X-Key: ${MARK}==\n`,
    MARK,
    /:5: 'identity_header' is followed by ':'/,
  ],
  "a malformed header": [
    `${ROLE}identity = url\nidentity_url = https://tokens.example\nidentity_header = Bearer ${MARK}\n`,
    MARK,
    /identity_header/,
  ],
  "the second line of a wrapped token": [
    `${ROLE}web_identity_token_file = /run/token\n${Buffer.from(MARK).toString("base64")}=\n`,
    Buffer.from(MARK).toString("base64"),
    /:4: this line is neither a \[section\] nor 'key = value'/,
  ],
  "a secret key for a role": [
    `[legacy]\nrole_arn = ${LONG_LIVED}\nidentity = gcp-metadata\n`,
    LONG_LIVED,
    /role_arn = /,
  ],
  "a secret key for a duration": [`${ONE_ROLE}refresh_before = ${LONG_LIVED}\n`, LONG_LIVED, /is not a duration/],
  "a Google access token for an identity": [`${ROLE}identity = ya29.${MARK}\n`, MARK, /identity = '\[redacted\]'/],
};

suite("secrets in the wrong place of the config", () => {
  for (const [name, [config, secret, says]] of Object.entries(MISTAKES)) {
    test(`${name}: not shown`, async () => {
      await using scene = await openScene(config);
      const marked = new MarkedSecrets();
      marked.add(secret);
      for (const args of [
        ["--verbose"],
        ["--json"],
        ["--log-format", "json"],
        ["status"],
        ["doctor"],
        ["doctor", "--json"],
      ]) {
        const { code, stdout, stderr } = await scene.run(args);
        assert.equal(code, args[0] === "doctor" ? 1 : 78, stderr);
        marked.assertAbsent(stdout, `stdout of ${args.join(" ")}`);
        marked.assertAbsent(stderr, `stderr of ${args.join(" ")}`);
        if (args[0] === "--verbose") assert.match(stderr, says);
      }
    });
  }

  test("a token in the variable that names its file: not shown", async () => {
    await using scene = await openScene(`${ROLE}identity = kubernetes\n`);
    const marked = new MarkedSecrets();
    marked.add(JWT);
    for (const args of [["--verbose"], ["--json"], ["doctor", "--verbose"]]) {
      const { code, stdout, stderr } = await scene.run(args, { env: { AWS_WEB_IDENTITY_TOKEN_FILE: JWT } });
      assert.ok(code !== 0 && code !== 70, stderr);
      marked.assertAbsent(stdout, `stdout of ${args.join(" ")}`);
      marked.assertAbsent(stderr, `stderr of ${args.join(" ")}`);
    }
  });

  test("what is no secret is shown: long roles, paths and regions", async () => {
    const role = "arn:aws:iam::123412341234:role/teams/Billing-Export-For-The-Legacy-Report-20211031";
    await using scene = await openScene(`[legacy]\nrole_arn = ${role}\nidentity = gcp-metadata\n`);
    const { stderr } = await scene.run([]);
    assert.ok(stderr.includes(role), stderr);
    assert.doesNotMatch(stderr, /redacted/);
  });
});

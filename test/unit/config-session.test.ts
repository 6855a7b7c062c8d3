import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { ProfileSpec } from "../../src/config/config.ts";
import { ConfigIssues } from "../../src/config/config-issues.ts";
import { configFromSource } from "../../src/config/read.ts";

/** The configuration of what signs: SAML, sessions, AWS profiles, this machine's keys, second factors, endpoints. */

const ROLE = "role_arn = arn:aws:iam::123412341234:role/App\n";
const SERIAL = "arn:aws:iam::123412341234:mfa/jane";

function parse(text: string, untrusted?: string): readonly ProfileSpec[] {
  const file = "/h/.aws/rolefresh.ini";
  const source = { file, directory: "/h/.aws", text, untrusted };
  return configFromSource(source, { env: {}, home: "/h", cwd: "/" }, undefined).profiles;
}

function only(text: string): ProfileSpec {
  const [spec] = parse(text);
  assert.ok(spec);
  return spec;
}

function issuesOf(text: string, untrusted?: string): string {
  try {
    parse(text, untrusted);
  } catch (error) {
    assert.ok(error instanceof ConfigIssues);
    return error.issues.map(({ message, hint }) => `${message} | ${hint ?? ""}`).join("\n");
  }
  return "none";
}

suite("identities that sign", () => {
  test("saml: from a file or a command, the provider optional, the lifetime the assertion's", () => {
    const spec = only(`[a]\n${ROLE}identity = saml\nsaml_assertion_file = r.b64\n`);
    const assertion = { kind: "file", path: "/h/.aws/r.b64" };
    assert.deepEqual(spec.source, { kind: "saml", assertion, principalArn: undefined });
    assert.equal(spec.lifetimeMs, undefined);
    const timed = only(`[a]\n${ROLE}identity = saml\nsaml_command = login\nduration_seconds = 900\n`);
    assert.equal(timed.lifetimeMs, 900_000);
  });

  test("session: no role, twelve hours, up to thirty-six", () => {
    const text = `[*]\n${ROLE}\n[a]\nidentity = session\nsource_profile = long\n`;
    const spec = only(text);
    assert.deepEqual(spec.source, { kind: "session", sourceProfile: "long", mfa: undefined });
    assert.deepEqual([spec.role, spec.lifetimeMs, spec.endpoint.region], [undefined, 12 * 3_600_000, "us-east-1"]);
    assert.equal(only(`${text}duration_seconds = 129600\n`).durationSeconds, 129_600);
  });

  test("aws-profile and credential_source: with a role for AssumeRole, without one handed on", () => {
    const handed = only("[a]\nidentity = aws-profile\nsource_profile = dev\n");
    assert.deepEqual([handed.role, handed.lifetimeMs], [undefined, undefined]);
    const assumed = only(`[a]\n${ROLE}credential_source = EcsContainer\nexternal_id = x1\ntags = a=b\n`);
    assert.equal(assumed.lifetimeMs, 3_600_000);
    assert.deepEqual(assumed.source, {
      kind: "credential-source",
      credentialSource: "EcsContainer",
      externalId: "x1",
      sourceIdentity: undefined,
      tags: [{ key: "a", value: "b" }],
      transitiveTagKeys: [],
      mfa: undefined,
    });
  });

  test("a role that starts from a session may live longer than an hour, one that starts from a role may not", () => {
    const chain = (identity: string) => `[a]\n${identity}\n[b]\n${ROLE}source_profile = a\nduration_seconds = 7200\n`;
    assert.equal(issuesOf(chain("identity = session\nsource_profile = long\n")), "none");
    assert.match(issuesOf(chain(`${ROLE}identity = gcp-metadata\n`)), /exceeds the hour of a chained role/);
  });

  test("endpoint keys", () => {
    const spec = only(`[a]\n${ROLE}identity = gcp-metadata\nuse_fips_endpoint = true\nca_bundle = ~/ca.pem\n`);
    assert.deepEqual([spec.endpoint.useFips, spec.endpoint.caBundle], [true, "/h/ca.pem"]);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["saml without an assertion", `[a]\n${ROLE}identity = saml\n`, /saml_assertion_file or saml_command is missing/],
    ["saml with two", `[a]\n${ROLE}identity = saml\nsaml_assertion_file = a\nsaml_command = b\n`, /exclude each other/],
    [
      "saml with a provider that is none",
      `[a]\n${ROLE}identity = saml\nsaml_command = b\nprincipal_arn = arn:aws:iam::1:role\n`,
      /principal_arn = .* is not valid \| write arn:aws:iam::ACCOUNT:saml-provider/,
    ],
    [
      "saml with a session name",
      `[a]\n${ROLE}identity = saml\nsaml_command = b\nrole_session_name = joe\n`,
      /role_session_name has no effect with identity = saml/,
    ],
    ["saml without a role", "[a]\nidentity = saml\nsaml_command = b\n", /role_arn is missing/],
    ["session without a source", "[a]\nidentity = session\n", /source_profile is missing/],
    [
      "session with a role",
      `[a]\n${ROLE}identity = session\nsource_profile = long\n`,
      /role_arn has no effect with identity = session \| move it to a section for the role/,
    ],
    [
      "session from its own section",
      "[a]\nidentity = session\nsource_profile = a\n",
      /'a' has no long-lived keys: rolefresh writes that section \| .*NAME-long-term/,
    ],
    [
      "session for too long",
      "[a]\nidentity = session\nsource_profile = l\nduration_seconds = 129601\n",
      /from 900 to 129600/,
    ],
    ["aws-profile without a profile", "[a]\nidentity = aws-profile\n", /source_profile is missing/],
    [
      "aws-profile from its own section",
      "[a]\nidentity = aws-profile\nsource_profile = a\n",
      /rolefresh writes: .* \| rename this section/,
    ],
    [
      "aws-profile with a duration and no role",
      "[a]\nidentity = aws-profile\nsource_profile = dev\nduration_seconds = 3600\n",
      /duration_seconds has no effect without role_arn/,
    ],
    ["a credential_source that is none", `[a]\n${ROLE}credential_source = Ec2\n`, /one of Environment, Ec2Instance/],
    [
      "credential_source beside source_profile",
      `[a]\n${ROLE}credential_source = Environment\nsource_profile = b\n`,
      /source_profile and credential_source exclude each other/,
    ],
    [
      "credential_source beside identity",
      `[a]\n${ROLE}credential_source = Environment\nidentity = gcp-metadata\n`,
      /identity and credential_source exclude each other/,
    ],
    [
      "a serial without a command",
      `[a]\n${ROLE}source_profile = long\nmfa_serial = ${SERIAL}\n`,
      /mfa_serial needs mfa_command too \| .*oathtool/,
    ],
    ["a command without a serial", `[a]\n${ROLE}source_profile = l\nmfa_command = x\n`, /mfa_command needs mfa_serial/],
    [
      "a serial that is none",
      `[a]\n${ROLE}source_profile = long\nmfa_serial = a b\nmfa_command = x\n`,
      /mfa_serial = 'a b' is not valid/,
    ],
    [
      "a second factor for a token",
      `[a]\n${ROLE}identity = gcp-metadata\nmfa_serial = ${SERIAL}\nmfa_command = x\n`,
      /mfa_serial has no effect with identity = gcp-metadata \| remove it: it belongs to source_profile/,
    ],
    ["a flag that is none", `[a]\n${ROLE}identity = gcp-metadata\nuse_fips_endpoint = yes\n`, /one of true, false/],
  ];
  for (const [name, text, says] of wrong) test(`${name} is a mistake`, () => assert.match(issuesOf(text), says));

  for (const key of ["mfa_command", "saml_command"]) {
    test(`${key} of a file that others may write is refused`, () => {
      const rest = key === "mfa_command" ? `source_profile = l\nmfa_serial = ${SERIAL}` : "identity = saml";
      const text = `[a]\n${ROLE}${rest}\n${key} = x\n`;
      assert.match(issuesOf(text, "others can write to the file"), new RegExp(`${key} is refused`));
    });
  }
});

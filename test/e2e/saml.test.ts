import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { suite, test } from "node:test";

import { makeSamlResponse, type SamlClaims } from "../sandbox/saml.ts";
import type { SandboxRole } from "../sandbox/sandbox.ts";
import { isThere, runOverdue } from "../support/overdue.ts";
import { openScene, type Scene, valuesOf } from "../support/scene.ts";
import { SigningProbe } from "../support/signing-probe.ts";

/*
 * identity = saml, the whole way. What a response holds is taken from the IAM User Guide, "Configure SAML assertions for the
 * authentication response" (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html).
 */

const ROLE = "arn:aws:iam::123412341234:role/Legacy";
const PROVIDER = "arn:aws:iam::123412341234:saml-provider/Corp";
const FILE = `[legacy]\nrole_arn = ${ROLE}\nidentity = saml\nsaml_assertion_file = response.b64\n`;
const COMMAND = FILE.replace("saml_assertion_file = response.b64", 'saml_command = "cat $HOME/.aws/response.b64"');
const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };

const GOOD: SamlClaims = { roles: [`${ROLE},${PROVIDER}`] };

function role(changes: Partial<SandboxRole> = {}): SandboxRole {
  return {
    arn: ROLE,
    trustPolicy: {
      Statement: {
        Effect: "Allow",
        Principal: { Federated: PROVIDER },
        Action: "sts:AssumeRoleWithSAML",
        Condition: { StringEquals: { "SAML:aud": "https://signin.aws.amazon.com/saml" } },
      },
    },
    ...changes,
  };
}

async function openSaml(response: string | undefined, config = FILE, theRole = role()): Promise<Scene> {
  const scene = await openScene(config, { roles: [theRole] });
  if (response !== undefined) await scene.home.write(".aws/response.b64", response);
  return scene;
}

suite("a SAML assertion becomes credentials", () => {
  for (const [name, config] of [
    ["from a file", FILE],
    ["from a command", COMMAND],
  ] as const) {
    test(`${name}: the provider is the assertion's, and so is the session's name`, async () => {
      await using scene = await openSaml(makeSamlResponse(GOOD), config);
      assert.deepEqual(await scene.run([]), SILENT);
      const values = valuesOf(await scene.credentials(), "legacy");
      assert.equal(values["x_principal_arn"], "arn:aws:sts::123412341234:assumed-role/Legacy/jane@example.com");
      assert.match(await new SigningProbe(scene).callerArn("legacy"), /assumed-role\/Legacy\/jane@example\.com$/);
      const [call] = scene.sandbox.callsTo("AssumeRoleWithSAML");
      assert.deepEqual([call?.signed, call?.parameters["PrincipalArn"]], [false, PROVIDER]);
      assert.equal(call?.durationSeconds, undefined);
    });
  }

  test("a fresh section is left alone, although the session name is the identity provider's", async () => {
    await using scene = await openSaml(makeSamlResponse(GOOD));
    await scene.run([]);
    assert.deepEqual(await scene.run([]), SILENT);
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithSAML").length, 1);
  });

  test("the XML itself and base64 with line breaks are accepted too, and the pair in either order", async () => {
    const base64 = makeSamlResponse({ roles: [` ${PROVIDER} , ${ROLE} `] });
    const xml = Buffer.from(base64, "base64").toString("utf8");
    for (const text of [xml, `\n${base64.replaceAll(/.{76}/g, "$&\r\n")}\n`]) {
      await using scene = await openSaml(text);
      assert.deepEqual(await scene.run([]), SILENT);
    }
  });

  test("the duration is the configured one, else the assertion's", async () => {
    const long = role({ maxSessionDuration: 43_200 });
    await using scene = await openSaml(makeSamlResponse({ ...GOOD, sessionDuration: 28_800 }), FILE, long);
    assert.deepEqual(await scene.run([]), SILENT);
    await scene.home.write(".aws/rolefresh.ini", `${FILE}duration_seconds = 7200\n`);
    assert.deepEqual(await scene.run(["--force"]), SILENT);
    const durations = scene.sandbox.callsTo("AssumeRoleWithSAML").map(({ durationSeconds }) => durationSeconds);
    assert.deepEqual(durations, [28_800, 7200]);
  });

  test("an assertion's duration that the role does not allow gives way to the default (samltoawsstskeys#61)", async () => {
    await using scene = await openSaml(makeSamlResponse({ ...GOOD, sessionDuration: 28_800 }));
    assert.deepEqual(await scene.run([]), SILENT);
    const durations = scene.sandbox.callsTo("AssumeRoleWithSAML").map(({ durationSeconds }) => durationSeconds);
    assert.deepEqual(durations, [28_800, undefined]);
  });

  test("SessionNotOnOrAfter ends the session, and the file says so", async () => {
    const end = new Date(Date.now() + 40 * 60_000);
    await using scene = await openSaml(makeSamlResponse({ ...GOOD, sessionNotOnOrAfter: end }));
    assert.deepEqual(await scene.run([]), SILENT);
    const expires = valuesOf(await scene.credentials(), "legacy")["x_security_token_expires"] ?? "";
    assert.ok(Math.abs(Date.parse(expires) - end.getTime()) < 5000, expires);
    const check = await scene.run(["check"]);
    assert.equal(check.code, 1, "40 minutes are more than the window of 20 for an unknown lifetime");
  });
});

suite("an invalid SAML assertion", () => {
  /** Fails before or at STS, with the line to type, and never shows a piece of the assertion. */
  async function fails(
    response: string | undefined,
    code: number,
    says: RegExp,
    calls: number,
    config = FILE,
  ): Promise<void> {
    await using scene = await openSaml(response, config);
    const result = await scene.run(["--verbose"]);
    assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
    assert.match(result.stderr, says);
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithSAML").length, calls, "calls to STS");
    const { stderr } = result;
    if (response !== undefined && response.length > 200)
      for (let at = 0; at + 40 < response.length; at += 400) assert.ok(!stderr.includes(response.slice(at, at + 24)));
    assert.doesNotMatch(stderr, /SignatureValue|NameID|jane/);
    assert.doesNotMatch((await scene.home.awsFiles()).join(), /credentials/);
  }

  const soon = (minutes: number) => new Date(Date.now() + minutes * 60_000);
  const cases: readonly (readonly [string, string | undefined, number, RegExp, number])[] = [
    ["no file", undefined, 66, /there is no SAML response .*response\.b64/, 0],
    ["an empty file", "", 65, /is invalid: it is empty/, 0],
    ["garbage", "\u0000\u0001garbage", 65, /is invalid: it is not base64/, 0],
    ["base64 of something else", Buffer.from("hello").toString("base64"), 65, /is invalid: it is not XML/, 0],
    ["another XML document", "<a><b/></a>", 65, /it is not a SAML response/, 0],
    ["a login page", "<!DOCTYPE html><html><body>Log in</body></html>", 65, /it is a web page\n.*log in again/, 0],
    ["entities", `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, 65, /it is not XML/, 0],
    ["10 MB", "A".repeat(10_000_000), 65, /is too long: 10000000 bytes/, 0],
    ["more than STS takes", "A".repeat(120_000), 65, /it has more than 100000 characters/, 0],
    [
      "a refusal",
      makeSamlResponse({ ...GOOD, status: "AuthnFailed" }),
      77,
      /reports a failed login: AuthnFailed\n.*log in/,
      0,
    ],
    [
      "an expired one",
      makeSamlResponse({ ...GOOD, issuedAt: soon(-20), notOnOrAfter: soon(-15) }),
      77,
      /expired at 20.*Z\n.*log in to the identity provider again/,
      0,
    ],
    [
      "one from the future",
      makeSamlResponse({ ...GOOD, issuedAt: soon(30), notOnOrAfter: soon(40) }),
      77,
      /is not valid before/,
      0,
    ],
    [
      "one for somebody else",
      makeSamlResponse({ ...GOOD, audience: "https://sp.example/saml" }),
      77,
      /is https:\/\/sp\.example\/saml, not AWS/,
      0,
    ],
    [
      "one without the role",
      makeSamlResponse({ roles: [`arn:aws:iam::123412341234:role/Other,${PROVIDER}`] }),
      77,
      /does not offer .*role\/Legacy\n.*offered roles: .*role\/Other/,
      0,
    ],
    ["one without roles", makeSamlResponse({ roles: [] }), 77, /the response offers no role/, 0],
    [
      "one that is forged",
      makeSamlResponse({ ...GOOD, signature: "AAAA" }),
      77,
      /InvalidIdentityToken: Response signature/,
      1,
    ],
    [
      "one that the trust policy does not let in",
      makeSamlResponse({ ...GOOD, recipient: "https://elsewhere.example" }),
      77,
      /AccessDenied.*\n.*sts:AssumeRoleWithSAML to .*saml-provider\/Corp/,
      1,
    ],
  ];
  for (const [name, response, code, says, calls] of cases)
    test(`${name}: exit ${code}`, () => fails(response, code, says, calls));

  test("another provider than the configured one is pointed out", () =>
    fails(
      makeSamlResponse(GOOD),
      77,
      /does not offer .* through .*Other\n.*principal_arn = .*saml-provider\/Corp/,
      0,
      `${FILE}principal_arn = ${PROVIDER.replace("Corp", "Other")}\n`,
    ));

  test("an encrypted one needs principal_arn, and is then passed to STS", async () => {
    const sealed = Buffer.from(
      '<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status><a:EncryptedAssertion/></p:Response>',
    ).toString("base64");
    await fails(sealed, 78, /is encrypted, and principal_arn is not set/, 0);
    await fails(sealed, 77, /InvalidIdentityToken/, 1, `${FILE}principal_arn = ${PROVIDER}\n`);
  });

  const commands: readonly (readonly [string, string, number, RegExp])[] = [
    ["that is not there", "/nonexistent/login", 69, /`saml_command` cannot be run \(exit 127\).*\n.*full path/],
    ["that fails", "echo no session >&2; exit 3", 75, /`saml_command` failed with exit 3: no session/],
    ["that prints nothing", "true", 76, /the SAML response of `saml_command` is invalid: it is empty/],
    ["that prints a page", "echo '<html>'", 76, /it is a web page/],
    ["that prints too much", "head -c 300000 /dev/zero", 76, /`saml_command` printed too much/],
    ["that hangs", "touch $HOME/reached; sleep 600", 75, /`saml_command` has not ended: timed out after/],
  ];
  for (const [name, command, code, says] of commands) {
    test(`a command ${name}: exit ${code}, its command line is not shown`, async () => {
      const secret = `${command} # token-s3cr3t`;
      await using scene = await openSaml(undefined, COMMAND.replace(/saml_command = .*/, `saml_command = "${secret}"`));
      const result = await runOverdue(scene, ["--verbose"], isThere(`${scene.home.path}/reached`));
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, says);
      assert.doesNotMatch(result.stderr, /s3cr3t/);
    });
  }

  test("a directory or an unreadable file: exit 77", async (t) => {
    await using scene = await openSaml(undefined);
    await mkdir(`${scene.home.path}/.aws/response.b64`);
    const directory = await scene.run([]);
    assert.equal(directory.code, 77, directory.stderr);
    assert.match(directory.stderr, /is not a regular file/);
    if (process.geteuid?.() === 0) t.diagnostic("root may read everything: the unreadable file is not tried");
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Failure, type FailureCode } from "../../src/base/failure.ts";
import { Secret } from "../../src/base/secret.ts";
import { type Edit, type ManagedKeys } from "../../src/credentials-file/edit.ts";
import { isManagedKey } from "../../src/credentials-file/managed.ts";
import { ownershipOf } from "../../src/credentials-file/ownership.ts";
import { documentOf, NEW_KEYS, REMOVE, WRITE } from "../support/credentials-file-keys.ts";
import { guardSplice, spliceProfiles } from "../support/credentials-file-splice.ts";

const TEMPORARY = "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\n";

function throwsFailure(work: () => unknown, code: FailureCode, message: RegExp): void {
  assert.throws(
    work,
    (error: unknown) => error instanceof Failure && error.code === code && message.test(error.message),
  );
}

test("a section that was written is read back whole", () => {
  const written = spliceProfiles(documentOf("# mine\n"), new Map([["p", WRITE]]));
  const section = documentOf(written).profile("p");
  assert.ok(section?.isComplete);
  assert.equal(section.line, 3);
  assert.equal(section.accessKeyId, "ASIANEW");
  assert.equal(section.secretAccessKey?.reveal(), "new/secret+key=");
  assert.equal(section.sessionToken?.reveal(), "new/token+==");
  assert.ok(section.securityToken?.equals(NEW_KEYS.sessionToken));
  assert.equal(section.principalArn, NEW_KEYS.principalArn);
  assert.deepEqual(section.expiresAt, NEW_KEYS.expiresAt);
  assert.equal(section.manager, "rolefresh");
  assert.ok(section.entries.every(({ key }) => isManagedKey(key)));
});

test("a value on which the readers disagree is unknown, so that it is written anew", () => {
  for (const line of [
    "aws_access_key_id: ASIAX",
    "AWS_ACCESS_KEY_ID = ASIAX",
    "aws_access_key_id = ASIAX # c",
    'aws_access_key_id = "ASIAX"',
    "aws_access_key_id =",
    "aws_access_key_id = A\naws_access_key_id = B",
    "aws_access_key_id = A\n  B",
    // Found by the fuzzer: part of the value above for Python's readers, the key itself for JavaScript's.
    "aws_access_key_id = A\nregion = x\n aws_access_key_id = B",
    "aws_access_key_id = A\n\ufeffaws_access_key_id = B",
    "aws_access_key_id = A\rB",
  ]) {
    assert.equal(documentOf(`[p]\n${line}\n`).profile("p")?.accessKeyId, undefined, line);
  }
  assert.equal(documentOf("[p]\naws_access_key_id=ASIAX\n").profile("p")?.accessKeyId, "ASIAX");
});

test("an expiry that is not RFC 3339 is unknown", () => {
  for (const value of ["2026-11-23 10:00:00", "1795428000", "soon"]) {
    assert.equal(documentOf(`[p]\nx_security_token_expires = ${value}\n`).profile("p")?.expiresAt, undefined, value);
  }
});

test("nothing in a section that is there twice can be believed", () => {
  assert.equal(documentOf(`[p]\n${TEMPORARY}[p]\n${TEMPORARY}`).profile("p")?.accessKeyId, undefined);
});

test("what makes the whole file unreadable to a reader is warned about", () => {
  const readersOf = (text: string) => documentOf(text).warnings.flatMap(({ readers }) => readers);
  assert.deepEqual(readersOf("[p]\ns3 =\n  a = b\n"), []);
  assert.deepEqual(readersOf("[p]\ns3 =\n  a\n"), ["botocore"]);
  // `str.splitlines`, with which botocore takes a nested block apart, ends a line here (found by the fuzzer).
  assert.deepEqual(readersOf("[p]\ns3 =\n  a = b\u2028c\n"), ["botocore"]);
  // botocore meets what stands in [DEFAULT] in every other section, and without one not at all (found by the fuzzer).
  assert.deepEqual(readersOf("[DEFAULT]\ns3 =\n  a\n"), []);
  assert.deepEqual(readersOf("[DEFAULT]\ns3 =\n  a\n[p]\n"), ["botocore"]);
  assert.deepEqual(readersOf("[__proto__]\nregion = x\n"), ["JavaScript v3"]);
});

test("where some readers see the section twice, nothing in it can be believed (found by the fuzzer)", () => {
  for (const again of ["[p] # [q]", "[a]\nx = y\n [p]", "[p]q]"])
    assert.equal(documentOf(`[p]\n${TEMPORARY}${again}\nregion = x\n`).profile("p")?.accessKeyId, undefined, again);
});

test("a byte order mark that hides a key from Python alone is refused, in files that are not UTF-8 as well", () => {
  for (const line of [" \ufeffaws_access_key_id = x", "aws_access_key_id\ufeff = x"]) {
    const bytes = Buffer.concat([Buffer.from("# caf\u00e9\n", "latin1"), Buffer.from(`[p]\n${TEMPORARY}${line}\n`)]);
    const edits = new Map([["p", WRITE]]);
    const edit = () => guardSplice("credentials", bytes, spliceProfiles(documentOf(bytes), edits), edits);
    throwsFailure(edit, "FILE_UNSAFE", /byte order mark|characters that only some readers/);
  }
});

test("a section prints without its secrets", () => {
  const section = documentOf(
    "[p]\naws_access_key_id = ASIAX\naws_secret_access_key = hush\naws_session_token = hush\nother = hush\n",
  ).profile("p");
  assert.doesNotMatch(
    inspect(section?.entries.map(({ value, agreed }) => ({ value, agreed }))) +
      JSON.stringify(section?.secretAccessKey),
    /hush/,
  );
});

const owners: readonly (readonly [string, string, "ours" | "free" | RegExp])[] = [
  ["no keys", "region = x\n", "free"],
  ["temporary keys that nobody manages", TEMPORARY, "free"],
  ["temporary keys with the old token key", TEMPORARY.replace("session_token", "security_token"), "free"],
  ["our mark", `${TEMPORARY}manager = rolefresh\n`, "ours"],
  ["our mark with a comment behind", `${TEMPORARY}manager = rolefresh # do not edit\n`, "ours"],
  [
    "our mark, the token deleted",
    "aws_access_key_id = ASIAX\naws_secret_access_key = s\nmanager = rolefresh\n",
    "ours",
  ],
  ["our mark alone", "manager = rolefresh\n", "ours"],
  ["a long-lived key", "aws_access_key_id = AKIAX\naws_secret_access_key = s\n", /long-lived access key/],
  ["a long-lived key with a token", TEMPORARY.replace("ASIAX", "AKIAX"), /long-lived access key/],
  [
    "a long-lived key under our mark",
    `${TEMPORARY.replace("ASIAX", "AKIAX")}manager = rolefresh\n`,
    /long-lived access key/,
  ],
  [
    "a quoted long-lived key with a comment",
    'aws_access_key_id : "AKIAX" # mine\naws_session_token = t\n',
    /long-lived access key/,
  ],
  [
    "a key of another kind without token",
    "aws_access_key_id = XXXX\naws_secret_access_key = s\n",
    /without a session token/,
  ],
  [
    "a key with an empty token",
    "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token =\n",
    /temporary access key without its session token/,
  ],
  ["a secret alone", "aws_secret_access_key = s\n", /secret access key/],
  ["a foreign manager", `${TEMPORARY}manager = awsume\n`, /managed by 'awsume'/],
  ["two managers", `${TEMPORARY}manager = rolefresh\nMANAGER = awsume\n`, /managed by 'awsume'/],
  ["an empty manager", `${TEMPORARY}manager =\n`, "free"],
  ["role_arn", "Role_ARN = arn:aws:iam::1:role/R\n", /role_arn/],
  ["source_profile", "source_profile = q\n", /source_profile/],
  ["credential_process", `${TEMPORARY}manager = rolefresh\ncredential_process = x\n`, /credential_process/],
  ["credential_source", "credential_source = Environment\n", /credential_source/],
  ["mfa_serial", "mfa_serial = x\n", /mfa_serial/],
  ["any sso key", "sso_registration_scopes = x\n", /sso_registration_scopes/],
];
for (const [what, body, expected] of owners) {
  test(`whose a section is: ${what}`, () => {
    const ownership = ownershipOf(documentOf(`[p]\n${body}`).profile("p"));
    if (typeof expected === "string") assert.equal(ownership.kind, expected);
    else if (ownership.kind === "foreign") {
      assert.match(ownership.reason, expected);
      assert.doesNotMatch(ownership.reason, /AKIA|ASIA|XXXX/);
      assert.ok(ownership.line > 1);
    } else assert.fail(`it is ${ownership.kind}`);
  });
}

test("a section that is not there may be written", () => {
  assert.equal(ownershipOf(undefined).kind, "free");
});

const write = (keys: Partial<ManagedKeys>): Edit => ({ kind: "write", keys: { ...NEW_KEYS, ...keys } });

test("a value that would break the file is refused, and not shown", () => {
  for (const value of [
    "",
    " t",
    "t ",
    "t\nmanager = x",
    "t\r",
    "t\0",
    "t\u0085",
    "té",
    '"t"',
    "#t",
    ";t",
    "a b",
    "t\u2028",
  ]) {
    throwsFailure(
      () => spliceProfiles(documentOf(""), new Map([["p", write({ sessionToken: new Secret(value) })]])),
      "STS_INVALID_RESPONSE",
      /^the aws_session_token for profile 'p' is not a value/,
    );
  }
  throwsFailure(
    () => spliceProfiles(documentOf(""), new Map([["p", write({ principalArn: "a]\n[q]" })]])),
    "STS_INVALID_RESPONSE",
    /x_principal_arn/,
  );
});

test("a name that would break the file is refused (GRAMMAR 9)", () => {
  for (const name of [
    "",
    "a]b",
    "a\nb",
    " a",
    "a ",
    "a\u007f",
    "DEFAULT",
    "__proto__",
    "constructor",
    "toString",
    "a #b",
    "\ud800",
  ]) {
    throwsFailure(
      () => spliceProfiles(documentOf(""), new Map([[name, WRITE]])),
      "CONFIG_INVALID",
      /invalid profile name/,
    );
  }
  for (const name of ["a.b", "x@y/z", "a b", "pré", "a:b+c%d", "a=b", "a[b", "a#b", "default"]) {
    const after = spliceProfiles(documentOf(""), new Map([[name, WRITE]]));
    guardSplice("credentials", Buffer.alloc(0), after, new Map([[name, WRITE]]));
    assert.ok(documentOf(after).profile(name)?.isComplete, name);
  }
});

const BEFORE = Buffer.from(
  `# top\n[q]\nregion = x\ns3 =\n  a = b\n\n# about p\n[p]\n${TEMPORARY}output = json\n\n[r]\nregion = y\n`,
);
const EDITS = new Map([["p", WRITE]]);
const AFTER = spliceProfiles(documentOf(BEFORE), EDITS).toString();

const sabotage: readonly (readonly [string, (after: string) => string])[] = [
  ["loses a comment", (after) => after.replace("# about p\n", "")],
  ["loses a key of others", (after) => after.replace("output = json\n", "")],
  ["loses a section", (after) => after.replace("[r]\nregion = y\n", "")],
  ["loses an empty rest", (after) => after.slice(0, after.indexOf("[r]"))],
  ["changes a value of others", (after) => after.replace("region = y", "region = z")],
  ["changes the order", (after) => after.replace(/(\[q\][^]*)(\[r\][^]*)/, "$2$1")],
  ["renames a section", (after) => after.replace("[r]", "[R]")],
  [
    "writes a wrong token",
    (after) => after.replace("aws_session_token = new/token+==", "aws_session_token = new/token+="),
  ],
  ["quotes a token, as the npm package ini does", (after) => after.replace("= new/token+==", '= "new/token+=="')],
  ["leaves a stale token", (after) => after.replace("aws_security_token = new/token+==", "aws_security_token = stale")],
  ["adds a key twice", (after) => after.replace("[p]\n", "[p]\nmanager = rolefresh\n")],
  ["leaves out a key", (after) => after.replace("manager = rolefresh\n", "")],
  ["adds a section twice, as okta-aws-cli did", (after) => `${after}[p]\n`],
  [
    "indents a key, which continues another for Python",
    (after) => after.replace("aws_secret_access_key", "  aws_secret_access_key"),
  ],
  ["separates with a colon, which JavaScript does not know", (after) => after.replace("manager = ", "manager: ")],
  ["puts a comment behind a value", (after) => after.replace("= rolefresh", "= rolefresh # us")],
  ["writes an upper-case key", (after) => after.replace("manager =", "Manager =")],
  ["puts keys under an indented header", (after) => after.replace("[r]", "  [r]")],
  ["writes into another section", (after) => after.replace("[r]\n", "[r]\nmanager = rolefresh\n")],
];
for (const [what, spoil] of sabotage) {
  test(`the guard stops an edit that ${what}`, () => {
    const spoilt = spoil(AFTER);
    assert.notEqual(spoilt, AFTER);
    throwsFailure(
      () => guardSplice("credentials", BEFORE, Buffer.from(spoilt), EDITS),
      "FILE_UNSAFE",
      /^cannot edit credentials safely/,
    );
  });
}

test("the guard lets a right edit through", () => {
  guardSplice("credentials", BEFORE, Buffer.from(AFTER), EDITS);
});

test("the guard sees one odd byte become another", () => {
  const before = Buffer.from("[q]\nregion = \u00e9\n", "latin1");
  const after = Buffer.from(
    spliceProfiles(documentOf(before), EDITS).toString("latin1").replace("\u00e9", "\u00ea"),
    "latin1",
  );
  throwsFailure(() => guardSplice("credentials", before, after, EDITS), "FILE_UNSAFE", /outside the managed keys/);
});

test("the guard stops a removal that leaves a key or takes one of others", () => {
  const whole = Buffer.from(AFTER);
  const edits = new Map([["p", REMOVE]]);
  const removed = spliceProfiles(documentOf(whole), edits).toString();
  guardSplice("credentials", whole, Buffer.from(removed), edits);
  throwsFailure(
    () => guardSplice("credentials", whole, Buffer.from(removed.replace("output = json\n", "")), edits),
    "FILE_UNSAFE",
    /would miss something of \[p\]/,
  );
  throwsFailure(
    () => guardSplice("credentials", whole, Buffer.from(removed.replace("[p]\n", "[p]\nmanager = rolefresh\n")), edits),
    "FILE_UNSAFE",
    /manager/,
  );
});

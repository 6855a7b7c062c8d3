import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { isLinkLocalHost, isLoopbackHost, isPrivateHost } from "../../src/base/host.ts";
import type { IdentitySource } from "../../src/config/config.ts";
import { ConfigIssues } from "../../src/config/config-issues.ts";
import { configFromSource, readConfig } from "../../src/config/read.ts";
import { toInvocation } from "../../src/command-line/to-invocation.ts";
import { findText, textInJson } from "../../src/net/json-response.ts";

const ROLE = "role_arn = arn:aws:iam::123412341234:role/r";

function parse(keys: string, untrusted?: string): IdentitySource {
  const source = {
    file: "/h/.aws/rolefresh.ini",
    directory: "/h/.aws",
    text: `[a]\n${ROLE}\n${keys}\n`,
    untrusted,
  };
  const [profile] = configFromSource(source, { env: {}, home: "/h", cwd: "/" }, undefined).profiles;
  assert.ok(profile?.source.kind === "web-identity");
  return profile.source.identity;
}

function issuesOf(keys: string, untrusted?: string): string {
  try {
    parse(keys, untrusted);
  } catch (error) {
    assert.ok(error instanceof ConfigIssues);
    return error.issues.map(({ message, hint }) => `${message} | ${hint}`).join("\n");
  }
  return "none";
}

suite("the identities of a config", () => {
  const good: readonly (readonly [string, IdentitySource])[] = [
    ["identity = gcp-adc", { kind: "gcp-adc", audience: undefined, serviceAccount: undefined }],
    [
      "identity = gcp-adc\naudience = gcp\nservice_account = x@y.iam.gserviceaccount.com",
      { kind: "gcp-adc", audience: "gcp", serviceAccount: "x@y.iam.gserviceaccount.com" },
    ],
    ["identity = github-actions", { kind: "github-actions", audience: "sts.amazonaws.com" }],
    ["identity = github-actions\naudience = a", { kind: "github-actions", audience: "a" }],
    ["identity = gitlab", { kind: "gitlab", variable: "AWS_ID_TOKEN", audience: undefined }],
    ["identity = gitlab\nidentity_env = MY_TOKEN", { kind: "gitlab", variable: "MY_TOKEN", audience: undefined }],
    ["identity = azure\naudience = api://x", { kind: "azure", audience: "api://x", clientId: undefined }],
    [
      "identity = azure\nclient_id = bbbbbbbb-0000-0000-0000-000000000002",
      { kind: "azure", audience: undefined, clientId: "bbbbbbbb-0000-0000-0000-000000000002" },
    ],
    ["identity = kubernetes", { kind: "kubernetes", path: undefined, audience: undefined }],
    [
      "identity = kubernetes\nweb_identity_token_file = token",
      { kind: "kubernetes", path: "/h/.aws/token", audience: undefined },
    ],
    [
      "identity = url\nidentity_url = http://127.0.0.1:8200/x",
      { kind: "url", url: "http://127.0.0.1:8200/x", headers: [], jsonPath: undefined, audience: undefined },
    ],
    [
      "identity = url\nidentity_url = https://v.example/x?a=b\nidentity_header[] = X-Vault-Token: {env:VAULT_TOKEN}\nidentity_header[] = Accept:application/json\nidentity_json_path = $.data.tokens[0]",
      {
        kind: "url",
        url: "https://v.example/x?a=b",
        headers: [
          { name: "X-Vault-Token", template: "{env:VAULT_TOKEN}" },
          { name: "Accept", template: "application/json" },
        ],
        jsonPath: "$.data.tokens[0]",
        audience: undefined,
      },
    ],
  ];
  for (const [keys, expected] of good) {
    test(`${keys.replaceAll("\n", ", ")} is read`, () => assert.deepEqual(parse(keys), expected));
  }

  test("identity_header may also be repeated without brackets, or stand once", () => {
    const url = "identity = url\nidentity_url = https://v.example";
    const repeated = parse(`${url}\nidentity_header = A: 1\nidentity_header = B: 2`);
    assert.ok(repeated.kind === "url");
    assert.deepEqual(
      repeated.headers.map(({ name }) => name),
      ["A", "B"],
    );
    const once = parse(`${url}\nidentity_header = A: 1`);
    assert.ok(once.kind === "url");
    assert.deepEqual(once.headers, [{ name: "A", template: "1" }]);
  });

  const bad: readonly (readonly [string, RegExp])[] = [
    ["identity = url", /identity_url is missing/],
    ["identity = url\nidentity_url = http://v.example/x", /plain http to another host, v\.example \| .*use https/],
    ["identity = url\nidentity_url = file:///etc/passwd", /not an http\(s\) URL/],
    ["identity = url\nidentity_url = https://u:p@v.example", /without a user \| put secrets into identity_header/],
    [
      "identity = url\nidentity_url = https://v\nidentity_header = secret",
      /:5: \[a\] identity_header is not 'Name: value'/,
    ],
    [
      "identity = url\nidentity_url = https://v\nidentity_header[] = A: {env:a b}",
      /\{env:a b\} does not name an environment variable/,
    ],
    ["identity = url\nidentity_url = https://v\nidentity_header[] = A b: c", /is not 'Name: value'/],
    [
      "identity = url\nidentity_url = https://v\nidentity_json_path = a..b",
      /identity_json_path = 'a\.\.b' is not valid/,
    ],
    ["identity = url\nidentity_url = https://v\nidentity_url = https://w", /identity_url is repeated/],
    ["identity = url\nidentity_url[] = https://v", /unknown key 'identity_url\[\]'/],
    ["identity = gitlab\nidentity_env = A-B", /identity_env = 'A-B' is not valid/],
    ["identity = azure\nclient_id = me", /client_id = 'me' is not valid/],
    [
      "identity = github-actions\nclient_id = me",
      /client_id has no effect with identity = github-actions \| remove it: it belongs to identity = azure/,
    ],
    ["identity = gcp-adc\nservice_account = default", /service_account = 'default' is not valid/],
  ];
  for (const [keys, expected] of bad) {
    test(`${keys.replaceAll("\n", ", ")} is a mistake`, () => {
      const issues = issuesOf(keys);
      assert.match(issues, expected);
      assert.doesNotMatch(issues, /secret\b(?!s go)|u:p/);
    });
  }

  test("a config that others may write sends no variables anywhere, but may ask a URL", () => {
    const url = "identity = url\nidentity_url = https://v.example";
    assert.match(
      issuesOf(`${url}\nidentity_header = A: {env:TOKEN}`, "others may write it"),
      /identity_header is refused: others may write it/,
    );
    assert.equal(issuesOf(`${url}\nidentity_header = A: b`, "others may write it"), "none");
  });

  test("--identity-header may be repeated on the command line", async () => {
    const argv = [
      "--role-arn",
      "arn:aws:iam::123412341234:role/r",
      "--identity",
      "url",
      "--identity-url",
      "https://v.example",
    ];
    const headers = ["--identity-header", "A: 1", "--identity-header", "B: {env:B}"];
    const invocation = toInvocation([...argv, ...headers]);
    assert.ok(invocation.kind === "refresh");
    const config = await readConfig(invocation.config, { env: {}, home: "/h", cwd: "/", uid: 0 });
    const source = config.profiles[0]?.source;
    assert.ok(source?.kind === "web-identity" && source.identity.kind === "url");
    assert.deepEqual(source.identity.headers, [
      { name: "A", template: "1" },
      { name: "B", template: "{env:B}" },
    ]);
  });
});

suite("hosts", () => {
  test("of this machine, of the link and of private networks are told from those of the Internet", () => {
    const near = ["http://localhost", "http://127.9.9.9", "http://[::1]"];
    const link = ["http://169.254.169.254", "http://[fe80::1]", "http://[fd00:ec2::254]"];
    const own = ["http://10.1.2.3", "http://172.16.2.6:8081", "http://172.31.0.1", "http://192.168.0.1"];
    const far = [
      "http://example.com",
      "http://172.32.0.1",
      "http://169.253.1.1",
      "http://127.example.com",
      "http://[2001:db8::1]",
    ];
    const of = (urls: readonly string[], is: (hostname: string) => boolean) =>
      urls.map((url) => is(new URL(url).hostname));
    assert.ok(of(near, isLoopbackHost).every(Boolean));
    assert.ok(of(link, isLinkLocalHost).every(Boolean));
    assert.ok(of(own, isPrivateHost).every(Boolean));
    for (const is of [isLoopbackHost, isLinkLocalHost, isPrivateHost])
      assert.ok(!far.some((url) => is(new URL(url).hostname)));
  });
});

suite("a JSON answer", () => {
  test("gives the text at a path, and nothing of what objects inherit", () => {
    const body = JSON.stringify({ value: "v", data: { tokens: [{ jwt: "j" }] }, n: 1 });
    for (const [path, expected] of [
      ["value", "v"],
      ["$.value", "v"],
      ["data.tokens[0].jwt", "j"],
      ["data.tokens.0.jwt", "j"],
      ["n", undefined],
      ["data", undefined],
      ["data.tokens[1].jwt", undefined],
      ["constructor.name", undefined],
      ["value.length", undefined],
    ] as const) {
      assert.equal(findText(body, path), expected, path);
    }
    for (const broken of ["", "{", "null", "[]", '"v"', "<html>"]) {
      assert.throws(() => textInJson(broken, "value", "the answer"), { code: "IDENTITY_INVALID_RESPONSE" });
    }
  });
});

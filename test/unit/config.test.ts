import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { ConfigIssues } from "../../src/config/config-issues.ts";
import { configFromSource, type ConfigOptions, readConfig } from "../../src/config/read.ts";
import type { Config } from "../../src/config/config.ts";
import { tempHome } from "../support/temp-home.ts";
import { testWorld } from "../support/test-world.ts";

const ROLE = "role_arn = arn:aws:iam::123412341234:role/my-gcp-role-20211031";
const GOOGLE = `${ROLE}\nidentity = gcp-metadata`;

function parse(text: string, env: Record<string, string> = {}, untrusted?: string): Config {
  return configFromSource(
    { file: "/h/.aws/rolefresh.ini", directory: "/h/.aws", text, untrusted },
    { env, home: "/h", cwd: "/" },
    undefined,
  );
}

function issuesOf(text: string, env: Record<string, string> = {}, untrusted?: string): readonly string[] {
  try {
    parse(text, env, untrusted);
  } catch (error) {
    assert.ok(error instanceof ConfigIssues, String(error));
    return error.issues.map(({ message, hint }) => (hint === undefined ? message : `${message} | ${hint}`));
  }
  return [];
}

function only(config: Config) {
  const [spec] = config.profiles;
  assert.ok(spec && config.profiles.length === 1);
  return spec;
}

suite("the configuration", () => {
  test("the example of the design is read as it is meant", () => {
    const { profiles } = parse(`[*]
region = ap-northeast-1
refresh_before = 25m

[default]
${GOOGLE}
audience = gcp

[billing.readonly]
role_arn = arn:aws:iam::999999999999:role/Billing
source_profile = default
on_refresh = systemctl reload billing-export
`);
    const [first, second] = profiles;
    assert.equal(first?.profile, "default");
    assert.deepEqual(first.source, {
      kind: "web-identity",
      identity: { kind: "gcp-metadata", audience: "gcp", serviceAccount: "default" },
    });
    assert.deepEqual(first.endpoint, { region: "ap-northeast-1", isRegionConfigured: true, url: undefined });
    assert.equal(first.refreshBeforeMs, 25 * 60_000);
    assert.equal(first.credentialsFile, "/h/.aws/credentials");
    assert.equal(second?.profile, "billing.readonly");
    assert.equal(second.source.kind, "source-profile");
    assert.equal(second.onRefresh, "systemctl reload billing-export");
  });

  for (const name of [
    "prod.admin",
    "a b",
    "x@y/z",
    "a.b.c",
    "team\\prod",
    "profiles",
    "a:b+c%d",
    '"quoted"',
    "ünïcode",
    "1",
  ]) {
    test(`the section [${name}] is the profile of that name to the letter`, () => {
      assert.equal(only(parse(`[${name}]\n${GOOGLE}\n`)).profile, name);
    });
  }

  test("all issues are reported at once, each with file, line and the nearest valid name", () => {
    assert.deepEqual(
      issuesOf(
        `[default]\nrole_arm = arn:aws:iam::1:role/x\nduration_seconds = 60\n\n[other]\nrole_arn = nonsense\nidentity = gcp-metdata\n`,
      ),
      [
        "/h/.aws/rolefresh.ini:1: [default] no identity source is configured | add 'identity = gcp-metadata' on a Google Cloud machine, or web_identity_token_file, or source_profile",
        "/h/.aws/rolefresh.ini:1: [default] role_arn is missing | add 'role_arn = arn:aws:iam::ACCOUNT:role/NAME'",
        "/h/.aws/rolefresh.ini:2: [default] unknown key 'role_arm' | did you mean 'role_arn'?",
        "/h/.aws/rolefresh.ini:3: [default] duration_seconds = '60' is not an integer from 900 to 43200",
        "/h/.aws/rolefresh.ini:6: [other] role_arn = 'nonsense' is not the ARN of an IAM role | write arn:aws:iam::ACCOUNT:role/NAME, the account with 12 digits",
        "/h/.aws/rolefresh.ini:7: [other] identity = 'gcp-metdata' is not supported | did you mean 'gcp-metadata'? (use one of gcp-metadata, gcp-adc, gcloud, file, env, command, url, github-actions, gitlab, azure, kubernetes, saml, session, aws-profile)",
      ],
    );
  });

  const wrong: readonly (readonly [title: string, text: string, expected: RegExp])[] = [
    ["an empty file", "", /no profile is configured/],
    ["defaults alone", "[*]\nregion = eu-west-1\n", /no profile is configured/],
    ["a key before the first section", `region = eu-west-1\n[a]\n${GOOGLE}\n`, /'region' must be inside a \[section\]/],
    ["a line that is nothing", `[a]\n${GOOGLE}\nhello\n`, /:4: this line is neither a \[section\] nor 'key = value'/],
    ["an unclosed header", `[a\n${GOOGLE}\n`, /:1: a section header must end with ']'/],
    ["a header with a comment behind it", `[a] # x\n${GOOGLE}\n`, /:1: a section header must end with ']'/],
    ["the same section twice", `[a]\n${GOOGLE}\n[a]\n${GOOGLE}\n`, /:4: \[a\] is repeated; the first one is in line 1/],
    ["the same key twice", `[a]\n${GOOGLE}\nidentity = gcloud\n`, /:4: \[a\] identity is repeated/],
    ["a key without a value", `[a]\n${GOOGLE}\nregion =\n`, /region has no value/],
    ["the profile DEFAULT", `[DEFAULT]\n${GOOGLE}\n`, /'DEFAULT' cannot be a profile/],
    ["the profile constructor", `[constructor]\n${GOOGLE}\n`, /'constructor' cannot be a profile/],
    ["the profile __proto__", `[__proto__]\n${GOOGLE}\n`, /'__proto__' cannot be a profile/],
    ["the key __proto__", `[a]\n${GOOGLE}\n__proto__ = 1\n`, /unknown key '__proto__'/],
    ["a profile with blanks around it", `[ a ]\n${GOOGLE}\n`, /may not begin or end with a blank/],
    ["a profile with a bracket", `[a]b]\n${GOOGLE}\n`, /may not hold ']'/],
    ["a profile with a control character", `[a\u0007b]\n${GOOGLE}\n`, /may not hold control characters/],
    ["a profile with #", `[a#b]\n${GOOGLE}\n`, /a profile name may not contain '#'/],
    ["a profile with ;", `[a;b]\n${GOOGLE}\n`, /a profile name may not contain ';'/],
    ["a profile with =", `[a=b]\n${GOOGLE}\n`, /a profile name may not contain '='/],
    [
      "a section of ~/.aws/config",
      `[profile x]\n${GOOGLE}\n`,
      /:1: \[profile x\] write \[x\]; the 'profile ' prefix belongs to ~\/\.aws\/config$/,
    ],
    ["such a section with quotes", `[profile "x y"]\n${GOOGLE}\n`, /write \[x y\];/],
    ["a source_profile with ;", `[a]\n${ROLE}\nsource_profile = "b;c"\n`, /:3: \[a\] source_profile: .* contain ';'/],
    [
      "a source_profile with the prefix",
      `[a]\n${ROLE}\nsource_profile = profile b\n[b]\n${GOOGLE}\n`,
      /:3: \[a\] source_profile: write \[b\];/,
    ],
    ["a path with an unset variable", `[a]\n${GOOGLE}\ncredentials_file = $NOPE/x\n`, /variable \$NOPE is not set \|/],
    ["a path of another user", `[a]\n${GOOGLE}\ncredentials_file = ~dana/x\n`, /~dana is not expanded/],
    ["two paths", `[a]\n${GOOGLE}\ncredentials_file = a, b\n`, /= 'a, b': it looks like a list/],
    ["a path with a control character", `[a]\n${GOOGLE}\ncredentials_file = /a\u0007b\n`, /a control character/],
    ["a zone", `[a]\n${GOOGLE}\nregion = us-east-1a\n`, /'us-east-1a' is an availability zone.* \| write us-east-1$/],
    ["a local zone", `[a]\n${GOOGLE}\nregion = us-west-2-lax-1a\n`, /is an availability zone.* \| write us-west-2$/],
    ["a Google region", `[a]\n${GOOGLE}\nregion = us-east1\n`, /is a Google Cloud region.* \| write us-east-1$/],
    ["a Google zone", `[a]\n${GOOGLE}\nregion = europe-west1-b\n`, /is a Google Cloud region.* \| write for example/],
    ["a region with blanks", `[a]\n${GOOGLE}\nregion = eu west 1\n`, /contains a blank \| write eu-west-1$/],
    ["a region with a blank behind it", `[a]\n${GOOGLE}\nregion = "eu-west-1 "\n`, /a blank \| write eu-west-1$/],
    ["a pseudo-region", `[a]\n${GOOGLE}\nregion = aws-global\n`, /'aws-global' is not a region \| write us-east-1$/],
    ["an empty profile name", `[]\n${GOOGLE}\n`, /a profile needs a name/],
    [
      "the ARN of a session",
      "[a]\nrole_arn = arn:aws:sts::123412341234:assumed-role/r/s\nidentity = gcloud\n",
      /this is the ARN of a session/,
    ],
    [
      "the ARN of a user",
      "[a]\nrole_arn = arn:aws:iam::123412341234:user/x\nidentity = gcloud\n",
      /this is not a role/,
    ],
    ["a lifetime over twelve hours", `[a]\n${GOOGLE}\nduration_seconds = 43201\n`, /not an integer from 900 to 43200/],
    ["a lifetime that is no number", `[a]\n${GOOGLE}\nduration_seconds = 1h\n`, /not an integer/],
    [
      "a session name with a blank",
      `[a]\n${GOOGLE}\nrole_session_name = my session\n`,
      /role_session_name = 'my session' is not valid/,
    ],
    ["a session name of one letter", `[a]\n${GOOGLE}\nrole_session_name = x\n`, /is not valid/],
    ["a session name of 65 letters", `[a]\n${GOOGLE}\nrole_session_name = ${"x".repeat(65)}\n`, /is not valid/],
    ["an unknown placeholder", `[a]\n${GOOGLE}\nrole_session_name = {host}\n`, /\{host\} is not a placeholder \| use/],
    [
      "a Google placeholder elsewhere",
      `[a]\n${ROLE}\nidentity = gcloud\nrole_session_name = {project}\n`,
      /\{project\} is not a placeholder of this identity \| use it with identity = gcp-metadata/,
    ],
    [
      "a window as long as the lifetime",
      `[a]\n${GOOGLE}\nrefresh_before = 60m\n`,
      /refresh_before must be shorter than the lifetime/,
    ],
    ["a bare number as a duration", `[a]\n${GOOGLE}\nrefresh_before = 25\n`, /refresh_before = '25' is not a duration/],
    ["a region of another partition", `[a]\n${GOOGLE}\nregion = cn-north-1\n`, /not in the role's partition/],
    [
      "plain http to another host",
      `[a]\n${GOOGLE}\nendpoint_url = http://sts.example.com\n`,
      /plain http to another host/,
    ],
    ["an endpoint that is no URL", `[a]\n${GOOGLE}\nendpoint_url = sts.example.com\n`, /is not an http\(s\) URL/],
    ["identity next to source_profile", `[a]\n${GOOGLE}\nsource_profile = b\n`, /exclude each other/],
    [
      "external_id with a token",
      `[a]\n${GOOGLE}\nexternal_id = abc\n`,
      /external_id has no effect with identity = gcp-metadata/,
    ],
    [
      "a token file with another identity",
      `[a]\n${GOOGLE}\nweb_identity_token_file = /t\n`,
      /web_identity_token_file has no effect with identity = gcp-metadata/,
    ],
    ["identity = file without its file", `[a]\n${ROLE}\nidentity = file\n`, /web_identity_token_file is missing/],
    [
      "a malformed tag",
      `[a]\n${ROLE}\nsource_profile = b\ntags = team\n[b]\n${GOOGLE}\n`,
      /'team' is not a session tag/,
    ],
    [
      "a flag that is neither true nor false",
      `[a]\n${GOOGLE}\noverwrite = yes\n`,
      /overwrite = 'yes' is not supported/,
    ],
    [
      "a cycle of two",
      `[a]\n${ROLE}\nsource_profile = b\n[b]\n${ROLE}\nsource_profile = a\n`,
      /:3: \[a\] source_profile forms a cycle: a → b → a/,
    ],
    ["a profile that is its own source", `[a]\n${ROLE}\nsource_profile = a\n`, /forms a cycle: a → a/],
    [
      "a chained role over an hour",
      `[b]\n${GOOGLE}\n[a]\n${ROLE}\nsource_profile = b\nduration_seconds = 3601\n`,
      /exceeds the hour of a chained role/,
    ],
    [
      "a command that a comment sign would cut",
      `[a]\n${ROLE}\nidentity = command\nidentity_command = one ; two\n`,
      /';' starts a comment: quote the value of 'identity_command'/,
    ],
    [
      "a value that a comment sign would cut in a word",
      `[a]\n${GOOGLE}\naudience = a#b\n`,
      /'#' starts a comment: quote the value of 'audience'/,
    ],
  ];
  for (const [title, text, expected] of wrong) {
    test(`${title} is a mistake`, () => {
      assert.match(issuesOf(text).join("\n"), expected);
    });
  }

  test("what holds between profiles is told beside what is wrong with them", () => {
    const text = `[a]\n${ROLE}\nsource_profile = b\nregion = us-east-1a\n[b]\n${ROLE}\nsource_profile = a\noverwrite = yes\n`;
    const told = issuesOf(text).join("\n");
    assert.match(told, /:3: \[a\] source_profile forms a cycle: a → b → a/);
    assert.match(told, /:4: \[a\] region = 'us-east-1a'/);
    assert.match(told, /:8: \[b\] overwrite = 'yes' is not supported/);
    const chained = `[b]\n${GOOGLE}\nrecheck = x\n[a]\n${ROLE}\nsource_profile = b\nduration_seconds = 7200\nlenient = x\n`;
    assert.match(issuesOf(chained).join("\n"), /exceeds the hour of a chained role/);
    assert.equal(issuesOf(chained).length, 3);
  });

  test("a credentials_file is checked also where --credentials-file beats it", () => {
    const source = {
      file: "/r.ini",
      directory: "/",
      text: `[a]\n${GOOGLE}\ncredentials_file = $NOPE\n`,
      untrusted: undefined,
    };
    assert.throws(() => configFromSource(source, { env: {}, home: "/h", cwd: "/" }, "/x"), /\$NOPE is not set/);
  });

  test("values of any source are reported beside an unknown identity, a missing one and two that exclude each other", () => {
    const values = "identity_url = ftp://x\nclient_id = me\nmfa_serial = a b\n";
    for (const start of ["identity = ulr\n", "", `identity = url\nsource_profile = b\n`]) {
      const told = issuesOf(`[a]\n${ROLE}\n${start}${values}`).join("\n");
      for (const key of ["identity_url", "client_id", "mfa_serial"]) assert.match(told, new RegExp(`${key}.* is not`));
    }
  });

  test("a placeholder of Google's is no issue beside a misspelt identity", () => {
    assert.equal(issuesOf(`[a]\n${ROLE}\nidentity = gcp-metdata\nrole_session_name = {project}\n`).length, 1);
  });

  test("every copy of a repeated section is checked, completed by the others", () => {
    const copies = `[a]\n${ROLE}\nregion = x\n[*]\nlenient = x\n[a]\nidentity = gcp-metadata\nregion = y\n[*]\nrecheck = 0\nlenient = y\n`;
    const where = issuesOf(copies).map((message) => /:(\d+): (?:\[.\] )?(\w+)/.exec(message)?.slice(1).join(" "));
    assert.deepEqual(where, ["3 region", "5 lenient", "6 is", "8 region", "9 is", "10 recheck", "11 lenient"]);
    const complete = `[a]\n${GOOGLE}\n`;
    assert.deepEqual(issuesOf(complete + complete), [
      "/h/.aws/rolefresh.ini:4: [a] is repeated; the first one is in line 1 | put its keys into one section",
    ]);
  });

  test("a cycle is reported once, not once for every member", () => {
    assert.equal(
      issuesOf(`[a]\n${ROLE}\nsource_profile = b\n[b]\n${ROLE}\nsource_profile = c\n[c]\n${ROLE}\nsource_profile = a\n`)
        .length,
      1,
    );
  });

  test("a comment behind a blank is a comment, quotes keep the sign", () => {
    assert.equal(only(parse(`[a]\n${GOOGLE}\nregion = eu-west-1 # home\n`)).endpoint.region, "eu-west-1");
    const { source } = only(parse(`[a]\n${ROLE}\nidentity = command\nidentity_command = "one; two # three"\n`));
    assert.ok(source.kind === "web-identity" && source.identity.kind === "command");
    assert.equal(source.identity.command, "one; two # three");
  });

  test("a profile's own source beats the identity of [*], and keys of [*] that do not apply are left aside", () => {
    const { profiles } = parse(
      `[*]\nidentity = gcp-metadata\naudience = gcp\n[a]\n${ROLE}\n[b]\n${ROLE}\nsource_profile = a\n`,
    );
    assert.deepEqual(
      profiles.map(({ source }) => source.kind),
      ["web-identity", "source-profile"],
    );
  });

  test("a token file alone means identity = file; its path starts at the config's directory", () => {
    const { source } = only(parse(`[a]\n${ROLE}\nweb_identity_token_file = token\n`));
    assert.deepEqual(source, {
      kind: "web-identity",
      identity: { kind: "file", path: "/h/.aws/token", audience: undefined },
    });
  });

  test("the region is the profile's, else the environment's of the same partition, else the partition's", () => {
    const region = (arn: string, env: Record<string, string>, extra = "") =>
      only(parse(`[a]\nrole_arn = ${arn}\nidentity = gcloud\n${extra}`, env)).endpoint.region;
    const china = "arn:aws-cn:iam::123412341234:role/r";
    assert.equal(region("arn:aws:iam::123412341234:role/r", {}), "us-east-1");
    assert.equal(
      region("arn:aws:iam::123412341234:role/r", { AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-2" }),
      "eu-west-1",
    );
    assert.equal(region("arn:aws:iam::123412341234:role/r", { AWS_DEFAULT_REGION: "eu-west-2" }), "eu-west-2");
    assert.equal(region(china, { AWS_REGION: "eu-west-1" }), "cn-north-1");
    assert.equal(region(china, { AWS_REGION: "cn-northwest-1" }), "cn-northwest-1");
    assert.equal(region("arn:aws-us-gov:iam::123412341234:role/r", {}), "us-gov-west-1");
    assert.equal(region(china, {}, "region = cn-northwest-1\n"), "cn-northwest-1");
  });

  test("a pseudo-region of the environment counts as the default of its partition", () => {
    const region = (partition: string, AWS_REGION: string) =>
      only(parse(`[a]\nrole_arn = arn:${partition}:iam::123412341234:role/r\nidentity = gcloud\n`, { AWS_REGION }))
        .endpoint.region;
    assert.equal(region("aws", "aws-global"), "us-east-1");
    assert.equal(region("aws-cn", "aws-cn-global"), "cn-north-1");
    assert.equal(region("aws-us-gov", "aws-us-gov-global"), "us-gov-west-1");
    assert.equal(region("aws-cn", "aws-global"), "cn-north-1");
    const session = `[a]\nidentity = session\nsource_profile = long-term\n`;
    assert.equal(only(parse(session, { AWS_DEFAULT_REGION: "aws-cn-global" })).endpoint.region, "cn-north-1");
  });

  test("a wrong region of the environment is told once, and not where every profile has its own", () => {
    const two = `[a]\n${GOOGLE}\n[b]\n${GOOGLE}\n`;
    assert.deepEqual(issuesOf(two, { AWS_REGION: "us-east-1a" }), [
      "AWS_REGION: 'us-east-1a' is an availability zone, not a region | write us-east-1",
    ]);
    assert.deepEqual(issuesOf(two, { AWS_DEFAULT_REGION: "us east 1" }).length, 1);
    assert.deepEqual(issuesOf(`[*]\nregion = eu-west-1\n${two}`, { AWS_REGION: "us-east-1a" }), []);
    // A service that imitates AWS may have such a region.
    assert.deepEqual(issuesOf(two, { AWS_REGION: "local" }), []);
  });

  test("a command in a file that others may write is refused, a config without commands is not", () => {
    assert.match(
      issuesOf(`[a]\n${ROLE}\nidentity = command\nidentity_command = x\n`, {}, "others can write to the file").join(
        "\n",
      ),
      /identity_command is refused: others can write to the file/,
    );
    assert.match(
      issuesOf(`[a]\n${GOOGLE}\non_refresh = x\n`, {}, "others can write to the file").join("\n"),
      /on_refresh is refused/,
    );
    assert.deepEqual(issuesOf(`[a]\n${GOOGLE}\n`, {}, "others can write to the file"), []);
  });

  test("AWS_SHARED_CREDENTIALS_FILE names the file, with ~ as botocore expands it; the profile's own key beats it", () => {
    assert.equal(only(parse(`[a]\n${GOOGLE}\n`, { AWS_SHARED_CREDENTIALS_FILE: "~/x" })).credentialsFile, "/h/x");
    assert.equal(
      only(parse(`[a]\n${GOOGLE}\ncredentials_file = ~/y\n`, { AWS_SHARED_CREDENTIALS_FILE: "~/x" })).credentialsFile,
      "/h/y",
    );
  });
});

suite("paths in the configuration", () => {
  const fileOf = (value: string, env: Record<string, string> = {}) =>
    only(parse(`[a]\n${GOOGLE}\ncredentials_file = ${value}\n`, env)).credentialsFile;

  test("are expanded as botocore does: $NAME, ${NAME}, then ~", () => {
    assert.equal(fileOf("$DATA/x", { DATA: "/d" }), "/d/x");
    assert.equal(fileOf("${DATA}x/y", { DATA: "/d" }), "/dx/y");
    assert.equal(fileOf("$DATA/y", { DATA: "~/d" }), "/h/d/y");
    assert.equal(fileOf("/a/$DATA/$DATA", { DATA: "$HOME" }), "/a/$HOME/$HOME");
    assert.equal(fileOf("$DATA", { DATA: "rel" }), "/h/.aws/rel");
    assert.equal(fileOf("~", {}), "/h");
    assert.equal(fileOf("/a$/b~c", {}), "/a$/b~c");
  });

  test("$HOME is the home directory also where the environment lacks it, as under systemd", () => {
    assert.equal(fileOf("$HOME/x", {}), "/h/x");
    assert.equal(fileOf("${HOME}/x", { HOME: "/other" }), "/other/x");
  });

  test("the keys for other files are expanded, too", () => {
    const { policyFile, endpoint } = only(
      parse(`[a]\n${GOOGLE}\npolicy_file = $D/p.json\nca_bundle = \${D}/ca.pem\n`, { D: "/d" }),
    );
    assert.deepEqual([policyFile, endpoint.caBundle], ["/d/p.json", "/d/ca.pem"]);
  });

  test("AWS_SHARED_CREDENTIALS_FILE is expanded, absolute, and told once where it cannot be", () => {
    const text = `[a]\n${GOOGLE}\n[b]\n${GOOGLE}\n`;
    const file = (value: string) => parse(text, { AWS_SHARED_CREDENTIALS_FILE: value, DATA: "/d" }).profiles[0];
    assert.equal(file("$DATA/creds")?.credentialsFile, "/d/creds");
    assert.equal(file("creds")?.credentialsFile, "/creds");
    assert.deepEqual(issuesOf(text, { AWS_SHARED_CREDENTIALS_FILE: "${NOPE}/x" }), [
      "AWS_SHARED_CREDENTIALS_FILE: the variable ${NOPE} is not set | set it where rolefresh runs, or write the full path",
    ]);
    assert.deepEqual(issuesOf(`[*]\ncredentials_file = /x\n${text}`, { AWS_SHARED_CREDENTIALS_FILE: "$NOPE" }), []);
  });
});

suite("finding the configuration", () => {
  const options: ConfigOptions = { configFile: undefined, credentialsFile: undefined, inline: undefined };
  const codeOf = async (promise: Promise<unknown>) =>
    promise.then(
      () => "none",
      (error: { code: string }) => error.code,
    );

  test("--config beats $ROLEFRESH_CONFIG beats ~/.aws/rolefresh.ini", async () => {
    await using home = await tempHome();
    for (const name of ["a", "b"]) await home.write(`${name}.ini`, `[${name}]\n${GOOGLE}\n`);
    await home.write(".aws/rolefresh.ini", `[c]\n${GOOGLE}\n`);
    const read = async (configFile: string | undefined, env: Record<string, string>) =>
      only(await readConfig({ ...options, configFile }, testWorld({ home: home.path, env }))).profile;
    assert.equal(await read(`${home.path}/a.ini`, { ROLEFRESH_CONFIG: `${home.path}/b.ini` }), "a");
    assert.equal(await read(undefined, { ROLEFRESH_CONFIG: `${home.path}/b.ini` }), "b");
    assert.equal(await read("~/a.ini", {}), "a");
    assert.equal(await read(undefined, {}), "c");
  });

  test("a missing, unusable or badly encoded file is a failure that names it", async () => {
    await using home = await tempHome();
    await home.write("latin1.ini", Buffer.from([0x5b, 0xe9, 0x5d]));
    const world = testWorld({ home: home.path });
    assert.equal(await codeOf(readConfig({ ...options, configFile: "/nonexistent/x.ini" }, world)), "CONFIG_MISSING");
    assert.equal(await codeOf(readConfig(options, world)), "CONFIG_MISSING");
    assert.equal(await codeOf(readConfig({ ...options, configFile: home.path }, world)), "CONFIG_INVALID");
    assert.equal(
      await codeOf(readConfig({ ...options, configFile: `${home.path}/latin1.ini` }, world)),
      "CONFIG_INVALID",
    );
  });

  test("the config-free form needs no file and says which flag is wrong", async () => {
    const inline = (values: Record<string, string>) =>
      readConfig(
        { ...options, inline: { profile: "default", values: new Map(Object.entries(values)) as never } },
        testWorld(),
      );
    const spec = only(await inline({ role_arn: "arn:aws:iam::123412341234:role/r" }));
    assert.deepEqual(spec.source, {
      kind: "web-identity",
      identity: { kind: "gcp-metadata", audience: "gcp", serviceAccount: "default" },
    });
    await assert.rejects(
      inline({ role_arn: "x" }),
      /--role-arn: \[default\] role_arn = 'x' is not the ARN of an IAM role/,
    );
  });
});

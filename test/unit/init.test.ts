import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";

import type { ConfigKey } from "../../src/config/keys.ts";
import { missingFlags, obviousChoice } from "../../src/init/choices.ts";
import { isTaken, writeConfigFile } from "../../src/init/config-file.ts";
import { detectEnvironment, type Hint, ssoProfiles } from "../../src/init/environment-hints.ts";
import { tempHome } from "../support/temp-home.ts";
import { testWorld } from "../support/test-world.ts";

const ARN = "arn:aws:iam::123412341234:role/r";
/** Nobody is asked over the network here. */
const NO_GOOGLE = { METADATA_SERVER_DETECTION: "none" };

async function seen(env: Readonly<Record<string, string>>, dmi?: Readonly<Record<string, string>>, awsConfig?: string) {
  await using home = await tempHome();
  await mkdir(join(home.path, "dmi"));
  for (const [name, text] of Object.entries(dmi ?? {})) await writeFile(join(home.path, "dmi", name), text);
  if (awsConfig !== undefined) await home.write(".aws/config", awsConfig);
  const world = testWorld({ env: { ...NO_GOOGLE, ...env }, home: home.path });
  return detectEnvironment(world, new AbortController().signal, join(home.path, "dmi"));
}

suite("where the program runs", () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string | undefined, RegExp])[] = [
    [
      "GitHub Actions",
      { GITHUB_ACTIONS: "true", ACTIONS_ID_TOKEN_REQUEST_URL: "https://x" },
      "github-actions",
      /id-token: write/,
    ],
    ["GitHub Actions without the permission", { GITHUB_ACTIONS: "true" }, undefined, /lacks the permission/],
    ["GitLab CI", { GITLAB_CI: "true" }, "gitlab", /id_tokens/],
    ["GitLab CI with a token", { GITLAB_CI: "true", AWS_ID_TOKEN: "x" }, "gitlab", /with the token AWS_ID_TOKEN/],
    [
      "EKS",
      { AWS_WEB_IDENTITY_TOKEN_FILE: "/run/t", AWS_ROLE_ARN: ARN, KUBERNETES_SERVICE_HOST: "x" },
      "file",
      /\/run\/t/,
    ],
    ["AKS", { AZURE_FEDERATED_TOKEN_FILE: "/run/a" }, "azure", /Azure workload identity/],
    ["Azure App Service", { IDENTITY_ENDPOINT: "http://x" }, "azure", /App Service/],
    ["Kubernetes", { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, "kubernetes", /without a projected token/],
    ["Cloud Run with a silent metadata server", { K_SERVICE: "s" }, "gcp-metadata", /did not answer/],
  ];
  for (const [name, env, identity, told] of cases) {
    test(`${name} is recognised`, async () => {
      const [hint, ...rest] = await seen(env);
      assert.deepEqual(rest, []);
      assert.equal(hint?.identity, identity);
      assert.match(hint?.seen ?? "", told);
    });
  }

  test("nothing is recognised on a plain machine", async () => {
    assert.deepEqual(await seen({}), []);
  });

  test("an Azure VM by the tag of its chassis, SSO profiles by ~/.aws/config", async () => {
    const config =
      "[profile dev]\nsso_session = corp\n[sso-session corp]\nsso_region = eu-west-1\n[profile x]\nregion = y\n";
    const hints = await seen({}, { chassis_asset_tag: "7783-7084-3265-9085-8269-3286-77\n" }, config);
    assert.deepEqual(
      hints.map(({ identity }) => identity),
      ["azure", "aws-profile"],
    );
    assert.deepEqual(ssoProfiles("[default]\r\nsso_start_url = https://x\r\n"), ["default"]);
  });

  test("only an identity that needs no further word is taken without asking", async () => {
    const google: Hint = { identity: "gcp-metadata", seen: "g", suggests: {} };
    const gitlab: Hint = { identity: "gitlab", seen: "l", suggests: {} };
    const eks: Hint = { identity: "file", seen: "k", suggests: { web_identity_token_file: "/t" } };
    const github: Hint = { identity: "github-actions", seen: "h", suggests: {} };
    assert.equal(obviousChoice([google]), google);
    assert.equal(obviousChoice([github]), github);
    assert.equal(obviousChoice([eks]), eks);
    assert.equal(obviousChoice([google, eks]), undefined);
    assert.equal(obviousChoice([gitlab]), undefined);
    assert.equal(obviousChoice([]), undefined);
  });
});

suite("the flags that are missing", () => {
  const cases: readonly (readonly [Partial<Record<ConfigKey, string>>, readonly string[]])[] = [
    [{}, ["--role-arn", "--identity (or --source-profile)"]],
    [{ role_arn: ARN }, ["--identity (or --source-profile)"]],
    [{ role_arn: ARN, identity: "gcp-metadata" }, []],
    [{ role_arn: ARN, source_profile: "base" }, []],
    [{ role_arn: ARN, web_identity_token_file: "/t" }, []],
    [{ role_arn: ARN, identity: "file" }, ["--web-identity-token-file"]],
    [{ role_arn: ARN, identity: "env" }, ["--identity-env"]],
    [{ identity: "command" }, ["--role-arn", "--identity-command"]],
    [{ role_arn: ARN, identity: "url" }, ["--identity-url"]],
    [{ role_arn: ARN, identity_url: "https://x" }, []],
    [{ role_arn: ARN, identity: "azure" }, []],
  ];
  for (const [given, expected] of cases) {
    test(`${JSON.stringify(given)} lacks ${expected.join(", ") || "nothing"}`, () => {
      assert.deepEqual(missingFlags(new Map(Object.entries(given) as [ConfigKey, string][])), expected);
    });
  }
});

suite("the config's file", () => {
  test("is never replaced unasked, not even a dangling link, and nothing is left beside it", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", "old");
    await assert.rejects(
      writeConfigFile({ path: home.config, text: "new", replace: false }, { pid: 1, uid: process.geteuid?.() }),
      /already exists/,
    );
    assert.equal(await home.read(".aws/rolefresh.ini"), "old");
    const link = join(home.path, ".aws", "link.ini");
    await symlink("/nowhere/at/all", link);
    assert.equal(await isTaken(link), true);
    await assert.rejects(
      writeConfigFile({ path: link, text: "new", replace: false }, { pid: 1, uid: process.geteuid?.() }),
      /already exists/,
    );
    assert.deepEqual(await home.awsFiles(), ["link.ini", "rolefresh.ini"]);
  });

  test("a symlinked one stays a symlink when it is replaced", async () => {
    await using home = await tempHome();
    const real = await home.write("dotfiles/rolefresh.ini", "old");
    await mkdir(join(home.path, ".aws"));
    await symlink(real, home.config);
    await writeConfigFile({ path: home.config, text: "new", replace: true }, { pid: 1, uid: process.geteuid?.() });
    assert.equal(await home.read("dotfiles/rolefresh.ini"), "new");
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { AZURE_ISSUER, AZURE_RESOURCE, AZURE_SUBJECT, startAppService, startImds } from "../sandbox/azure.ts";
import { startConnectProxy } from "../sandbox/connect-proxy.ts";
import { GITHUB_ISSUER, GITHUB_SUBJECT, startGitHub } from "../sandbox/github.ts";
import { KEY_ACCOUNT, startGoogleIam } from "../sandbox/google-iam.ts";
import { signToken } from "../sandbox/google-token.ts";
import { DEFAULT_SERVICE_ACCOUNT, type SandboxOptions, type SandboxRole } from "../sandbox/sandbox.ts";
import { startTlsFront } from "../sandbox/tls-front.ts";
import { jsonReply, startTokenService, textReply, timesAt } from "../sandbox/token-service.ts";
import { isThere, runOverdue } from "../support/overdue.ts";
import { GCP_ARN, openScene, type Scene, valuesOf } from "../support/scene.ts";
import { makeTestCa, whyNoOpenssl } from "../support/test-ca.ts";

/** From each identity, through the built program, to keys in the file. */

const CLUSTER_ISSUER = "https://oidc.cluster.example.com/id/A";
const GITLAB_ISSUER = "https://gitlab.example.com";
const VAULT_ISSUER = "https://vault.example.com";
const AWS = "sts.amazonaws.com";

const trusting = (name: string, issuer: string, claims: Readonly<Record<string, string>>): SandboxRole => {
  const provider = issuer.replace("https://", "");
  const isGoogle = provider === "accounts.google.com";
  return {
    arn: `arn:aws:iam::123412341234:role/${name}`,
    trustPolicy: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: isGoogle ? provider : `arn:aws:iam::123412341234:oidc-provider/${provider}` },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: Object.fromEntries(
              Object.entries(claims).map(([key, value]) => [`${provider}:${key}`, value]),
            ),
          },
        },
      ],
    },
  };
};

const GOOGLE = "https://accounts.google.com";
const WORLD: SandboxOptions = {
  roles: [
    trusting("metadata", GOOGLE, {
      aud: DEFAULT_SERVICE_ACCOUNT.uniqueId,
      oaud: "gcp",
      sub: DEFAULT_SERVICE_ACCOUNT.uniqueId,
    }),
    trusting("key", GOOGLE, { aud: KEY_ACCOUNT.email, oaud: "gcp", sub: KEY_ACCOUNT.uniqueId }),
    trusting("github", GITHUB_ISSUER, { aud: AWS, sub: GITHUB_SUBJECT }),
    trusting("azure", AZURE_ISSUER, { aud: AZURE_RESOURCE, sub: AZURE_SUBJECT }),
    trusting("gitlab", GITLAB_ISSUER, { aud: GITLAB_ISSUER, sub: "project_path:a/b:ref_type:branch:ref:main" }),
    trusting("pod", CLUSTER_ISSUER, { aud: AWS, sub: "system:serviceaccount:default:app" }),
    trusting("vault", VAULT_ISSUER, { aud: AWS, sub: "legacy-app" }),
  ],
  oidcProviders: [
    { issuer: GITHUB_ISSUER, clientIds: [AWS] },
    { issuer: AZURE_ISSUER, clientIds: [AZURE_RESOURCE] },
    { issuer: GITLAB_ISSUER, clientIds: [GITLAB_ISSUER] },
    { issuer: CLUSTER_ISSUER, clientIds: [AWS] },
    { issuer: VAULT_ISSUER, clientIds: [AWS] },
  ],
};

const section = (role: string, keys: string): string =>
  `[legacy]\nrole_arn = arn:aws:iam::123412341234:role/${role}\n${keys}\n`;

/** Refreshes in silence; the file then holds the keys that STS issued to the role. */
async function refreshes(scene: Scene, role: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const result = await scene.run([], { env });
  assert.deepEqual(result, { code: 0, signal: null, stdout: "", stderr: "" });
  const values = valuesOf(await scene.credentials(), "legacy");
  const key = scene.sandbox.keyOf(values["aws_access_key_id"] ?? "");
  assert.equal(key?.secretAccessKey, values["aws_secret_access_key"]);
  assert.equal(key?.principal.roleArn, `arn:aws:iam::123412341234:role/${role}`);
  assert.equal(values["manager"], "rolefresh");
  const again = await scene.run(["check"], { env });
  assert.deepEqual([again.code, again.stderr], [1, ""], "nothing is due any more");
}

suite("from the identity to the credentials file", () => {
  for (const platform of ["gke", "cloud-run"] as const) {
    test(`on ${platform}, with no host name for the session's`, async () => {
      const config = section("metadata", "identity = gcp-metadata\naudience = gcp");
      await using scene = await openScene(config, { ...WORLD, platform, hostname: undefined });
      await refreshes(scene, "metadata");
      assert.match(
        valuesOf(await scene.credentials(), "legacy")["x_principal_arn"] ?? "",
        /:assumed-role\/metadata\/demo-project\.unknown$/,
      );
    });
  }

  test("gcp-adc: a key file, and an account impersonated with it that fits the metadata server's policy", async () => {
    await using iam = await startGoogleIam();
    iam.mayImpersonate.set("ya29.key", [DEFAULT_SERVICE_ACCOUNT.email]);
    await using scene = await openScene(section("key", "identity = gcp-adc\naudience = gcp"), WORLD);
    const path = await scene.home.write("key.json", JSON.stringify(iam.key));
    const env = { ...iam.env, GOOGLE_APPLICATION_CREDENTIALS: path };
    await refreshes(scene, "key", env);
    const impersonating = `identity = gcp-adc\naudience = gcp\nservice_account = ${DEFAULT_SERVICE_ACCOUNT.email}`;
    await scene.home.write(".aws/rolefresh.ini", section("metadata", impersonating));
    await refreshes(scene, "metadata", env);
  });

  test("gcp-adc: an external account whose token an executable prints; it is not awaited past the deadline", async () => {
    await using iam = await startGoogleIam();
    iam.mayImpersonate.set("ya29.d.federated", [DEFAULT_SERVICE_ACCOUNT.email]);
    const keys = `identity = gcp-adc\nservice_account = ${DEFAULT_SERVICE_ACCOUNT.email}`;
    await using scene = await openScene(section("metadata", keys), WORLD);
    const subject = {
      version: 1,
      success: true,
      token_type: "urn:ietf:params:oauth:token-type:jwt",
      id_token: "a.b.c",
    };
    const answer = JSON.stringify({ ...subject, expiration_time: 4_102_444_800 });
    const good = await scene.home.write("good", `#!/bin/sh\necho '${answer}'\n`, 0o755);
    const slow = await scene.home.write("slow", `#!/bin/sh\ntouch ${scene.home.path}/reached\nexec sleep 600\n`, 0o755);
    const login = async (command: string) => {
      const executable = { command, timeout_millis: 120_000 };
      const json = { ...iam.externalAccount("unused"), credential_source: { executable } };
      await scene.home.write(".config/gcloud/application_default_credentials.json", JSON.stringify(json));
    };
    const env = { ...iam.env, GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1" };
    await login(good);
    await refreshes(scene, "metadata", env);
    for (const script of ["echo hunter2", "echo hunter2 >&2; exit 1", "echo '{\"hunter2\": '"]) {
      await login(await scene.home.write("bad", `#!/bin/sh\n${script}\n`, 0o755));
      const { code, stderr } = await scene.run(["--force", "--verbose"], { env });
      assert.equal(code, 65, stderr);
      assert.doesNotMatch(stderr, /hunter2/, "what an executable prints is never shown");
    }
    await login(slow);
    const result = await runOverdue(scene, ["--force"], isThere(`${scene.home.path}/reached`), { env });
    assert.equal(result.code, 75, result.stderr);
    assert.match(result.stderr, /application_default_credentials\.json have given no token: timed out after 3600 s/);
    const forbidden = await scene.run(["--force"], { env: iam.env });
    assert.equal(forbidden.code, 65);
    assert.match(forbidden.stderr, /GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES/);
  });

  test("github-actions", async () => {
    await using github = await startGitHub();
    await using scene = await openScene(section("github", "identity = github-actions"), WORLD);
    await refreshes(scene, "github", github.env);
  });

  test("azure: a virtual machine and App Service", async () => {
    for (const start of [startImds, startAppService]) {
      await using azure = await start();
      await using scene = await openScene(section("azure", `identity = azure\naudience = ${AZURE_RESOURCE}`), WORLD);
      await refreshes(scene, "azure", azure.env);
    }
  });

  test("azure on AKS and kubernetes: a projected file", async () => {
    await using scene = await openScene(section("pod", "identity = azure"), WORLD);
    const claims = {
      iss: CLUSTER_ISSUER,
      sub: "system:serviceaccount:default:app",
      aud: [AWS],
      ...timesAt(new Date()),
    };
    const file = await scene.home.write("token", await signToken(claims));
    await refreshes(scene, "pod", { AZURE_FEDERATED_TOKEN_FILE: file });
    await scene.home.write(".aws/credentials", "");
    await scene.home.write(".aws/rolefresh.ini", section("pod", `identity = kubernetes\naudience = ${AWS}`));
    await refreshes(scene, "pod", { AWS_WEB_IDENTITY_TOKEN_FILE: file });
  });

  test("gitlab", async () => {
    await using scene = await openScene(section("gitlab", "identity = gitlab"), WORLD);
    const claims = { iss: GITLAB_ISSUER, sub: "project_path:a/b:ref_type:branch:ref:main", aud: GITLAB_ISSUER };
    await refreshes(scene, "gitlab", {
      GITLAB_CI: "true",
      AWS_ID_TOKEN: await signToken({ ...claims, ...timesAt(new Date()) }),
    });
  });

  test("url, with a header from the environment and the token in JSON", async () => {
    await using vault = await startTokenService(async ({ headers }) => {
      if (headers["x-vault-token"] !== "s.secret" || headers["x-namespace"] !== "ops") return textReply("", 403);
      const claims = { iss: VAULT_ISSUER, sub: "legacy-app", aud: AWS, ...timesAt(new Date()) };
      return jsonReply({ data: { token: await signToken(claims) } });
    });
    const keys = `identity = url\nidentity_url = ${vault.url}/v1/identity\nidentity_header[] = X-Vault-Token: {env:VAULT_TOKEN}\nidentity_header[] = X-Namespace: ops\nidentity_json_path = data.token`;
    await using scene = await openScene(section("vault", keys), WORLD);
    await refreshes(scene, "vault", { VAULT_TOKEN: "s.secret" });
    const { stderr } = await scene.run(["--force", "--verbose"], { env: { VAULT_TOKEN: "s.secret" } });
    assert.doesNotMatch(stderr, /s\.secret|eyJ/);
  });
});

suite("identities that fail", () => {
  const cases: readonly (readonly [string, string, Readonly<Record<string, string>>, number, RegExp])[] = [
    ["github-actions elsewhere", "identity = github-actions", {}, 69, /not running in a GitHub Actions job/],
    [
      "github-actions without the permission",
      "identity = github-actions",
      { GITHUB_ACTIONS: "true" },
      77,
      /hint: .*permissions: \{ id-token: write/,
    ],
    ["gitlab elsewhere", "identity = gitlab", {}, 69, /not running in a GitLab job/],
    ["gitlab without id_tokens", "identity = gitlab", { GITLAB_CI: "true" }, 66, /hint: .*id_tokens/],
    [
      "azure elsewhere",
      "identity = azure\naudience = api://x",
      { AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://127.0.0.1:9" },
      69,
      /connection is refused/,
    ],
    ["azure without an audience", "identity = azure", {}, 78, /hint: .*audience = api:\/\//],
    [
      "gcp-adc without credentials",
      "identity = gcp-adc",
      { METADATA_SERVER_DETECTION: "none" },
      69,
      /hint: .*gcloud auth application-default login/,
    ],
    [
      "gcp-adc with a key file that is gone",
      "identity = gcp-adc",
      { GOOGLE_APPLICATION_CREDENTIALS: "/nonexistent" },
      66,
      /no key file/,
    ],
    [
      "url whose header's variable is not set",
      "identity = url\nidentity_url = http://127.0.0.1:9/\nidentity_header = A: {env:NONE}",
      {},
      66,
      /NONE of the header A is not set/,
    ],
    ["url where nobody listens", "identity = url\nidentity_url = http://127.0.0.1:9/", {}, 69, /connection is refused/],
  ];
  for (const [title, keys, env, code, says] of cases) {
    test(`${title}: exit ${code}, and STS is not called`, async () => {
      await using scene = await openScene(section("github", keys), WORLD);
      const result = await scene.run([], { env });
      assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
      assert.match(result.stderr, says);
      for (const line of result.stderr.trimEnd().split("\n"))
        assert.match(line, /^rolefresh: (error|hint): [^.].*[^.]$/);
      assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0);
      assert.deepEqual(await scene.home.awsFiles(), ["rolefresh.ini"]);
    });
  }

  test("a token for another audience is pointed out before STS is called", async () => {
    await using github = await startGitHub({ claims: { aud: "https://github.com/octo-org" } });
    await using scene = await openScene(section("github", "identity = github-actions"), WORLD);
    const result = await scene.run([], { env: github.env });
    assert.equal(result.code, 77);
    assert.match(result.stderr, /not for the audience sts\.amazonaws\.com .*aud=https:\/\/github\.com\/octo-org/);
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0);
  });

  test("an issuer's clock more than 60 s apart is a warning that names the skew; a minute less is none", async () => {
    for (const [offMs, says] of [
      [
        -200_000,
        /^rolefresh: warning: this machine's clock is (19|20)\d s ahead of that of the token's issuer\nrolefresh: hint: set the clock: timedatectl set-ntp true\n$/,
      ],
      [200_000, /^rolefresh: warning: this machine's clock is (19|20)\d s behind that of the token's issuer\n/],
      [20_000, /^$/],
    ] as const) {
      await using github = await startGitHub({ now: () => new Date(Date.now() + offMs) });
      await using scene = await openScene(section("github", "identity = github-actions"), WORLD);
      const result = await scene.run([], { env: github.env });
      assert.deepEqual([result.code, result.stdout], [0, ""], result.stderr);
      assert.match(result.stderr, says);
    }
  });
});

suite("other commands with these identities", () => {
  test("doctor shows the token and trust-policy prints what GitHub's needs", async () => {
    await using github = await startGitHub();
    await using scene = await openScene(section("github", "identity = github-actions"), WORLD);
    const doctor = await scene.run(["doctor", "--json"], { env: github.env });
    assert.match(doctor.stdout, /github-actions returns a token/);
    assert.match(doctor.stdout, /iss=https:\/\/token\.actions\.githubusercontent\.com aud=sts\.amazonaws\.com/);
    for (const args of [
      ["trust-policy", "legacy"],
      ["trust-policy", "legacy", "--sub", GITHUB_SUBJECT],
    ]) {
      const env = args.includes("--sub") ? {} : github.env;
      const { code, stdout, stderr } = await scene.run(args, { env });
      assert.equal(code, 0, stderr);
      assert.match(
        stdout,
        /"token\.actions\.githubusercontent\.com:sub": "repo:octo-org\/octo-repo:ref:refs\/heads\/main"/,
      );
    }
  });

  test("trust-policy asks for the issuer where an identity may have any", async () => {
    await using scene = await openScene(section("gitlab", `identity = gitlab\naudience = ${GITLAB_ISSUER}`), WORLD);
    const { code, stderr } = await scene.run(["trust-policy", "legacy", "--sub", "x"]);
    assert.equal(code, 64);
    assert.match(stderr, /--iss is missing\nrolefresh: hint: gitlab may have any issuer: add --iss/);
    const given = await scene.run(["trust-policy", "legacy", "--sub", "x", "--iss", GITLAB_ISSUER]);
    assert.equal(given.code, 0, given.stderr);
  });

  test("init writes a config for a job without a question", async () => {
    await using github = await startGitHub();
    await using scene = await openScene(undefined, WORLD);
    await scene.home.write(".aws/credentials", "");
    const env = { ...github.env, METADATA_SERVER_DETECTION: "none" };
    const { code, stderr } = await scene.run(
      ["init", "--role-arn", GCP_ARN.replace(/[^/]*$/, "github"), "--profile", "legacy"],
      { env },
    );
    assert.equal(code, 0, stderr);
    assert.match(await scene.home.read(".aws/rolefresh.ini"), /\nidentity = github-actions\n/);
    await refreshes(scene, "github", github.env);
  });
});

suite(
  "issuers by their real names, through a proxy that the company's own authority certifies",
  { skip: await whyNoOpenssl() },
  () => {
    const GITHUB_HOST = "run-actions-1.actions.githubusercontent.com";

    async function throughProxy(
      service: { readonly url: string },
      config: string,
      envOf: (scene: Scene) => Promise<Readonly<Record<string, string>>>,
      role: string,
    ): Promise<readonly string[]> {
      await using ca = await makeTestCa([GITHUB_HOST, "oauth2.googleapis.com", "iamcredentials.googleapis.com"]);
      await using front = await startTlsFront(ca.server, Number(new URL(service.url).port));
      await using proxy = await startConnectProxy({ targetPort: front.port });
      await using scene = await openScene(config, WORLD);
      await refreshes(scene, role, { HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: ca.file, ...(await envOf(scene)) });
      assert.deepEqual(proxy.plain, []);
      return [...new Set(proxy.targets)];
    }

    test("github-actions", async () => {
      await using github = await startGitHub();
      const url = (github.env["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? "").replace(github.url, `https://${GITHUB_HOST}`);
      const env = { ...github.env, ACTIONS_ID_TOKEN_REQUEST_URL: url };
      const targets = await throughProxy(
        github,
        section("github", "identity = github-actions"),
        async () => env,
        "github",
      );
      assert.deepEqual(targets, [`${GITHUB_HOST}:443`]);
    });

    test("gcp-adc: Google's token endpoint and IAM Credentials", async () => {
      await using iam = await startGoogleIam();
      iam.mayImpersonate.set("ya29.key", [DEFAULT_SERVICE_ACCOUNT.email]);
      const { token_uri: _, ...key } = iam.key;
      const config = section("metadata", `identity = gcp-adc\nservice_account = ${DEFAULT_SERVICE_ACCOUNT.email}`);
      const envOf = async (scene: Scene) => ({
        GOOGLE_APPLICATION_CREDENTIALS: await scene.home.write("key.json", JSON.stringify(key)),
      });
      const targets = await throughProxy(iam, config, envOf, "metadata");
      assert.deepEqual(targets, ["oauth2.googleapis.com:443", "iamcredentials.googleapis.com:443"]);
    });
  },
);

suite("libraries", () => {
  test("of a source that is not used are not loaded", async () => {
    await using scene = await openScene(section("metadata", "identity = gcp-metadata\naudience = gcp"), WORLD);
    const loaded = await loadedBy(scene, {});
    assert.ok(loaded.includes("client-sts"), "the probe sees what is loaded");
    assert.deepEqual(
      loaded.filter((name) => /google-auth|gaxios|credential-provider/.test(name)),
      [],
    );
    await using iam = await startGoogleIam();
    const path = await scene.home.write("key.json", JSON.stringify(iam.key));
    await scene.home.write(".aws/rolefresh.ini", section("key", "identity = gcp-adc\naudience = gcp"));
    const withAdc = await loadedBy(scene, { ...iam.env, GOOGLE_APPLICATION_CREDENTIALS: path });
    assert.ok(withAdc.includes("google-auth-library"));
  });

  /** The packages that a run opened files of, by a hook that notes every file it loads. */
  async function loadedBy(scene: Scene, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const hooks = `import { appendFileSync } from "node:fs";
export async function load(url, context, next) { appendFileSync(process.env.LOADED, url + "\\n"); return next(url, context); }`;
    const register = `import { register } from "node:module"; register("./hooks.mjs", import.meta.url);`;
    await scene.home.write("probe/hooks.mjs", hooks);
    const entry = await scene.home.write("probe/register.mjs", register);
    const list = await scene.home.write("probe/loaded", "");
    const result = await scene.run(["--force"], { env: { ...env, LOADED: list, NODE_OPTIONS: `--import=${entry}` } });
    assert.equal(result.code, 0, result.stderr);
    const urls = (await scene.home.read("probe/loaded")).split("\n");
    return [
      ...new Set(
        urls
          .map((url) => /.*\/node_modules\/(?:@[^/]+\/)?([^/]+)\//.exec(url)?.[1])
          .filter((name) => name !== undefined),
      ),
    ];
  }
});

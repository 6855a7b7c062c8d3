import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, suite, test } from "node:test";

import { startConnectProxy } from "../sandbox/connect-proxy.ts";
import { startGoogleIam } from "../sandbox/google-iam.ts";
import { type LoopbackServer, startLoopbackServer } from "../sandbox/loopback-server.ts";
import { startTlsFront, type TlsFront } from "../sandbox/tls-front.ts";
import { GCP_ARN, ONE_ROLE, openScene, type Scene } from "../support/scene.ts";
import { makeTestCa, type TestCa, whyNoOpenssl } from "../support/test-ca.ts";

// NODE_TLS_REJECT_UNAUTHORIZED=0 switches verification off for all of Node (https://nodejs.org/api/cli.html), and people leave
// it in their profiles. What rolefresh sends is as good as a password: each way to a server is tried with a certificate of
// an unknown authority, and none may send anything.

const STS_HOST = "sts.eu-central-1.amazonaws.com";
const ROLE = `[legacy]\nrole_arn = ${GCP_ARN}\n`;

interface Way {
  readonly config: string;
  /** @param server `https://localhost:PORT` with the bad certificate */
  readonly env: (server: string, scene: Scene) => Readonly<Record<string, string>>;
  readonly prepare?: (server: string, scene: Scene) => Promise<unknown>;
}

const SSO = `[profile dev]
sso_session = corp
sso_account_id = 123412341234
sso_role_name = Developer

[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
`;
const AWS_PROFILE = "[legacy]\nidentity = aws-profile\nsource_profile = dev\n";
const LONG_LIVED =
  "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";

async function writeKey(scene: Scene, change: object): Promise<void> {
  await using iam = await startGoogleIam();
  await scene.home.write("key.json", JSON.stringify({ ...iam.key, ...change }));
}

const WAYS: Readonly<Record<string, Way>> = {
  STS: { config: ONE_ROLE, env: (server) => ({ AWS_ENDPOINT_URL_STS: server }) },
  "the URL of a token": {
    config: `${ROLE}identity = url\nidentity_url = SERVER/token\n`,
    env: () => ({}),
  },
  "GitHub's token endpoint": {
    config: `${ROLE}identity = github-actions\n`,
    env: (server) => ({ ACTIONS_ID_TOKEN_REQUEST_URL: server, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "bearer-of-the-job" }),
  },
  "App Service of Azure": {
    config: `${ROLE}identity = azure\naudience = api://x\n`,
    env: (server) => ({ IDENTITY_ENDPOINT: server, IDENTITY_HEADER: "header-of-the-app" }),
  },
  "the token endpoint of a Google key, by Google's library": {
    config: `${ROLE}identity = gcp-adc\n`,
    env: (_, scene) => ({ GOOGLE_APPLICATION_CREDENTIALS: `${scene.home.path}/key.json` }),
    prepare: (server, scene) => writeKey(scene, { token_uri: `${server}/token` }),
  },
  "the portal of IAM Identity Center, by the SDK": {
    config: AWS_PROFILE,
    env: (server) => ({ AWS_ENDPOINT_URL_SSO: server }),
    prepare: async (_, scene) => {
      await scene.home.write(".aws/config", SSO);
      const name = createHash("sha1").update("corp").digest("hex");
      const login = { accessToken: "token-of-sso", expiresAt: "2099-01-01T00:00:00Z", region: "eu-central-1" };
      await scene.home.write(`.aws/sso/cache/${name}.json`, JSON.stringify(login));
    },
  },
  "STS for a role of an AWS profile, by the SDK": {
    config: AWS_PROFILE,
    env: (server) => ({ AWS_ENDPOINT_URL_STS: server }),
    prepare: async (_, scene) => {
      await scene.home.write(".aws/config", `[profile dev]\nrole_arn = ${GCP_ARN}\nsource_profile = base\n`);
      await scene.home.write(".aws/credentials", `[base]\n${LONG_LIVED}`);
    },
  },
  "a container's credentials, by the SDK": {
    config: `${ROLE}credential_source = EcsContainer\n`,
    env: (server) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: server, AWS_CONTAINER_AUTHORIZATION_TOKEN: "of-the-task" }),
  },
};

suite("NODE_TLS_REJECT_UNAUTHORIZED=0 turns verification off for", { skip: await whyNoOpenssl() }, () => {
  let ca: TestCa;
  let server: LoopbackServer;
  let front: TlsFront;
  const requests: string[] = [];

  before(async () => {
    ca = await makeTestCa(["localhost", STS_HOST]);
    server = await startLoopbackServer(0, async ({ method, target }, response) => {
      requests.push(`${method} ${target}`);
      response.writeHead(200).end("{}");
    });
    front = await startTlsFront(ca.server, server.port);
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await server.pause();
    await ca[Symbol.asyncDispose]();
  });

  for (const [name, { config, env, prepare }] of Object.entries(WAYS)) {
    test(`nothing: not for ${name}`, async () => {
      const url = `https://localhost:${front.port}`;
      await using scene = await openScene(config.replace("SERVER", url));
      await prepare?.(url, scene);
      for (const args of [[], ["doctor"]]) {
        const result = await scene.run(args, { env: { ...env(url, scene), NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
        assert.notEqual(result.code, 0, result.stdout);
        assert.match(result.stdout + result.stderr, /certificate of .* (has an unknown issuer \(|is not accepted: )/);
        assert.doesNotMatch(result.stderr, /Warning|NODE_TLS/);
      }
      assert.deepEqual(requests, []);
    });
  }

  test("nothing: not for STS behind a proxy, and not for a proxy with TLS of its own", async () => {
    await using scene = await openScene(`${ONE_ROLE}region = eu-central-1\n`);
    await using proxy = await startConnectProxy({ targetPort: front.port });
    await using secure = await startTlsFront(ca.server, proxy.port);
    const usual = { AWS_ENDPOINT_URL_STS: "", NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const behind = await scene.run([], { env: { ...usual, HTTPS_PROXY: proxy.url } });
    assert.equal(behind.code, 76, behind.stderr);
    assert.match(behind.stderr, /certificate of sts\.eu-central-1\.amazonaws\.com has an unknown issuer/);
    assert.deepEqual(proxy.targets, [`${STS_HOST}:443`]);
    const login = `https://jane:secret@localhost:${secure.port}`;
    const through = await scene.run([], { env: { ...usual, HTTPS_PROXY: login } });
    assert.equal(through.code, 76, through.stderr);
    assert.match(through.stderr, /certificate of the proxy localhost:\d+ has an unknown issuer/);
    assert.deepEqual([proxy.targets.length, requests.length], [1, 0]);
  });

  test("what rolefresh starts: that is the user's own affair", async () => {
    await using scene = await openScene(
      `${ONE_ROLE}on_refresh = echo "$NODE_TLS_REJECT_UNAUTHORIZED" > "$HOME/seen"\n`,
    );
    assert.equal((await scene.run([], { env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } })).code, 0);
    assert.equal(await scene.home.read("seen"), "0\n");
  });

  test("nobody, and doctor says that it is ignored", async () => {
    await using scene = await openScene(ONE_ROLE);
    const { stdout } = await scene.run(["doctor"], { env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
    assert.match(stdout, /NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/);
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import { Failure, type FailureCode } from "../../src/base/failure.ts";
import type { IdentitySource } from "../../src/config/config.ts";
import { obtainIdentityToken } from "../../src/sources/obtain-token.ts";
import {
  AZURE_CLIENT_ID,
  AZURE_ISSUER,
  AZURE_RESOURCE,
  type Azure,
  startAppService,
  startImds,
} from "../sandbox/azure.ts";
import type { Fault } from "../sandbox/fault.ts";
import { startGitHub } from "../sandbox/github.ts";
import { signToken } from "../sandbox/google-token.ts";
import { jsonReply, startTokenService, textReply, timesAt, type TokenService } from "../sandbox/token-service.ts";
import { assertIdentityFails, identityBench } from "../support/sources-bench.ts";

/** The sources that ask an HTTP server, each against a server that behaves as the vendor's page says. */

type Service = TokenService & { readonly env: Readonly<Record<string, string>> };

const URL_SECRET = "853b9a84-in-a-header";

/** Any company's own token server: a header, and the token deep in JSON. */
async function startOwnServer(now: () => Date = () => new Date()): Promise<Service> {
  const service = await startTokenService(async ({ headers, target }) => {
    if (headers["x-vault-token"] !== URL_SECRET || headers["x-app"] !== "legacy") return textReply("", 403);
    const token = await signToken({
      iss: "https://vault.example.com",
      sub: "app",
      aud: "sts.amazonaws.com",
      ...timesAt(now()),
    });
    return target.startsWith("/plain") ? textReply(`${token}\n`) : jsonReply({ data: { tokens: [{ jwt: token }] } });
  }, now);
  return { ...service, env: { VAULT_TOKEN: URL_SECRET } };
}

const urlSource = (service: TokenService, changes: Partial<Extract<IdentitySource, { kind: "url" }>> = {}) =>
  ({
    kind: "url",
    url: `${service.url}/v1/identity?role=legacy&secret=853b9a84-in-the-url`,
    headers: [
      { name: "X-Vault-Token", template: "{env:VAULT_TOKEN}" },
      { name: "X-App", template: "legacy" },
    ],
    jsonPath: "data.tokens[0].jwt",
    audience: "sts.amazonaws.com",
    ...changes,
  }) as const;

interface Case {
  readonly name: string;
  readonly start: (now?: () => Date) => Promise<Service>;
  readonly source: (service: TokenService) => IdentitySource;
  readonly issuer: string;
}

const CASES: readonly Case[] = [
  {
    name: "url",
    start: startOwnServer,
    source: (service) => urlSource(service),
    issuer: "https://vault.example.com",
  },
  {
    name: "github-actions",
    start: (now) => startGitHub(now === undefined ? {} : { now }),
    source: () => ({ kind: "github-actions", audience: "sts.amazonaws.com" }),
    issuer: "https://token.actions.githubusercontent.com",
  },
  {
    name: "azure on a virtual machine",
    start: (now) => startImds(now === undefined ? {} : { now }),
    source: () => ({ kind: "azure", audience: AZURE_RESOURCE, clientId: undefined }),
    issuer: AZURE_ISSUER,
  },
  {
    name: "azure on App Service",
    start: (now) => startAppService(now === undefined ? {} : { now }),
    source: () => ({ kind: "azure", audience: AZURE_RESOURCE, clientId: AZURE_CLIENT_ID }),
    issuer: AZURE_ISSUER,
  },
];

/** What every one of them must make of a server that misbehaves. */
const FAULTS: readonly (readonly [Fault, FailureCode, RegExp])[] = [
  [{ kind: "status", status: 401 }, "IDENTITY_DENIED", /status 401/],
  [{ kind: "status", status: 403 }, "IDENTITY_DENIED", /status 403/],
  [{ kind: "status", status: 429 }, "IDENTITY_TEMPORARY", /status 429/],
  [{ kind: "status", status: 500 }, "IDENTITY_TEMPORARY", /status 500/],
  [{ kind: "status", status: 503 }, "IDENTITY_TEMPORARY", /status 503/],
  [{ kind: "status", status: 418 }, "IDENTITY_INVALID_RESPONSE", /status 418/],
  [{ kind: "reset" }, "IDENTITY_TEMPORARY", /connection was closed/],
  [{ kind: "half-body" }, "IDENTITY_TEMPORARY", /connection was closed/],
  [{ kind: "redirect" }, "IDENTITY_INVALID_RESPONSE", /status 302.*login page/],
  [{ kind: "html" }, "IDENTITY_INVALID_RESPONSE", /HTML page.*login page/],
  [{ kind: "garbage" }, "IDENTITY_INVALID_RESPONSE", /not JSON/],
  [{ kind: "empty-body" }, "IDENTITY_INVALID_RESPONSE", /not JSON/],
  [{ kind: "body", text: "{}" }, "IDENTITY_INVALID_RESPONSE", /no text at/],
  [
    { kind: "body", text: '{"value":"eyJub3Q","access_token":"eyJub3Q","data":{"tokens":[{"jwt":"eyJub3Q"}]}}' },
    "IDENTITY_INVALID_RESPONSE",
    /not a JWT/,
  ],
  [{ kind: "huge-body", bytes: 10 * 1024 * 1024 }, "IDENTITY_INVALID_RESPONSE", /too large/],
];

for (const { name, start, source, issuer } of CASES) {
  suite(`a token of ${name}`, () => {
    test("is given", async () => {
      await using service = await start();
      const { context, lines } = identityBench({ env: service.env });
      const token = await obtainIdentityToken(source(service), context);
      assert.equal(token.claims.issuer, issuer);
      assert.ok(Math.abs(token.clockAheadMs ?? Number.NaN) < 60_000);
      assert.equal(service.calls.length, 1);
      assert.doesNotMatch(inspect([token, lines]), /eyJ|853b9a84|request-token/);
    });

    for (const [fault, code, says] of FAULTS) {
      test(`${JSON.stringify(fault).slice(0, 60)} is ${code}`, async () => {
        await using service = await start();
        service.misbehave(fault);
        const { context, pauses } = identityBench({ env: service.env });
        await assertIdentityFails(obtainIdentityToken(source(service), context), code, says);
        assert.equal(pauses.length > 0, code === "IDENTITY_TEMPORARY");
        assert.ok(service.calls.every(({ target }) => target !== "/trap"));
      });
    }

    test("comes after two answers of 503", async () => {
      await using service = await start();
      service.misbehave({ kind: "status", status: 503 }, { times: 2 });
      const { context, pauses } = identityBench({ env: service.env });
      await obtainIdentityToken(source(service), context);
      assert.equal(pauses.length, 2);
    });

    test("from a server that is silent ends at the deadline, which names the server", async () => {
      await using service = await start();
      service.misbehave({ kind: "hang" });
      const { context, end } = identityBench({ env: service.env });
      const called = service.nextCall();
      const failing = assertIdentityFails(
        obtainIdentityToken(source(service), context),
        "TIMEOUT",
        /has not answered: timed out/,
      );
      await called;
      end(new Failure("TIMEOUT", "timed out after 1 s"));
      await failing;
    });

    test("from an address of this machine where nobody listens is IDENTITY_UNAVAILABLE", async () => {
      await using service = await start();
      await service.pause();
      const { context, pauses } = identityBench({ env: service.env });
      await assertIdentityFails(
        obtainIdentityToken(source(service), context),
        "IDENTITY_UNAVAILABLE",
        /connection is refused/,
      );
      assert.ok(pauses.length > 3);
    });

    test("shows how far this machine's clock is off, and is judged by the server's", async () => {
      for (const off of [-3_600_000, 3_600_000]) {
        await using service = await start(() => new Date(Date.now() - off));
        const { context } = identityBench({ env: service.env });
        const { clockAheadMs } = await obtainIdentityToken(source(service), context);
        assert.ok(Math.abs((clockAheadMs ?? 0) - off) < 60_000, String(clockAheadMs));
      }
    });
  });
}

suite("identity = url", () => {
  test("takes a plain body when no path is given, and says so when it is JSON", async () => {
    await using service = await startOwnServer();
    const { context } = identityBench({ env: service.env });
    const plain = urlSource(service, { url: `${service.url}/plain`, jsonPath: undefined });
    assert.equal((await obtainIdentityToken(plain, context)).claims.subject, "app");
    await assertIdentityFails(
      obtainIdentityToken(urlSource(service, { jsonPath: undefined }), context),
      "IDENTITY_INVALID_RESPONSE",
      /is JSON, not a token/,
      /identity_json_path = value/,
    );
  });

  test("refuses a token for another audience before anybody else sees it", async () => {
    await using service = await startOwnServer();
    const { context } = identityBench({ env: service.env });
    await assertIdentityFails(
      obtainIdentityToken(urlSource(service, { audience: "other" }), context),
      "TOKEN_AUDIENCE",
      /not for the audience other .*aud=sts\.amazonaws\.com/,
    );
  });

  test("names the variable of a header that is not set, or that no header can hold, and never its value", async () => {
    await using service = await startOwnServer();
    const { context } = identityBench();
    await assertIdentityFails(
      obtainIdentityToken(urlSource(service), context),
      "TOKEN_MISSING",
      /VAULT_TOKEN of the header X-Vault-Token/,
    );
    const { context: broken } = identityBench({ env: { VAULT_TOKEN: "853b9a84\r\nHost: evil" } });
    await assertIdentityFails(obtainIdentityToken(urlSource(service), broken), "TOKEN_MALFORMED", /VAULT_TOKEN/);
    assert.equal(service.calls.length, 0);
  });

  test("on a host elsewhere that nobody knows is a passing fault, for DNS comes back", async () => {
    await using service = await startOwnServer();
    const { context } = identityBench({ env: service.env });
    const source = urlSource(service, { url: "https://token.invalid/" });
    await assertIdentityFails(obtainIdentityToken(source, context), "IDENTITY_TEMPORARY", /name cannot be resolved/);
  });

  test("that does not speak TLS says what to do about a proxy that opens it", async () => {
    await using service = await startOwnServer();
    const { context } = identityBench({ env: service.env });
    const source = urlSource(service, { url: service.url.replace("http:", "https:") });
    await assertIdentityFails(
      obtainIdentityToken(source, context),
      "IDENTITY_INVALID_RESPONSE",
      /does not speak TLS/,
      /proxy/,
    );
  });
});

suite("identity = github-actions (docs.github.com, OpenID Connect reference)", () => {
  const source = { kind: "github-actions", audience: "https://x.example/?a=b&c" } as const;

  test("adds the audience behind a query as it is, and starts one where there is none, as on Forgejo", async () => {
    for (const [path, expected] of [
      [
        "/idtoken?api-version=2.0&x=a%20b",
        "/idtoken?api-version=2.0&x=a%20b&audience=https%3A%2F%2Fx.example%2F%3Fa%3Db%26c",
      ],
      ["/api/idtoken", "/api/idtoken?audience=https%3A%2F%2Fx.example%2F%3Fa%3Db%26c"],
    ] as const) {
      await using service = await startGitHub({ path });
      const { context } = identityBench({ env: service.env });
      assert.deepEqual((await obtainIdentityToken(source, context)).claims.audience, [source.audience]);
      assert.equal(service.calls[0]?.target, expected);
    }
  });

  test("in a job without id-token: write tells the permission to add (actions/toolkit#952)", async () => {
    const { context } = identityBench({ env: { GITHUB_ACTIONS: "true" } });
    await assertIdentityFails(
      obtainIdentityToken(source, context),
      "IDENTITY_DENIED",
      /ACTIONS_ID_TOKEN_REQUEST_URL is not set/,
      /permissions: \{ id-token: write/,
    );
    const { context: half } = identityBench({ env: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x" } });
    await assertIdentityFails(
      obtainIdentityToken(source, half),
      "IDENTITY_DENIED",
      /ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set/,
    );
  });

  test("outside of a job is IDENTITY_UNAVAILABLE", async () => {
    await assertIdentityFails(
      obtainIdentityToken(source, identityBench().context),
      "IDENTITY_UNAVAILABLE",
      /not running in a GitHub Actions job/,
    );
  });

  test("sends its request token to nobody without TLS", async () => {
    for (const url of ["http://example.com/x?y", "not a url"]) {
      const { context } = identityBench({
        env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" },
      });
      await assertIdentityFails(obtainIdentityToken(source, context), "IDENTITY_UNAVAILABLE", /not an https URL/);
    }
  });

  test("with a request token that no header can hold is TOKEN_MALFORMED", async () => {
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://127.0.0.1:9/", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "a\nb" };
    await assertIdentityFails(obtainIdentityToken(source, identityBench({ env }).context), "TOKEN_MALFORMED");
  });

  test("gives a token for another audience: refused", async () => {
    await using service = await startGitHub({ claims: { aud: "https://github.com/octo-org" } });
    const { context } = identityBench({ env: service.env });
    await assertIdentityFails(
      obtainIdentityToken(source, context),
      "TOKEN_AUDIENCE",
      /aud=https:\/\/github\.com\/octo-org/,
    );
  });
});

suite("identity = azure", () => {
  const source = { kind: "azure", audience: AZURE_RESOURCE, clientId: undefined } as const;
  const starts: readonly (readonly [
    string,
    (options: { readonly hasIdentity?: boolean }) => Promise<Azure>,
    RegExp,
  ])[] = [
    ["a virtual machine", startImds, /az vm identity assign/],
    ["App Service", startAppService, /az webapp identity assign/],
  ];

  test("asks IMDS as its page says: Metadata: true, api-version, resource, client_id", async () => {
    await using service = await startImds();
    const { context } = identityBench({ env: service.env });
    await obtainIdentityToken({ ...source, clientId: AZURE_CLIENT_ID }, context);
    const [call] = service.calls;
    assert.equal(call?.headers["metadata"], "true");
    assert.equal(
      call?.target,
      `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${encodeURIComponent(AZURE_RESOURCE)}&client_id=${AZURE_CLIENT_ID}`,
    );
  });

  for (const [where, start, says] of starts) {
    test(`on ${where} without such an identity says how to give it one`, async () => {
      await using service = await start({ hasIdentity: false });
      const { context } = identityBench({ env: service.env });
      await assertIdentityFails(
        obtainIdentityToken(source, context),
        "IDENTITY_UNAVAILABLE",
        /no managed identity for this machine/,
        says,
      );
      const clientId = "dddddddd-0000-0000-0000-000000000004";
      await using other = await start({});
      const { context: second } = identityBench({ env: other.env });
      await assertIdentityFails(
        obtainIdentityToken({ ...source, clientId }, second),
        "IDENTITY_UNAVAILABLE",
        new RegExp(`client_id ${clientId}`),
      );
    });
  }

  test("for an application that the tenant does not know is IDENTITY_DENIED", async () => {
    await using service = await startImds();
    const { context } = identityBench({ env: service.env });
    await assertIdentityFails(
      obtainIdentityToken({ ...source, audience: "api://nobody" }, context),
      "IDENTITY_DENIED",
      /invalid_resource/,
      /az ad app create/,
    );
  });

  test("takes a v2 token, whose aud is the application's ID alone, and no token for another application", async () => {
    await using v2 = await startImds({ claims: { aud: AZURE_RESOURCE.replace("api://", ""), ver: "2.0" } });
    await obtainIdentityToken(source, identityBench({ env: v2.env }).context);
    await using other = await startImds({ claims: { aud: "https://management.azure.com/" } });
    await assertIdentityFails(obtainIdentityToken(source, identityBench({ env: other.env }).context), "TOKEN_AUDIENCE");
  });

  test("waits while IMDS is updating (404 and 410 of its page)", async () => {
    for (const status of [404, 410]) {
      await using service = await startImds();
      service.misbehave({ kind: "status", status }, { times: 1 });
      const { context, pauses } = identityBench({ env: service.env });
      await obtainIdentityToken(source, context);
      assert.equal(pauses.length, 1);
    }
  });

  test("without an audience is a mistake of the config, told before anybody is asked", async () => {
    await using service = await startImds();
    const { context } = identityBench({ env: service.env });
    await assertIdentityFails(
      obtainIdentityToken({ ...source, audience: undefined }, context),
      "CONFIG_INVALID",
      /audience = api:\/\//,
    );
    assert.equal(service.calls.length, 0);
  });

  test("on Azure Arc, or at an endpoint elsewhere without TLS, is refused", async () => {
    const { context: arc } = identityBench({
      env: { IDENTITY_ENDPOINT: "http://localhost:40342/metadata/identity/oauth2/token" },
    });
    await assertIdentityFails(
      obtainIdentityToken(source, arc),
      "IDENTITY_UNAVAILABLE",
      /without IDENTITY_HEADER/,
      /az account/,
    );
    const { context: far } = identityBench({
      env: { IDENTITY_ENDPOINT: "http://example.com/", IDENTITY_HEADER: "853b9a84" },
    });
    await assertIdentityFails(
      obtainIdentityToken(source, far),
      "IDENTITY_UNAVAILABLE",
      /not an https URL or a private address/,
    );
  });
});

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import { Failure, type FailureCode } from "../../src/base/failure.ts";
import { instancePlaceholders } from "../../src/sources/gcp-metadata.ts";
import { obtainIdentityToken } from "../../src/sources/obtain-token.ts";
import { DEFAULT_SERVICE_ACCOUNT } from "../sandbox/default-world.ts";
import type { Fault } from "../sandbox/fault.ts";
import { type GoogleIam, KEY_ACCOUNT, startGoogleIam, USER_CLIENT_ID } from "../sandbox/google-iam.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { METADATA_ACCESS_TOKEN } from "../sandbox/service-accounts.ts";
import { jsonReply, startTokenService, textReply } from "../sandbox/token-service.ts";
import { assertIdentityFails, identityBench, type IdentityBench } from "../support/sources-bench.ts";
import { type TempHome, tempHome } from "../support/temp-home.ts";

const ADC = { kind: "gcp-adc", audience: "gcp", serviceAccount: undefined } as const;
const TARGET = DEFAULT_SERVICE_ACCOUNT;
const AS_TARGET = { ...ADC, serviceAccount: TARGET.email } as const;

interface Scene extends AsyncDisposable {
  readonly iam: GoogleIam;
  readonly home: TempHome;
  readonly bench: (env?: Readonly<Record<string, string>>) => IdentityBench;
  /** Writes the credentials where `gcloud auth application-default login` puts them. */
  readonly login: (json: unknown) => Promise<string>;
}

async function openScene(now?: () => Date): Promise<Scene> {
  const iam = await startGoogleIam(now);
  const home = await tempHome();
  return {
    iam,
    home,
    bench: (env = {}) => identityBench({ home: home.path, env: { ...iam.env, ...env } }),
    login: (json) => home.write(".config/gcloud/application_default_credentials.json", JSON.stringify(json)),
    async [Symbol.asyncDispose]() {
      await iam[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

suite("Application Default Credentials", () => {
  test("of a service account's key: azp is its e-mail address (google-auth-library-python#746)", async () => {
    await using scene = await openScene();
    const path = await scene.home.write("key.json", JSON.stringify(scene.iam.key));
    const { context, lines } = scene.bench({ GOOGLE_APPLICATION_CREDENTIALS: path });
    const token = await obtainIdentityToken(ADC, context);
    const { audience, authorizedParty, subject } = token.claims;
    assert.deepEqual([audience, authorizedParty, subject], [["gcp"], KEY_ACCOUNT.email, KEY_ACCOUNT.uniqueId]);
    assert.doesNotMatch(inspect([token, lines]), /eyJ|PRIVATE KEY/);
  });

  test("of a user: the audience is gcloud's client, and a configured one is pointed out with what to do", async () => {
    await using scene = await openScene();
    await scene.login(scene.iam.user);
    const { context } = scene.bench();
    const { claims } = await obtainIdentityToken({ ...ADC, audience: undefined }, context);
    assert.deepEqual(claims.audience, [USER_CLIENT_ID]);
    await assertIdentityFails(
      obtainIdentityToken(ADC, context),
      "TOKEN_AUDIENCE",
      /not for the audience gcp/,
      /a user account gets no token/,
    );
  });

  test("are found in CLOUDSDK_CONFIG before the home directory", async () => {
    await using scene = await openScene();
    await scene.login({ type: "nonsense" });
    await scene.home.write("elsewhere/application_default_credentials.json", JSON.stringify(scene.iam.key));
    const { context } = scene.bench({ CLOUDSDK_CONFIG: join(scene.home.path, "elsewhere") });
    assert.equal((await obtainIdentityToken(ADC, context)).claims.subject, KEY_ACCOUNT.uniqueId);
  });

  test("impersonate: azp is the unique ID, as with the metadata server, because useEmailAzp is sent as false", async () => {
    await using scene = await openScene();
    scene.iam.mayImpersonate.set("ya29.key", [TARGET.email]).set("ya29.user", [TARGET.email]);
    for (const json of [scene.iam.key, scene.iam.user]) {
      await scene.login(json);
      const { claims } = await obtainIdentityToken(AS_TARGET, scene.bench().context);
      assert.deepEqual(
        [claims.audience, claims.authorizedParty, claims.email],
        [["gcp"], TARGET.uniqueId, TARGET.email],
      );
    }
    const call = scene.iam.calls.at(-1);
    assert.match(
      call?.target ?? "",
      /\/v1\/projects\/-\/serviceAccounts\/legacy-tool@demo-project\.iam\.gserviceaccount\.com:generateIdToken$/,
    );
    assert.deepEqual(JSON.parse(call?.body.toString() ?? ""), {
      audience: "gcp",
      includeEmail: true,
      useEmailAzp: false,
      delegates: [],
    });
  });

  test("of an external account (workload identity federation) have a token by impersonation only", async () => {
    await using scene = await openScene();
    const subject = await scene.home.write("subject", "header.claims.signature");
    scene.iam.mayImpersonate.set("ya29.d.federated", [TARGET.email]);
    await scene.login(scene.iam.externalAccount(subject));
    await assertIdentityFails(
      obtainIdentityToken(ADC, scene.bench().context),
      "IDENTITY_UNAVAILABLE",
      /has no identity token/,
      /service_account/,
    );
    assert.equal((await obtainIdentityToken(AS_TARGET, scene.bench().context)).claims.authorizedParty, TARGET.uniqueId);
    assert.deepEqual(
      scene.iam.calls.map(({ target }) => target.replace(/.*:/, "")),
      ["/v1/token", "generateIdToken"],
    );
  });

  test("of an external account on EC2 use IMDSv2 with PUT and its session token", async () => {
    await using scene = await openScene();
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
    await using imds = await startTokenService(({ method, target, headers }) => {
      if (target === "/latest/api/token") {
        const isSession = method === "PUT" && headers["x-aws-ec2-metadata-token-ttl-seconds"] !== undefined;
        return isSession ? textReply("SESSION==") : textReply("", 405);
      }
      if (headers["x-aws-ec2-metadata-token"] !== "SESSION==") return textReply("", 401);
      if (target.endsWith("/availability-zone")) return textReply("eu-central-1a");
      if (target.endsWith("/security-credentials")) return textReply("my-ec2-role");
      const keys = { AccessKeyId: "ASIAXXXXXXXXXXXXXXXX", SecretAccessKey: "s", Token: "t" };
      return jsonReply({ Code: "Success", ...keys });
    });
    scene.iam.mayImpersonate.set("ya29.d.federated", [TARGET.email]);
    await scene.login(scene.iam.awsAccount(imds.url));
    assert.equal((await obtainIdentityToken(AS_TARGET, scene.bench().context)).claims.subject, TARGET.uniqueId);
    assert.equal(imds.calls[0]?.method, "PUT");
  });

  test("that name an account to impersonate themselves need no service_account, and the account needs no rights on itself", async () => {
    await using scene = await openScene();
    const subject = await scene.home.write("subject", "header.claims.signature");
    scene.iam.mayImpersonate.set("ya29.d.federated", [TARGET.email]).set("ya29.user", [TARGET.email]);
    await scene.login(scene.iam.externalAccount(subject, TARGET.email));
    assert.equal((await obtainIdentityToken(ADC, scene.bench().context)).claims.subject, TARGET.uniqueId);
    const url = `${scene.iam.url}/v1/projects/-/serviceAccounts/${TARGET.email}:generateAccessToken`;
    const impersonated = {
      type: "impersonated_service_account",
      service_account_impersonation_url: url,
      delegates: ["projects/-/serviceAccounts/d@x"],
      source_credentials: scene.iam.user,
    };
    await scene.login(impersonated);
    assert.equal((await obtainIdentityToken(ADC, scene.bench().context)).claims.subject, TARGET.uniqueId);
    assert.match(scene.iam.calls.at(-1)?.body.toString() ?? "", /"delegates":\["projects\/-\/serviceAccounts\/d@x"\]/);
    assert.ok(scene.iam.calls.every(({ target }) => !target.endsWith("generateAccessToken")));
  });

  test("that name one account, with another one configured, go through the first", async () => {
    await using scene = await openScene();
    const subject = await scene.home.write("subject", "header.claims.signature");
    scene.iam.mayImpersonate
      .set("ya29.d.federated", [KEY_ACCOUNT.email])
      .set(`ya29.of.${KEY_ACCOUNT.email}`, [TARGET.email]);
    await scene.login(scene.iam.externalAccount(subject, KEY_ACCOUNT.email));
    assert.equal((await obtainIdentityToken(AS_TARGET, scene.bench().context)).claims.subject, TARGET.uniqueId);
    scene.iam.mayImpersonate.set("ya29.user", [TARGET.email]);
    const url = `${scene.iam.url}/v1/projects/-/serviceAccounts/${KEY_ACCOUNT.email}:generateAccessToken`;
    await scene.login({
      type: "impersonated_service_account",
      service_account_impersonation_url: url,
      source_credentials: scene.iam.user,
    });
    await obtainIdentityToken(AS_TARGET, scene.bench().context);
    assert.match(
      scene.iam.calls.at(-1)?.body.toString() ?? "",
      /"delegates":\["projects\/-\/serviceAccounts\/with-a-key@/,
    );
  });

  test("without any file are the metadata server's, with impersonation as well", async () => {
    await using scene = await openScene();
    await using box = await startSandbox();
    const { context } = scene.bench({ METADATA_SERVER_DETECTION: "", GCE_METADATA_HOST: box.metadataHost });
    assert.equal((await obtainIdentityToken({ ...ADC, audience: undefined }, context)).claims.subject, TARGET.uniqueId);
    scene.iam.mayImpersonate.set(METADATA_ACCESS_TOKEN, [KEY_ACCOUNT.email]);
    const other = { ...ADC, serviceAccount: KEY_ACCOUNT.email };
    assert.equal((await obtainIdentityToken(other, context)).claims.authorizedParty, KEY_ACCOUNT.uniqueId);
  });

  test("that do not exist: the hint says how to get some", async () => {
    await using scene = await openScene();
    await assertIdentityFails(
      obtainIdentityToken(ADC, scene.bench().context),
      "IDENTITY_UNAVAILABLE",
      /no Application Default Credentials, and METADATA_SERVER_DETECTION/,
      /gcloud auth application-default login/,
    );
  });
});

suite("Application Default Credentials that do not work", () => {
  const files: readonly (readonly [string, unknown, FailureCode, RegExp])[] = [
    ["no JSON", "please log in", "TOKEN_MALFORMED", /holds no Google credentials/],
    ["a type that nobody knows", { type: "nonsense" }, "TOKEN_MALFORMED", /cannot be used/],
    ["a list", [], "TOKEN_MALFORMED", /holds no Google credentials/],
    [
      "a key without its e-mail",
      { type: "service_account", private_key: "-----BEGIN PRIVATE KEY-----\neyJ" },
      "TOKEN_MALFORMED",
      /client_email/,
    ],
    [
      "a key that cannot sign",
      { type: "service_account", client_email: "x@y", private_key: "-----BEGIN PRIVATE KEY-----\neyJ" },
      "TOKEN_MALFORMED",
      /cannot be used/,
    ],
    [
      "a user without a refresh token",
      { type: "authorized_user", client_id: "c", client_secret: "s" },
      "TOKEN_MALFORMED",
      /refresh_token/,
    ],
    [
      "an impersonation of nobody",
      { type: "impersonated_service_account" },
      "TOKEN_MALFORMED",
      /does not name the caller and the account/,
    ],
    [
      "an external account whose token file is gone",
      {
        type: "external_account",
        audience: "//iam.googleapis.com/projects/1",
        subject_token_type: "x",
        token_url: "https://sts.invalid/v1/token",
        credential_source: { file: "/nonexistent/token" },
        service_account_impersonation_url: "https://x/serviceAccounts/a@b:generateAccessToken",
      },
      "TOKEN_MALFORMED",
      /cannot be used.*\/nonexistent\/token/,
    ],
    [
      "an endpoint without TLS",
      {
        type: "authorized_user",
        client_id: "c",
        client_secret: "s",
        refresh_token: "r",
        token_uri: "http://example.com/token",
      },
      "TOKEN_MALFORMED",
      /without TLS/,
    ],
  ];
  for (const [title, json, code, says] of files) {
    test(`${title}: ${code}, with the file's name and without its secrets`, async () => {
      await using scene = await openScene();
      const path = await scene.login(json);
      const failure = await assertIdentityFails(obtainIdentityToken(ADC, scene.bench().context), code, says);
      assert.ok(failure.message.includes(path), failure.message);
    });
  }

  test("an external account whose token is not the expected JSON: nothing of it is shown", async () => {
    await using scene = await openScene();
    const file = await scene.home.write("subject", "hunter2hunter2");
    const json = scene.iam.externalAccount(file, TARGET.email);
    const format = { type: "json", subject_token_field_name: "token" };
    await scene.login({ ...json, credential_source: { file, format } });
    const failure = await assertIdentityFails(
      obtainIdentityToken(ADC, scene.bench().context),
      "TOKEN_MALFORMED",
      /what they name is not JSON/,
    );
    assert.doesNotMatch(inspect(failure), /hunter2/);
  });

  test("a named file that is missing, a directory", async () => {
    await using scene = await openScene();
    const at = (path: string) => scene.bench({ GOOGLE_APPLICATION_CREDENTIALS: path }).context;
    await assertIdentityFails(
      obtainIdentityToken(ADC, at("/nonexistent/key.json")),
      "TOKEN_MISSING",
      /GOOGLE_APPLICATION_CREDENTIALS/,
    );
    await assertIdentityFails(obtainIdentityToken(ADC, at(scene.home.path)), "TOKEN_UNREADABLE", /it is a directory/);
  });

  test("a deleted key, a revoked login, an unknown pool: IDENTITY_DENIED with the command to run", async () => {
    await using scene = await openScene();
    await using other = await startGoogleIam();
    const subject = await scene.home.write("subject", "no token");
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [
        { ...other.key, token_uri: `${scene.iam.url}/token` },
        /invalid_grant: Invalid JWT Signature \/ make a new key.*timedatectl.*deleted/,
      ],
      [{ ...scene.iam.user, refresh_token: "1//gone" }, /expired or revoked .*gcloud auth application-default login/],
      [{ ...scene.iam.user, client_secret: "x" }, /invalid_client .*application-default login/],
      [
        scene.iam.externalAccount(subject, TARGET.email),
        /invalid_grant: Unable to parse the ID Token.*workload identity pool/,
      ],
    ];
    for (const [json, says] of cases) {
      await scene.login(json);
      await assertIdentityFails(
        obtainIdentityToken({ ...ADC, audience: undefined }, scene.bench().context),
        "IDENTITY_DENIED",
        says,
      );
    }
  });

  test("an account that may not be impersonated, or does not exist: IDENTITY_DENIED with the role to grant", async () => {
    await using scene = await openScene();
    await scene.login(scene.iam.key);
    await assertIdentityFails(obtainIdentityToken(AS_TARGET, scene.bench().context), "IDENTITY_DENIED", /status 401/);
    scene.iam.mayImpersonate.set("ya29.key", []);
    await assertIdentityFails(
      obtainIdentityToken(AS_TARGET, scene.bench().context),
      "IDENTITY_DENIED",
      /status 403/,
      /roles\/iam\.serviceAccountOpenIdTokenCreator on legacy-tool@/,
    );
    const nobody = { ...ADC, serviceAccount: "nobody@demo-project.iam.gserviceaccount.com" };
    await assertIdentityFails(
      obtainIdentityToken(nobody, scene.bench().context),
      "IDENTITY_DENIED",
      /knows no service account nobody@/,
    );
    const { context } = scene.bench({ CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: "http://example.com/" });
    await assertIdentityFails(obtainIdentityToken(AS_TARGET, context), "ENDPOINT_REFUSED");
  });

  const faults: readonly (readonly [Fault, FailureCode])[] = [
    [{ kind: "status", status: 401 }, "IDENTITY_DENIED"],
    [{ kind: "status", status: 404 }, "IDENTITY_INVALID_RESPONSE"],
    [{ kind: "status", status: 429 }, "IDENTITY_TEMPORARY"],
    [{ kind: "status", status: 503 }, "IDENTITY_TEMPORARY"],
    [{ kind: "reset" }, "IDENTITY_TEMPORARY"],
    [{ kind: "half-body" }, "IDENTITY_TEMPORARY"],
    [{ kind: "redirect" }, "IDENTITY_INVALID_RESPONSE"],
    [{ kind: "html" }, "IDENTITY_INVALID_RESPONSE"],
    [{ kind: "garbage" }, "IDENTITY_INVALID_RESPONSE"],
    [{ kind: "empty-body" }, "IDENTITY_INVALID_RESPONSE"],
    [{ kind: "body", text: '{"id_token":"eyJub3Q"}' }, "IDENTITY_INVALID_RESPONSE"],
    [{ kind: "huge-body", bytes: 10 * 1024 * 1024 }, "IDENTITY_INVALID_RESPONSE"],
  ];
  for (const [fault, code] of faults) {
    test(`a token endpoint that responds with ${JSON.stringify(fault)} is ${code}, for every request of the library`, async () => {
      await using scene = await openScene();
      const subject = await scene.home.write("subject", "header.claims.signature");
      for (const json of [scene.iam.key, scene.iam.user, scene.iam.externalAccount(subject, TARGET.email)]) {
        await scene.login(json);
        scene.iam.misbehave(fault);
        await assertIdentityFails(obtainIdentityToken(ADC, scene.bench().context), code);
        assert.ok(
          scene.iam.calls.every(({ target }) => target !== "/trap"),
          "no redirect is followed",
        );
      }
    });
  }

  test("a silent token endpoint ends at the deadline", async () => {
    await using scene = await openScene();
    await scene.login(scene.iam.key);
    scene.iam.misbehave({ kind: "hang" });
    const { context, end } = scene.bench();
    const called = scene.iam.nextCall();
    const failing = assertIdentityFails(
      obtainIdentityToken(ADC, context),
      "TIMEOUT",
      /token endpoint at 127\.0\.0\.1:\d+ has not answered/,
    );
    await called;
    end(new Failure("TIMEOUT", "timed out after 1 s"));
    await failing;
  });

  test("a clock that is ten minutes off makes Google reject the key's signature, and the hint names the clock", async () => {
    await using scene = await openScene(() => new Date(Date.now() + 600_000 + 3_600_000));
    await scene.login(scene.iam.key);
    await assertIdentityFails(obtainIdentityToken(ADC, scene.bench().context), "IDENTITY_DENIED", /timedatectl/);
  });
});

suite("the metadata server on other platforms than a VM", () => {
  const source = { kind: "gcp-metadata", audience: "gcp", serviceAccount: "default" } as const;
  const env = (host: string) => ({ METADATA_SERVER_DETECTION: "", GCE_METADATA_HOST: host });

  for (const platform of ["gke", "cloud-run"] as const) {
    test(`on ${platform} gives a token without claims of an instance, by default and by e-mail address`, async () => {
      await using box = await startSandbox({ platform, hostname: undefined });
      const { context } = identityBench({ env: env(box.metadataHost) });
      for (const serviceAccount of ["default", TARGET.email]) {
        const { claims } = await obtainIdentityToken({ ...source, serviceAccount }, context);
        assert.deepEqual(
          [claims.subject, claims.authorizedParty, claims.email],
          [TARGET.uniqueId, TARGET.uniqueId, TARGET.email],
        );
      }
      assert.deepEqual(await instancePlaceholders(context), { project: "demo-project", instance: "unknown" });
    });
  }

  test("on GKE without an annotation says what to annotate, and shows nothing of the response", async () => {
    await using box = await startSandbox({ platform: "gke", serviceAccounts: [] });
    const { context } = identityBench({ env: env(box.metadataHost) });
    const failure = await assertIdentityFails(
      obtainIdentityToken(source, context),
      "IDENTITY_UNAVAILABLE",
      /no Google service account for this pod/,
      /kubectl annotate serviceaccount/,
    );
    assert.doesNotMatch(failure.message, /GSA_NAME/);
  });

  test("on GKE without the role on the account is denied, with the command that grants it", async () => {
    await using box = await startSandbox({ platform: "gke", hostname: undefined });
    box.misbehave("metadata", { kind: "status", status: 403 }, { action: "identity" });
    const { context } = identityBench({ env: env(box.metadataHost) });
    await assertIdentityFails(
      obtainIdentityToken(source, context),
      "IDENTITY_DENIED",
      /status 403/,
      /roles\/iam\.workloadIdentityUser --member='serviceAccount:PROJECT\.svc\.id\.goog/,
    );
  });

  test("an invalid access token, or one that no header can hold: IDENTITY_INVALID_RESPONSE; a denied one: IDENTITY_DENIED", async () => {
    await using scene = await openScene();
    await using box = await startSandbox();
    const { context } = scene.bench(env(box.metadataHost));
    box.misbehave("metadata", { kind: "html" }, { action: "token" });
    await assertIdentityFails(obtainIdentityToken(AS_TARGET, context), "IDENTITY_INVALID_RESPONSE");
    box.misbehave("metadata", { kind: "body", text: '{"access_token":"ya29.\\r\\nHost: evil"}' }, { action: "token" });
    await assertIdentityFails(
      obtainIdentityToken(AS_TARGET, context),
      "IDENTITY_INVALID_RESPONSE",
      /no header may hold/,
    );
    box.misbehave("metadata", { kind: "status", status: 403 }, { action: "token" });
    await assertIdentityFails(obtainIdentityToken(AS_TARGET, context), "IDENTITY_DENIED");
  });
});

test("a key file may be projected behind links, as Kubernetes does with secrets", async () => {
  await using scene = await openScene();
  await mkdir(join(scene.home.path, "secret"));
  const path = join(scene.home.path, "secret", "key.json");
  await writeFile(path, JSON.stringify(scene.iam.key));
  const { context } = identityBench({
    env: { GOOGLE_APPLICATION_CREDENTIALS: "secret/key.json" },
    cwd: scene.home.path,
  });
  assert.equal((await obtainIdentityToken(ADC, context)).claims.subject, KEY_ACCOUNT.uniqueId);
});

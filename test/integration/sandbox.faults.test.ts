import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { STSClient, GetCallerIdentityCommand, type Credentials } from "@aws-sdk/client-sts";
import { decodeJwt } from "jose";
import { assumeByToken, refusalOf, whoAmI } from "../sandbox/sdk-caller.ts";
import { startSandbox, type Fault, type Sandbox } from "../sandbox/sandbox.ts";

const project = (sandbox: Sandbox, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://${sandbox.metadataHost}/computeMetadata/v1/project/project-id`, {
    headers: { "Metadata-Flavor": "Google" },
    redirect: "manual",
    ...init,
  });

const token = (sandbox: Sandbox): Promise<Response> =>
  fetch(`http://${sandbox.metadataHost}/computeMetadata/v1/instance/service-accounts/default/identity?audience=gcp`, {
    headers: { "Metadata-Flavor": "Google" },
  });

/** What went wrong below HTTP, by its errno or undici's code. */
async function brokenBy(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if ("code" in cause && typeof cause.code === "string") return cause.code;
    }
    throw error;
  }
  throw new assert.AssertionError({ message: "nothing went wrong" });
}

describe("below HTTP", () => {
  test("a reset and half a body break the connection", async () => {
    await using sandbox = await startSandbox();
    sandbox.misbehave("metadata", { kind: "reset" });
    assert.equal(await brokenBy(project(sandbox)), "ECONNRESET");
    sandbox.misbehave("metadata", { kind: "half-body" });
    const half = await project(sandbox);
    assert.equal(half.headers.get("content-length"), "12");
    assert.equal(await brokenBy(half.text()), "UND_ERR_SOCKET");
  });

  test("a hung request is noted, and stopping the sandbox cuts it", async () => {
    const sandbox = await startSandbox();
    sandbox.misbehave("metadata", { kind: "hang" });
    const arrived = sandbox.nextCall("project-id");
    const hung = brokenBy(project(sandbox));
    assert.equal((await arrived).status, undefined);
    await sandbox.stop();
    assert.equal(await hung, "UND_ERR_SOCKET");
    await sandbox.stop();
  });

  test("a held request is answered when the fault is lifted", async () => {
    await using sandbox = await startSandbox();
    sandbox.misbehave("metadata", { kind: "hold" });
    const arrived = sandbox.nextCall("project-id");
    const held = project(sandbox);
    assert.equal((await arrived).status, undefined);
    sandbox.misbehave("metadata", undefined);
    assert.equal(await (await held).text(), "demo-project");
    assert.equal((await arrived).status, 200);
  });

  test("a drip gives the head and a little more", async () => {
    await using sandbox = await startSandbox();
    sandbox.misbehave("metadata", { kind: "drip", everyMs: 60_000 });
    const response = await project(sandbox);
    assert.equal(response.headers.get("content-length"), "12");
    const first = await response.body?.getReader().read();
    assert.deepEqual(Buffer.from(first?.value ?? []).toString(), "d");
  });

  test("a paused server refuses connections until it resumes", async () => {
    await using sandbox = await startSandbox();
    await sandbox.pause("metadata");
    assert.equal(await brokenBy(project(sandbox)), "ECONNREFUSED");
    await sandbox.resume("metadata");
    assert.equal(await (await project(sandbox)).text(), "demo-project");
  });
});

describe("in HTTP", () => {
  test("a fault strikes as often as told, and only the action that it names", async () => {
    await using sandbox = await startSandbox();
    sandbox.misbehave("metadata", { kind: "status", status: 503 }, { times: 2, action: "project-id" });
    assert.equal((await token(sandbox)).status, 200);
    const statuses = [];
    for (let attempt = 0; attempt < 3; attempt += 1) statuses.push((await project(sandbox)).status);
    assert.deepEqual(statuses, [503, 503, 200]);
  });

  test("a redirect that is followed leaves its mark", async () => {
    await using sandbox = await startSandbox();
    sandbox.misbehave("metadata", { kind: "redirect" });
    const redirect = await project(sandbox);
    assert.deepEqual([redirect.status, redirect.headers.get("location")], [302, `${sandbox.stsUrl}/_sandbox/trap`]);
    assert.equal(sandbox.callsTo("/_sandbox/trap").length, 0);
    await project(sandbox, { redirect: "follow" });
    assert.equal(sandbox.callsTo("/_sandbox/trap").length, 1);
  });

  const bodies: readonly (readonly [Fault, (text: string) => boolean])[] = [
    [{ kind: "garbage" }, (text) => text.length > 0 && !text.includes("demo-project")],
    [{ kind: "html" }, (text) => text.includes("<form")],
    [{ kind: "empty-body" }, (text) => text === ""],
    [{ kind: "body", text: "demo\nproject]" }, (text) => text === "demo\nproject]"],
    [{ kind: "huge-body", bytes: 2_000_000 }, (text) => text.length >= 2_000_000],
  ];
  for (const [fault, isExpected] of bodies) {
    test(`${fault.kind} comes with status 200`, async () => {
      await using sandbox = await startSandbox();
      sandbox.misbehave("metadata", fault);
      const response = await project(sandbox);
      assert.equal(response.status, 200);
      assert.ok(isExpected(await response.text()));
    });
  }
});

describe("of the metadata server", () => {
  test("an answer can lack the flavor, and a token be none, a foreign or a huge one", async () => {
    await using sandbox = await startSandbox();
    sandbox.misbehave("metadata", { kind: "no-flavor" });
    assert.equal((await project(sandbox)).headers.get("metadata-flavor"), null);
    sandbox.misbehave("metadata", { kind: "not-a-jwt" });
    assert.equal((await (await token(sandbox)).text()).split(".").length, 2);
    sandbox.misbehave("metadata", { kind: "token-claims", claims: { aud: "somebody-else", azp: undefined } });
    const claims = decodeJwt(await (await token(sandbox)).text());
    assert.deepEqual([claims.aud, claims["azp"]], ["somebody-else", undefined]);
    sandbox.misbehave("metadata", { kind: "huge-token" });
    assert.ok((await (await token(sandbox)).text()).length >= 1024 * 1024);
  });
});

describe("of STS", () => {
  test("an error of AWS comes by its code, with AWS's status and message", async () => {
    await using sandbox = await startSandbox();
    const keys = await assumeByToken(sandbox);
    sandbox.misbehave("sts", { kind: "aws-error", code: "Throttling" });
    assert.deepEqual(await refusalOf(assumeByToken(sandbox)), {
      code: "Throttling",
      status: 400,
      message: "Rate exceeded",
    });
    sandbox.misbehave("sts", { kind: "aws-error", code: "RegionDisabledException" }, { action: "GetCallerIdentity" });
    assert.match((await refusalOf(whoAmI(sandbox, keys))).message, /^STS is not activated in this region for account:/);
    sandbox.misbehave("sts", undefined);
    await assumeByToken(sandbox);
  });

  const bent: readonly (readonly [Fault, (keys: Credentials) => boolean])[] = [
    [{ kind: "past-expiry" }, ({ Expiration }) => (Expiration?.getTime() ?? 0) < Date.now()],
    [{ kind: "missing-field", field: "SessionToken" }, ({ SessionToken }) => SessionToken === undefined],
    [
      { kind: "hostile-field", field: "sessionToken" },
      ({ SessionToken }) => SessionToken?.endsWith("=\n[evil]\naws_access_key_id = AKIAEVIL") === true,
    ],
    [
      { kind: "hostile-field", field: "accessKeyId", text: "ASIA\r\n]\u0001\u0085&<" },
      ({ AccessKeyId }) => AccessKeyId === "ASIA\r\n]\u0001\u0085&<",
    ],
  ];
  for (const [fault, isExpected] of bent) {
    test(`${JSON.stringify(fault)} reaches the SDK as it is`, async () => {
      await using sandbox = await startSandbox();
      sandbox.misbehave("sts", fault);
      assert.ok(isExpected(await assumeByToken(sandbox)));
    });
  }

  test("many clients at once and one after the other are all served", async () => {
    await using sandbox = await startSandbox({ latencyMs: 1 });
    const keys = await assumeByToken(sandbox);
    const client = new STSClient({
      region: "eu-central-1",
      endpoint: sandbox.stsUrl,
      credentials: {
        accessKeyId: keys.AccessKeyId ?? "",
        secretAccessKey: keys.SecretAccessKey ?? "",
        sessionToken: keys.SessionToken ?? "",
      },
    });
    await Promise.all(Array.from({ length: 300 }, () => client.send(new GetCallerIdentityCommand({}))));
    assert.equal(sandbox.callsTo("GetCallerIdentity").length, 300);
    client.destroy();
  });
});

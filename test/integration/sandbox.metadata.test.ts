import assert from "node:assert/strict";
import { test } from "node:test";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { DEFAULT_SERVICE_ACCOUNT, startSandbox, type Sandbox } from "../sandbox/sandbox.ts";

const IDENTITY = "instance/service-accounts/default/identity";

function get(sandbox: Sandbox, path: string, headers: Record<string, string> = { "Metadata-Flavor": "Google" }) {
  return fetch(`http://${sandbox.metadataHost}/computeMetadata/v1/${path}`, { headers });
}

test("a token has the claims of a service account, and those of the instance only when asked for in full", async () => {
  await using sandbox = await startSandbox();
  const answer = await get(sandbox, `${IDENTITY}?audience=gcp`);
  assert.equal(answer.headers.get("metadata-flavor"), "Google");
  const token = await answer.text();
  const keys = createRemoteJWKSet(new URL(`${sandbox.issuerUrl}/jwks`));
  const { payload } = await jwtVerify(token, keys, { issuer: "https://accounts.google.com", audience: "gcp" });
  assert.deepEqual(Object.keys(payload).toSorted(), ["aud", "azp", "exp", "iat", "iss", "sub"]);
  assert.equal(payload.sub, "112233445566778899001");
  assert.equal(payload["azp"], payload.sub);
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3600);

  const full = decodeJwt(await (await get(sandbox, `${IDENTITY}?audience=gcp&format=full`)).text());
  assert.equal(full["email"], DEFAULT_SERVICE_ACCOUNT.email);
  const engine = (full["google"] as { compute_engine: Record<string, unknown> }).compute_engine;
  assert.equal(engine["project_id"], "demo-project");
  assert.equal(engine["instance_name"], "legacy-vm");
});

test("a request without the header, with another one or through a proxy is forbidden", async () => {
  await using sandbox = await startSandbox();
  const statuses = [];
  for (const headers of [
    {},
    { "Metadata-Flavor": "Other" },
    { "Metadata-Flavor": "Google", "X-Forwarded-For": "10.0.0.1" },
  ]) {
    const answer = await get(sandbox, "project/project-id", headers);
    statuses.push(answer.status);
    assert.match(await answer.text(), /Error 403/);
  }
  assert.deepEqual(statuses, [403, 403, 403]);
  const root = await fetch(`http://${sandbox.metadataHost}/`);
  assert.deepEqual([root.status, await root.text()], [200, "computeMetadata/\n"]);
});

test("the audience is wanted, and an account that is not there is not found", async () => {
  await using sandbox = await startSandbox();
  const none = await get(sandbox, IDENTITY);
  assert.deepEqual([none.status, await none.text()], [400, "non-empty audience parameter required\n"]);
  const named = await get(sandbox, `instance/service-accounts/${DEFAULT_SERVICE_ACCOUNT.email}/identity?audience=a`);
  assert.equal(named.status, 200);
  const other = await get(
    sandbox,
    "instance/service-accounts/nobody@demo-project.iam.gserviceaccount.com/identity?audience=a",
  );
  assert.equal(other.status, 404);
});

const PLATFORMS = [
  { options: {}, hostname: "legacy-vm.c.demo-project.internal", identity: 200 },
  { options: { hostname: undefined }, hostname: undefined, identity: 200 },
  { options: { serviceAccounts: [] }, hostname: "legacy-vm.c.demo-project.internal", identity: 404 },
  { options: { platform: "gke", serviceAccounts: [] }, hostname: "legacy-vm.c.demo-project.internal", identity: 404 },
] as const;
for (const { options, hostname, identity } of PLATFORMS) {
  test(`a machine with ${JSON.stringify(options)} answers the paths that it has`, async () => {
    await using sandbox = await startSandbox(options);
    assert.equal(await (await get(sandbox, "project/project-id")).text(), "demo-project");
    const host = await get(sandbox, "instance/hostname");
    if (hostname === undefined) assert.equal(host.status, 404);
    else assert.equal(await host.text(), hostname);
    assert.equal((await get(sandbox, `${IDENTITY}?audience=a`)).status, identity);
  });
}

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Failure } from "../../src/base/failure.ts";
import { openOutbound } from "../../src/net/outbound.ts";
import { Secret } from "../../src/base/secret.ts";
import { request } from "../../src/net/http.ts";
import { openSts } from "../../src/sts/client.ts";
import { getCallerIdentity } from "../../src/sts/get-caller-identity.ts";
import { startConnectProxy } from "../sandbox/connect-proxy.ts";
import { startTlsFront } from "../sandbox/tls-front.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { makeTestCa, whyNoOpenssl } from "../support/test-ca.ts";
import { testWorld } from "../support/test-world.ts";

const KEYS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: new Secret("s".repeat(40)),
  sessionToken: undefined,
};

/** Which host is called: a proxy that opens no tunnel is told the name, and nothing leaves the machine. */
async function hostOf(
  region: string,
  options: { readonly useFips?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string | undefined> {
  await using proxy = await startConnectProxy({ targetPort: 1 });
  proxy.misbehave({ kind: "status", status: 403 });
  const world = testWorld();
  const deadline = { signal: new AbortController().signal, remainingMs: () => 60_000, clear: () => undefined };
  const env = { HTTPS_PROXY: proxy.url, ...options.env };
  const clients = openSts({ env, uid: process.geteuid?.(), clock: world, deadline, verbose: () => undefined });
  try {
    const { useFips } = options;
    const endpoint = { region, url: undefined, ...(useFips === undefined ? {} : { useFips }) };
    await assert.rejects(
      getCallerIdentity(clients, endpoint, KEYS),
      (error: unknown) => error instanceof Failure && ["STS_DENIED", "ENDPOINT_REFUSED"].includes(error.code),
    );
  } finally {
    clients.close();
  }
  return proxy.targets[0];
}

// The hosts are those of the SDK's own partitions.json, and of the pages that list them:
// https://docs.aws.amazon.com/general/latest/gr/sts.html, https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/,
// https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-arns.html.
suite("the STS of a region is called by its own name", () => {
  const fips = { useFips: true };
  const dualstack = { env: { AWS_USE_DUALSTACK_ENDPOINT: "true" } };
  const table: readonly (readonly [string, Parameters<typeof hostOf>[1], string])[] = [
    ["us-east-1", {}, "sts.us-east-1.amazonaws.com"],
    ["eu-central-1", {}, "sts.eu-central-1.amazonaws.com"],
    ["us-east-1", fips, "sts-fips.us-east-1.amazonaws.com"],
    ["us-west-2", { env: { AWS_USE_FIPS_ENDPOINT: "true" } }, "sts-fips.us-west-2.amazonaws.com"],
    ["eu-west-1", dualstack, "sts.eu-west-1.api.aws"],
    ["us-east-2", { ...fips, ...dualstack }, "sts-fips.us-east-2.api.aws"],
    ["cn-north-1", {}, "sts.cn-north-1.amazonaws.com.cn"],
    ["cn-northwest-1", {}, "sts.cn-northwest-1.amazonaws.com.cn"],
    ["us-gov-west-1", {}, "sts.us-gov-west-1.amazonaws.com"],
    ["us-gov-east-1", fips, "sts.us-gov-east-1.amazonaws.com"],
    ["us-iso-east-1", {}, "sts.us-iso-east-1.c2s.ic.gov"],
    ["us-isob-east-1", {}, "sts.us-isob-east-1.sc2s.sgov.gov"],
    ["eu-isoe-west-1", {}, "sts.eu-isoe-west-1.cloud.adc-e.uk"],
    ["us-isof-south-1", {}, "sts.us-isof-south-1.csp.hci.ic.gov"],
    ["eusc-de-east-1", {}, "sts.eusc-de-east-1.amazonaws.eu"],
  ];
  for (const [region, options = {}, host] of table) {
    const how = [options.useFips === true ? "FIPS" : "", ...Object.keys(options.env ?? {})].filter(Boolean).join(", ");
    test(`${region}${how === "" ? "" : ` (${how})`}: ${host}`, async () => {
      assert.equal(await hostOf(region, options), `${host}:443`);
    });
  }

  test("the profile's use_fips_endpoint = false goes before AWS_USE_FIPS_ENDPOINT", async () => {
    const host = await hostOf("us-east-1", { useFips: false, env: { AWS_USE_FIPS_ENDPOINT: "true" } });
    assert.equal(host, "sts.us-east-1.amazonaws.com:443");
  });
});

suite("token endpoints share the run's connections", { skip: await whyNoOpenssl() }, () => {
  test("a server with TLS is asked through the proxy, one on loopback is not", async () => {
    await using ca = await makeTestCa(["tokens.example"]);
    await using box = await startSandbox();
    await using front = await startTlsFront(ca.server, Number(new URL(box.stsUrl).port));
    await using proxy = await startConnectProxy({ targetPort: front.port });
    const outbound = openOutbound({
      env: { HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: ca.file },
      uid: process.geteuid?.(),
    });
    const limits = { connectMs: 60_000, totalMs: 60_000, maxBytes: 65_536, signal: new AbortController().signal };
    try {
      const url = new URL("https://tokens.example/jwks");
      for (const _ of [1, 2]) {
        const answer = await request({ url, headers: {}, ...limits, outbound });
        assert.equal(answer.kind === "response" && answer.status, 200);
      }
      assert.equal(front.names[0], "tokens.example");
      await request({ url: new URL(`${box.stsUrl}/jwks`), headers: {}, ...limits, outbound });
      assert.deepEqual(new Set(proxy.targets), new Set(["tokens.example:443"]));
      proxy.misbehave({ kind: "status", status: 407 });
      const refused = await request({ url: new URL("https://others.example/"), headers: {}, ...limits, outbound });
      assert.deepEqual(refused, {
        kind: "fault",
        fault: "refused",
        detail: "the proxy requires a user and a password (status 407)",
        hint: "set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
        proxyStatus: 407,
      });
    } finally {
      outbound.close();
    }
  });
});

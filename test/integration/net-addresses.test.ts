import assert from "node:assert/strict";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import type { LookupFunction } from "node:net";
import { after, suite, test } from "node:test";

import { Failure } from "../../src/base/failure.ts";
import { openOutbound } from "../../src/net/outbound.ts";
import { Secret } from "../../src/base/secret.ts";
import type { StsEndpoint } from "../../src/config/config.ts";
import { request, describeResponse } from "../../src/net/http.ts";
import { openSts } from "../../src/sts/client.ts";
import { getCallerIdentity } from "../../src/sts/get-caller-identity.ts";
import { type SlowListener, startSlowListener, whyNoSlowListener } from "../support/slow-listener.ts";
import { testWorld } from "../support/test-world.ts";

/*
 * Names with several addresses, of which some are far away or silent. The resolver is the machine's own part: it is replaced,
 * and leads every name to loopback.
 */

const ADDRESSES = ["127.0.0.2", "127.0.0.3"];
const KEYS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: new Secret("s".repeat(40)),
  sessionToken: undefined,
};

const { lookup } = dns;
const both: LookupFunction = (host, _options, done) =>
  setImmediate(() => {
    if (!host.endsWith(".example"))
      return done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" }), []);
    return done(
      null,
      ADDRESSES.map((address) => ({ address, family: 4 })),
    );
  });
Object.assign(dns, { lookup: both });
syncBuiltinESMExports();
after(() => {
  Object.assign(dns, { lookup });
  syncBuiltinESMExports();
});

async function askFar(port: number, connectMs: number): Promise<string> {
  const outbound = openOutbound({ env: {}, uid: undefined });
  try {
    const limits = { connectMs, totalMs: 60_000, maxBytes: 65_536, signal: new AbortController().signal };
    return describeResponse(
      await request({ url: new URL(`http://far.example:${port}/`), headers: {}, ...limits, outbound }),
    );
  } finally {
    outbound.close();
  }
}

/** Calls STS through a proxy with that name; the first attempt is the last. */
async function callThrough(port: number): Promise<Failure> {
  return callSts({ region: "eu-west-1", url: undefined }, { HTTPS_PROXY: `http://far.example:${port}` });
}

async function callSts(endpoint: StsEndpoint, env: Readonly<Record<string, string>>): Promise<Failure> {
  const world = testWorld();
  const deadline = { signal: new AbortController().signal, remainingMs: () => 0, clear: () => undefined };
  const clients = openSts({ env, uid: undefined, clock: world, deadline, verbose: () => undefined });
  try {
    await getCallerIdentity(clients, endpoint, KEYS);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  } finally {
    clients.close();
  }
  throw new Error("it must fail");
}

suite("a name with several addresses", { skip: whyNoSlowListener() }, () => {
  async function listen(): Promise<SlowListener> {
    return startSlowListener(ADDRESSES[0] ?? "");
  }

  test("an address that takes a second is waited for, though another one refuses at once", async () => {
    await using far = await listen();
    const [told] = await Promise.all([askFar(far.port, 60_000), far.answerAfterFirstSyn()]);
    assert.equal(told, "status 200");
  });

  test("and so is a proxy's", async () => {
    await using far = await listen();
    const [failure] = await Promise.all([callThrough(far.port), far.answerAfterFirstSyn()]);
    assert.match(failure.message, /the proxy refuses with status 403/);
  });

  test("addresses that keep silent are named", async () => {
    await using far = await listen();
    assert.equal(await askFar(far.port, 200), "timed out while connecting (0.2 s; tried 127.0.0.2, 127.0.0.3)");
  });

  test("what each address said is told", async () => {
    await using far = await listen();
    const { port } = far;
    await far[Symbol.asyncDispose]();
    const each = "tried 127.0.0.2 ECONNREFUSED, 127.0.0.3 ECONNREFUSED";
    assert.equal(await askFar(port, 60_000), `the connection is refused (ECONNREFUSED; ${each})`);
    const failure = await callThrough(port);
    assert.ok(failure.message.endsWith(`: the connection is refused (ECONNREFUSED; ${each})`), failure.message);
  });
});

suite("a name that does not exist", () => {
  test("where FIPS is asked for is a region without FIPS endpoint", async () => {
    const asked = { region: "eu-central-1", url: undefined };
    for (const [endpoint, env] of [
      [{ ...asked, useFips: true }, {}],
      [asked, { AWS_USE_FIPS_ENDPOINT: "true" }],
    ] as const) {
      const failure = await callSts(endpoint, env);
      assert.match(failure.message, /the name cannot be resolved \(ENOTFOUND\)$/);
      assert.match(failure.hint ?? "", /^set `use_fips_endpoint = false` .*: eu-central-1 seems to have none$/);
    }
  });

  test("else is one of the region or of DNS", async () => {
    const failure = await callSts({ region: "eu-centrall-1", url: undefined }, {});
    assert.equal(failure.hint, "check DNS, and that `eu-centrall-1` is a region");
  });
});

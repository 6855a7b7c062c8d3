import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspect } from "node:util";

import { timedOut } from "../../src/base/deadline.ts";
import { Failure } from "../../src/base/failure.ts";
import { isAlwaysDirect, proxyFor } from "../../src/net/proxy.ts";

const STS = "https://sts.eu-central-1.amazonaws.com";
const PROXY = "http://proxy.corp:3128";

const through = (url: string, env: Readonly<Record<string, string>>): string | undefined =>
  proxyFor(new URL(url), env)?.url.href;

suite("the proxy for a URL", () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string | undefined])[] = [
    ["none without a variable", {}, undefined],
    ["HTTPS_PROXY", { HTTPS_PROXY: PROXY }, `${PROXY}/`],
    ["https_proxy", { https_proxy: PROXY }, `${PROXY}/`],
    // curl and Python's urllib: "the lowercase version has precedence".
    ["the lower case before the upper", { https_proxy: PROXY, HTTPS_PROXY: "http://other:1" }, `${PROXY}/`],
    ["an empty variable is none", { HTTPS_PROXY: "" }, undefined],
    ["HTTP_PROXY is not for https", { HTTP_PROXY: PROXY }, undefined],
    ["a host and a port alone", { HTTPS_PROXY: "proxy.corp:3128" }, `${PROXY}/`],
    ["one with TLS", { HTTPS_PROXY: "https://proxy.corp" }, "https://proxy.corp/"],
    ["a path is dropped", { HTTPS_PROXY: `${PROXY}/some/path` }, `${PROXY}/`],
    ["NO_PROXY with another host", { HTTPS_PROXY: PROXY, NO_PROXY: "example.com,s3.amazonaws.com" }, `${PROXY}/`],
    ["NO_PROXY with the host", { HTTPS_PROXY: PROXY, NO_PROXY: "a.b, sts.eu-central-1.amazonaws.com" }, undefined],
    ["NO_PROXY with its domain", { HTTPS_PROXY: PROXY, NO_PROXY: "amazonaws.com" }, undefined],
    ["NO_PROXY with a leading dot", { HTTPS_PROXY: PROXY, NO_PROXY: ".amazonaws.com" }, undefined],
    ["NO_PROXY with a star", { HTTPS_PROXY: PROXY, no_proxy: "*.AMAZONAWS.com" }, undefined],
    ["NO_PROXY with half a label", { HTTPS_PROXY: PROXY, NO_PROXY: "naws.com" }, `${PROXY}/`],
    ["NO_PROXY for everything", { HTTPS_PROXY: PROXY, NO_PROXY: "*" }, undefined],
    ["NO_PROXY with the port", { HTTPS_PROXY: PROXY, NO_PROXY: "amazonaws.com:443" }, undefined],
    ["NO_PROXY with another port", { HTTPS_PROXY: PROXY, NO_PROXY: "amazonaws.com:8443" }, `${PROXY}/`],
    ["an empty NO_PROXY", { HTTPS_PROXY: PROXY, NO_PROXY: " , ," }, `${PROXY}/`],
  ];
  for (const [name, env, expected] of cases) test(name, () => assert.equal(through(STS, env), expected));

  const addresses: readonly (readonly [string, string, boolean])[] = [
    ["https://10.1.2.3", "10.0.0.0/8", true],
    ["https://10.1.2.3", "10.1.2.3", true],
    ["https://11.1.2.3", "10.0.0.0/8", false],
    ["https://10.1.2.3", "10.0.0.0/99", false],
    ["https://[2001:db8::1]", "2001:db8::/32", true],
    ["https://[2001:db8::1]", "10.0.0.0/8", false],
    ["https://[2001:db8::1]", "2001:db8::1", true],
    ["https://[2001:db8::1]", "[2001:db8::1]:443", true],
  ];
  for (const [url, list, isDirect] of addresses)
    test(`NO_PROXY=${list} ${isDirect ? "excepts" : "does not except"} ${url}`, () =>
      assert.equal(through(url, { HTTPS_PROXY: PROXY, NO_PROXY: list }) === undefined, isDirect));

  test("metadata servers and loopback are asked directly, whatever the environment says", () => {
    const env = { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY };
    for (const host of [
      "169.254.169.254",
      "169.254.170.2",
      "169.254.170.23",
      "[fd00:ec2::254]",
      "[fd00:ec2::23]",
      "[fd20:ce::254]",
      "[fe80::1]",
      "metadata.google.internal",
      "localhost",
      "127.0.0.1",
      "[::1]",
    ]) {
      assert.equal(through(`http://${host}/`, env), undefined, host);
      assert.equal(through(`https://${host}/`, env), undefined, host);
      assert.ok(isAlwaysDirect(new URL(`http://${host}/`).hostname), host);
    }
    assert.equal(through("http://elsewhere.example/", env), `${PROXY}/`);
  });

  test("user and password leave the URL and are shown nowhere", () => {
    const proxy = proxyFor(new URL(STS), { HTTPS_PROXY: "http://jane:p%40ss%25@proxy.corp:3128" });
    assert.equal(proxy?.url.href, `${PROXY}/`);
    assert.equal(proxy?.authorization?.reveal(), `Basic ${Buffer.from("jane:p@ss%").toString("base64")}`);
    assert.doesNotMatch(inspect(proxy) + JSON.stringify(proxy), /jane|p@ss|p%40ss|Basic/);
    const odd = proxyFor(new URL(STS), { HTTPS_PROXY: "http://jane:100%@proxy.corp:3128" });
    assert.equal(odd?.authorization?.reveal(), `Basic ${Buffer.from("jane:100%").toString("base64")}`);
  });

  for (const password of ["se/cret", "12#secret", "1?secret", "sec/r@et"]) {
    test(`a password with ${password.replaceAll(/[a-z0-9]/g, "")} that is not percent-encoded says so`, () => {
      for (const text of [`http://jane:${password}@proxy:3128`, `jane:${password}@proxy:3128`])
        assert.throws(
          () => proxyFor(new URL(STS), { HTTPS_PROXY: text }),
          (error: unknown) =>
            error instanceof Failure &&
            error.code === "ENDPOINT_REFUSED" &&
            /percent-encode .*%2F.*%23/.test(error.hint ?? "") &&
            !/secret|jane/.test(inspect(error)),
        );
    });
  }

  for (const bad of ["socks5://jane:secret@proxy:1080", "http://", "http://jane:secret@:1:2", "ftp://jane:secret@h"]) {
    test(`${bad.split(":")[0]}… is refused without being shown`, () => {
      assert.throws(
        () => proxyFor(new URL(STS), { HTTPS_PROXY: bad }),
        (error: unknown) =>
          error instanceof Failure && error.code === "ENDPOINT_REFUSED" && !/secret|jane/.test(inspect(error)),
      );
    });
  }
});

test("a deadline tells its seconds as people read them", () => {
  assert.equal(timedOut(2749.987_759_5).message, "timed out after 2.7 s");
  assert.equal(timedOut(60_000).message, "timed out after 60 s");
});

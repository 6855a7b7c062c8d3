import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { type ConnectProxy, type ProxyFault, startConnectProxy } from "../sandbox/connect-proxy.ts";
import { startTlsFront, type TlsFront } from "../sandbox/tls-front.ts";
import { runOverdue } from "../support/overdue.ts";
import type { RunResult } from "../support/run-bin.ts";
import { GCP_ARN, ONE_ROLE, openScene, type Scene, valuesOf } from "../support/scene.ts";
import { makeTestCa, type TestCa, whyNoOpenssl } from "../support/test-ca.ts";

/*
 * The network as companies have it: STS by its real name, through a CONNECT proxy, with a certificate of the company's own
 * authority. All of it is on loopback; a name that the proxy does not lead back is never looked up.
 */

const STS_HOST = "sts.eu-central-1.amazonaws.com";
const CONFIG = `${ONE_ROLE}region = eu-central-1\n`;
const why = await whyNoOpenssl();

interface Company extends AsyncDisposable {
  readonly scene: Scene;
  readonly front: TlsFront;
  readonly proxy: ConnectProxy;
  /** The environment: with the proxy and the bundle, and no endpoint. */
  readonly usual: Readonly<Record<string, string>>;
  /** Runs in that environment. */
  run(env?: Readonly<Record<string, string>>, args?: readonly string[]): Promise<RunResult>;
}

suite("STS through a proxy, with TLS", { skip: why }, () => {
  let ca: TestCa;
  before(async () => {
    ca = await makeTestCa([STS_HOST, "localhost"]);
  });
  after(async () => ca[Symbol.asyncDispose]());

  async function openCompany(config = CONFIG, login?: string): Promise<Company> {
    const scene = await openScene(config);
    const front = await startTlsFront(ca.server, Number(new URL(scene.sandbox.stsUrl).port));
    const proxy = await startConnectProxy({ targetPort: front.port, ...(login === undefined ? {} : { login }) });
    const usual = { AWS_ENDPOINT_URL_STS: "", HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: ca.file };
    return {
      scene,
      front,
      proxy,
      usual,
      run: (env = {}, args = []) => scene.run(args, { env: { ...usual, ...env } }),
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await front[Symbol.asyncDispose]();
        await scene[Symbol.asyncDispose]();
      },
    };
  }

  test("the whole way: metadata directly, STS in a tunnel, nothing in the clear", async () => {
    await using company = await openCompany();
    const result = await company.run({ HTTP_PROXY: company.proxy.url }, ["--verbose"]);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(company.proxy.targets, [`${STS_HOST}:443`]);
    assert.deepEqual(company.proxy.plain, [], "the metadata server was not asked through the proxy");
    assert.deepEqual(company.front.names, [STS_HOST]);
    assert.match(result.stderr, new RegExp(`through the proxy 127\\.0\\.0\\.1:${company.proxy.port}: status 200`));
    assert.equal(valuesOf(await company.scene.credentials(), "default")["manager"], "rolefresh");
  });

  test("ca_bundle of the config does what AWS_CA_BUNDLE does, and goes before it", async () => {
    await using company = await openCompany(`${CONFIG}ca_bundle = company.pem\n`);
    await company.scene.home.write(".aws/company.pem", `# our authority\n${await readText(ca.file)}`);
    const result = await company.run({ AWS_CA_BUNDLE: "/nonexistent/bundle.pem" });
    assert.deepEqual([result.code, result.stderr], [0, ""]);
  });

  test("an endpoint with TLS on loopback is asked directly, with the bundle", async () => {
    await using company = await openCompany();
    const result = await company.run({ AWS_ENDPOINT_URL_STS: `https://localhost:${company.front.port}` });
    assert.deepEqual([result.code, result.stderr], [0, ""]);
    assert.deepEqual(company.proxy.targets, []);
  });

  test("a proxy's user and password are used and shown nowhere, not even to DEBUG=*", async () => {
    await using company = await openCompany(CONFIG, "jane:s3cr3t/pass");
    const login = company.proxy.url.replace("//", "//jane:s3cr3t%2Fpass@");
    const result = await company.run({ HTTPS_PROXY: "", https_proxy: login, DEBUG: "*" }, ["--verbose"]);
    assert.equal(result.code, 0, result.stderr);
    const base64 = Buffer.from("jane:s3cr3t/pass").toString("base64");
    for (const secret of ["s3cr3t", base64]) assert.ok(!result.stderr.includes(secret), result.stderr);
  });

  test("a chain of five roles goes over one connection", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const arn = (name: string) =>
      name === "a" ? GCP_ARN : `arn:aws:iam::99999999999${names.indexOf(name)}:role/${name}`;
    const sections = names.map((name, index) =>
      index === 0
        ? `[a]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`
        : `[${name}]\nrole_arn = ${arn(name)}\nsource_profile = ${names[index - 1]}\n`,
    );
    await using company = await openCompany(`[*]\nregion = eu-central-1\n\n${sections.join("\n")}`);
    for (const [index, name] of names.entries()) {
      if (index === 0) continue;
      company.scene.sandbox.addRole({
        arn: arn(name),
        trustPolicy: {
          Statement: { Effect: "Allow", Principal: { AWS: arn(names[index - 1] ?? "") }, Action: "sts:AssumeRole" },
        },
      });
    }
    const result = await company.run();
    assert.deepEqual([result.code, result.stderr], [0, ""]);
    assert.equal(company.front.connections(), 1);
    const calls = company.scene.sandbox.calls.filter(({ service }) => service === "sts");
    assert.deepEqual(
      calls.map(({ roleArn }) => roleArn),
      names.map(arn),
    );
    assert.match(valuesOf(await company.scene.credentials(), "e")["x_principal_arn"] ?? "", /assumed-role\/e\//);
  });

  /** Refresh fails: exit status, the line, nothing written, no secret. */
  async function fails(
    company: Company,
    code: number,
    says: RegExp,
    env: Readonly<Record<string, string>> = {},
    isReached = () => false,
  ) {
    const result = await runOverdue(company.scene, [], isReached, { env: { ...company.usual, ...env } });
    assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
    assert.match(result.stderr, says);
    assert.match(result.stderr, /^rolefresh: error: profile 'default': /);
    assert.deepEqual(await company.scene.home.awsFiles(), ["rolefresh.ini"]);
    return result;
  }

  test("a certificate of an unknown authority is refused, and the hint says how to name it", async () => {
    await using company = await openCompany();
    const result = await fails(company, 76, /UNABLE_TO|SELF_SIGNED/, { AWS_CA_BUNDLE: "" });
    assert.match(result.stderr, /hint: .*`ca_bundle` or AWS_CA_BUNDLE/);
  });

  test("a certificate for another name is refused, and no CA is blamed", async () => {
    await using company = await openCompany(CONFIG.replace("eu-central-1", "eu-west-1"));
    const says =
      /certificate of sts\.eu-west-1\.amazonaws\.com is for another name: sts\.eu-central-1\.amazonaws\.com, localhost \(ERR_TLS_CERT_ALTNAME_INVALID\)\n.*a different server responds/;
    const { stderr } = await fails(company, 76, says);
    assert.doesNotMatch(stderr, /ca_bundle|CA_BUNDLE/);
    const doctor = await company.run({}, ["doctor"]);
    assert.match(doctor.stdout, /is for another name: sts\.eu-central-1/);
  });

  test("a bundle that lacks the issuer is named", async () => {
    await using company = await openCompany();
    await using other = await makeTestCa(["other.example"]);
    const { stderr } = await fails(
      company,
      76,
      /the issuer of the certificate of sts\.eu-central-1\.amazonaws\.com is not in AWS_CA_BUNDLE \(/,
      {
        AWS_CA_BUNDLE: other.file,
      },
    );
    assert.ok(stderr.includes(`AWS_CA_BUNDLE (${other.file})`), stderr);
    assert.match(stderr, /hint: add the issuer's certificate to that file, or remove the setting/);
    await company.scene.home.write(".aws/rolefresh.ini", `${CONFIG}ca_bundle = ${other.file}\n`);
    await fails(company, 76, /is not in `ca_bundle` \(/);
  });

  test("a login that the proxy rejects is told from one that is missing", async () => {
    await using company = await openCompany(CONFIG, "jane:right");
    const login = company.proxy.url.replace("//", "//jane:wr0ng-one@");
    const { stderr } = await fails(company, 77, /rejects the user or password of HTTPS_PROXY \(status 407\)\n.*%40/, {
      HTTPS_PROXY: login,
    });
    assert.doesNotMatch(stderr, /wr0ng/);
  });

  test("a proxy that speaks plain http under https:// says how to write it", async () => {
    await using company = await openCompany();
    const { port } = company.proxy;
    const { stderr } = await fails(company, 76, /the proxy 127\.0\.0\.1:\d+ does not speak TLS \(/, {
      HTTPS_PROXY: `https://127.0.0.1:${port}`,
    });
    assert.ok(stderr.endsWith(`hint: write it with http: HTTPS_PROXY=http://127.0.0.1:${port}\n`), stderr);
  });

  test("a CA bundle that cannot be used is a mistake of the configuration", async () => {
    await using company = await openCompany();
    const { home } = company.scene;
    const bundles: readonly (readonly [string, RegExp])[] = [
      [`${home.path}/nowhere.pem`, /the CA bundle .*nowhere\.pem cannot be used: it does not exist/],
      [home.path, /cannot be used: it is a directory/],
      [await home.write("empty.pem", "nothing\n"), /it holds no certificate/],
      [
        await home.write("broken.pem", "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"),
        /its certificate 1 cannot be read/,
      ],
    ];
    for (const [path, says] of bundles) await fails(company, 78, says, { AWS_CA_BUNDLE: path });
  });

  const faults: readonly (readonly [string, ProxyFault, number, RegExp])[] = [
    [
      "asks for a login",
      { kind: "status", status: 407 },
      77,
      /requires a user and a password \(status 407\)\n.*USER:PASSWORD/,
    ],
    ["forbids STS", { kind: "status", status: 403 }, 77, /refuses with status 403.*\n.*NO_PROXY/],
    ["cannot reach STS", { kind: "status", status: 502 }, 75, /refuses with status 502/],
    ["speaks no HTTP", { kind: "garbage" }, 76, /what responds at 127\S+ is not a proxy\n.*check HTTPS_PROXY/],
    ["hangs up", { kind: "cut" }, 75, /connection was closed \(by the proxy\)/],
    ["keeps silent", { kind: "hang" }, 75, /timed out after 3600 s/],
    ["opens a silent tunnel", { kind: "silent-tunnel" }, 75, /timed out after 3600 s/],
  ];
  for (const [name, fault, code, says] of faults) {
    test(`a proxy that ${name} ends as exit ${code}, and the run ends`, async () => {
      await using company = await openCompany();
      company.proxy.misbehave(fault);
      const isSilent = fault.kind === "hang" || fault.kind === "silent-tunnel";
      const isReached = () => isSilent && company.proxy.targets.length > 0;
      const result = await fails(company, code, says, {}, isReached);
      assert.match(result.stderr, new RegExp(`through the proxy 127\\.0\\.0\\.1:${company.proxy.port}`));
    });
  }

  test("a proxy that is not there is named", async () => {
    await using company = await openCompany();
    await company.proxy[Symbol.asyncDispose]();
    await fails(
      company,
      75,
      new RegExp(
        `through the proxy 127\\.0\\.0\\.1:${company.proxy.port}: the connection is refused \\(ECONNREFUSED\\)`,
      ),
    );
  });

  test("a SOCKS proxy is refused, its password unseen", async () => {
    await using company = await openCompany();
    const result = await fails(company, 78, /HTTPS_PROXY is not the URL of an http\(s\) proxy/, {
      HTTPS_PROXY: "socks5://jane:s3cr3t@127.0.0.1:1080",
    });
    assert.doesNotMatch(result.stderr, /s3cr3t|jane/);
  });

  test("SIGTERM cuts a call that waits for the proxy", async () => {
    await using company = await openCompany();
    company.proxy.misbehave({ kind: "hang" });
    const asked = company.proxy.nextTarget();
    const result = await company.scene.run([], {
      env: { AWS_ENDPOINT_URL_STS: "", HTTPS_PROXY: company.proxy.url },
      onSpawn: (child) => void asked.then(() => child.kill("SIGTERM")),
    });
    assert.equal(result.signal, "SIGTERM", result.stderr);
  });
});

async function readText(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path, "utf8");
}

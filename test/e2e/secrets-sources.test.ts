import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";

import { makeSamlResponse } from "../sandbox/saml.ts";
import type { SandboxUser } from "../sandbox/sandbox.ts";
import { MarkedSecrets } from "../support/marked-secrets.ts";
import { GCP_ARN, openScene } from "../support/scene.ts";

// As secrets.test.ts, for what the sources of other machines are given: request tokens, header values, SAML responses,
// long-lived keys, the keys of a credential process. The servers here are the worst: they answer with what they were sent.

const MARK = "MarkedByTheTest-NobodyMaySeeThis-0123456789";
const LONG_LIVED = "MarkedByTheTest/LongLivedKey+0123456789A";
const ROLE = `role_arn = ${GCP_ARN}\n`;
const JANE: SandboxUser = {
  arn: "arn:aws:iam::123412341234:user/jane",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: LONG_LIVED,
};
const PROVIDER = "arn:aws:iam::123412341234:saml-provider/Corp";

/** Answers every question with its headers, under this status. */
async function startEcho(
  status: number,
): Promise<AsyncDisposable & { readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(JSON.stringify(request.headers));
    response.writeHead(status, {
      "Content-Type": "application/json",
      "X-Echo": request.headers.authorization ?? "none",
    });
    response.end(JSON.stringify({ ...request.headers, error: request.headers, value: request.headers.authorization }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Source {
  readonly config: string;
  readonly env?: (url: string) => Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** Whether the echo must have been sent the secret: else nothing was tried. */
  readonly isSent?: boolean;
}

const RESPONSE = makeSamlResponse({ roles: [`${GCP_ARN},${PROVIDER}`] });
const KEYS = { Version: 1, AccessKeyId: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: MARK, SessionToken: `${MARK}-token` };

const SOURCES: Readonly<Record<string, Source>> = {
  "github-actions": {
    config: `${ROLE}identity = github-actions\n`,
    env: (url) => ({ ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?x=y`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: MARK }),
    secrets: [MARK],
    isSent: true,
  },
  "azure, App Service": {
    config: `${ROLE}identity = azure\naudience = api://x\n`,
    env: (url) => ({ IDENTITY_ENDPOINT: `${url}/msi/token`, IDENTITY_HEADER: MARK }),
    secrets: [MARK],
    isSent: true,
  },
  "url with a header": {
    config: `${ROLE}identity = url\nidentity_url = URL/x\nidentity_header = Authorization: Bearer {env:MARKED}\nidentity_json_path = value\n`,
    env: () => ({ MARKED: MARK }),
    secrets: [MARK],
    isSent: true,
  },
  gitlab: { config: `${ROLE}identity = gitlab\n`, env: () => ({ AWS_ID_TOKEN: MARK }), secrets: [MARK] },
  "saml, a file": {
    config: `${ROLE}identity = saml\nsaml_assertion_file = response.b64\n`,
    files: { ".aws/response.b64": RESPONSE },
    secrets: [RESPONSE],
  },
  "saml, a malformed file": {
    config: `${ROLE}identity = saml\nsaml_assertion_file = response.b64\n`,
    files: { ".aws/response.b64": Buffer.from(`<a>${MARK}</a>`).toString("base64") },
    secrets: [MARK, Buffer.from(`<a>${MARK}</a>`).toString("base64")],
  },
  "saml, a command": {
    config: `${ROLE}identity = saml\nsaml_command = "cat $HOME/.aws/response.b64; cat $HOME/.aws/response.b64 >&2; exit 4"\n`,
    files: { ".aws/response.b64": RESPONSE },
    secrets: [RESPONSE],
  },
  session: {
    config: "identity = session\nsource_profile = jane\n",
    files: {
      ".aws/credentials": `[jane]\naws_access_key_id = ${JANE.accessKeyId}\naws_secret_access_key = ${LONG_LIVED}\n`,
    },
    secrets: [LONG_LIVED],
  },
  "aws-profile": {
    config: "identity = aws-profile\nsource_profile = dev\n",
    files: {
      ".aws/config": "[profile dev]\ncredential_process = cat HOME/.aws/keys.json\n",
      ".aws/keys.json": JSON.stringify({ ...KEYS, Expiration: "2020-01-01T00:00:00Z" }),
    },
    secrets: [MARK],
  },
  "aws-profile, a malformed output": {
    config: "identity = aws-profile\nsource_profile = dev\n",
    files: {
      ".aws/config": "[profile dev]\ncredential_process = cat HOME/.aws/keys.json\n",
      ".aws/keys.json": JSON.stringify({ ...KEYS, SecretAccessKey: `${MARK}\n[x]` }),
    },
    secrets: [MARK],
  },
};

suite("secrets of other sources", { concurrency: 4 }, () => {
  for (const [name, { config, env, files = {}, secrets, isSent }] of Object.entries(SOURCES)) {
    test(`${name}: nothing that was given is shown, whatever answers`, async () => {
      for (const status of isSent === true ? [200, 401, 500] : [401]) {
        await using echo = await startEcho(status);
        await using scene = await openScene(`[legacy]\n${config.replace("URL", echo.url)}`, { users: [JANE] });
        for (const [path, text] of Object.entries(files))
          await scene.home.write(path, text.replace("HOME", scene.home.path));
        const marked = new MarkedSecrets();
        for (const secret of secrets) marked.add(secret);
        scene.sandbox.misbehave("sts", {
          kind: "aws-error",
          code: "AccessDenied",
          message: `no: ${secrets.join(" ")}`,
        });
        for (const args of [
          ["refresh", "--verbose", "--timeout", "4s"],
          ["refresh", "--json", "--timeout", "4s", "--metrics-file", `${scene.home.path}/metrics.prom`],
          ["doctor", "--verbose", "--timeout", "4s"],
          ["status", "--json"],
        ]) {
          const { code, stdout, stderr } = await scene.run(args, { env: env?.(echo.url) ?? {} });
          assert.ok(code !== null && ![64, 70, 78].includes(code), `${args.join(" ")} ends with ${code}: ${stderr}`);
          if (args[0] === "refresh") assert.notEqual(code, 0, "it must fail to have something to tell");
          marked.assertAbsent(stdout, `stdout of ${args.join(" ")}`);
          marked.assertAbsent(stderr, `stderr of ${args.join(" ")}`);
        }
        if (isSent === true)
          assert.ok(
            echo.asked.some((headers) => headers.includes(MARK)),
            "it was never sent",
          );
        const given = new Set(Object.keys(files));
        await marked.assertAbsentBelow(scene.home.path, (path) => given.has(path));
      }
    });
  }
});

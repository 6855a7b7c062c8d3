import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { deadMount } from "../support/dead-mount.ts";
import type { RunResult } from "../support/run-bin.ts";
import { GCP_ARN, ONE_ROLE, openScene, type Scene } from "../support/scene.ts";

// Nothing that a path leads to holds a run past its deadline, or makes it deaf to SIGTERM.

/** Only a hang can miss it. */
const HANG_MS = 60_000;

interface Case {
  readonly title: string;
  /** Below `[default]` and role_arn; `identity = gcp-metadata` otherwise. */
  readonly lines?: (path: string) => string;
  readonly env?: (path: string) => Record<string, string>;
  readonly args?: (path: string) => readonly string[];
  /** The exit status. */
  readonly status: number;
}

const CASES: readonly Case[] = [
  { title: "--config", args: (path) => ["--config", path], status: 78 },
  { title: "ROLEFRESH_CONFIG", env: (path) => ({ ROLEFRESH_CONFIG: path }), status: 78 },
  { title: "policy_file", lines: (path) => `identity = gcp-metadata\npolicy_file = ${path}`, status: 78 },
  {
    title: "ca_bundle",
    lines: (path) => `identity = gcp-metadata\nendpoint_url = https://127.0.0.1:1\nca_bundle = ${path}`,
    status: 78,
  },
  {
    title: "AWS_CA_BUNDLE",
    lines: () => "identity = gcp-metadata\nendpoint_url = https://127.0.0.1:1",
    env: (path) => ({ AWS_CA_BUNDLE: path }),
    status: 78,
  },
  {
    title: "GOOGLE_APPLICATION_CREDENTIALS",
    lines: () => "identity = gcp-adc",
    env: (path) => ({ GOOGLE_APPLICATION_CREDENTIALS: path }),
    status: 77,
  },
  {
    title: "AWS_CONFIG_FILE",
    lines: () => "identity = aws-profile\nsource_profile = p",
    env: (path) => ({ AWS_CONFIG_FILE: path }),
    status: 78,
  },
  {
    title: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    lines: () => "credential_source = EcsContainer",
    env: (path) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:1/",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path,
    }),
    status: 77,
  },
  {
    title: "web_identity_token_file",
    lines: (path) => `identity = file\nweb_identity_token_file = ${path}`,
    status: 77,
  },
  {
    title: "saml_assertion_file",
    lines: (path) =>
      `identity = saml\nprincipal_arn = arn:aws:iam::123412341234:saml-provider/x\nsaml_assertion_file = ${path}`,
    status: 77,
  },
  { title: "the credentials file", args: (path) => ["--credentials-file", path], status: 65 },
];

async function run(scene: Scene, one: Case, path: string): Promise<RunResult> {
  const lines = one.lines?.(path);
  await scene.home.write(
    ".aws/rolefresh.ini",
    lines === undefined ? ONE_ROLE : `[default]\nrole_arn = ${GCP_ARN}\n${lines}\n`,
  );
  const env = { ...scene.env, ...one.env?.(path) };
  return scene.run(["--timeout", "30s", ...(one.args?.(path) ?? [])], {
    env,
    onSpawn: (child) => setTimeout(() => child.kill("SIGKILL"), HANG_MS).unref(),
  });
}

const SPECIAL: readonly (readonly [string, (path: string) => Promise<void>])[] = [
  ["a FIFO", async (path) => void spawnSync("mkfifo", [path])],
  ["/dev/zero", (path) => symlink("/dev/zero", path)],
];

for (const [what, make] of SPECIAL) {
  suite(`${what} is refused at once`, () => {
    for (const one of CASES) {
      test(`as ${one.title}`, async () => {
        await using scene = await openScene(undefined);
        const path = `${scene.home.path}/special`;
        await make(path);
        const { code, signal, stderr } = await run(scene, one, path);
        assert.deepEqual([code, signal], [one.status, null], stderr);
        assert.match(stderr, /not a regular file/);
        assert.ok(!(await scene.home.awsFiles()).some((name) => name.includes("lock")), "a lock is left");
      });
    }

    test("as --metrics-file, and the refresh itself is done", async () => {
      await using scene = await openScene(ONE_ROLE);
      const path = `${scene.home.path}/special`;
      await make(path);
      const { signal } = await scene.run(["--metrics-file", path], {
        onSpawn: (child) => setTimeout(() => child.kill("SIGKILL"), HANG_MS).unref(),
      });
      assert.equal(signal, null);
      assert.match(await scene.credentials(), /manager = rolefresh/);
    });
  });
}

test("an endless web_identity_token_file of the AWS config is refused at once", async () => {
  await using scene = await openScene(`[default]\nidentity = aws-profile\nsource_profile = p\n`);
  spawnSync("mkfifo", [`${scene.home.path}/token`]);
  await scene.home.write(
    ".aws/config",
    `[profile p]\nrole_arn = ${GCP_ARN}\nweb_identity_token_file = ${scene.home.path}/token\n`,
  );
  const { code, stderr } = await scene.run(["--timeout", "30s"], {
    onSpawn: (child) => setTimeout(() => child.kill("SIGKILL"), HANG_MS).unref(),
  });
  assert.equal(code, 78, stderr);
});

suite("on a mount whose server is gone", () => {
  const WHERE: readonly (readonly [string, (at: string) => readonly string[]])[] = [
    ["the config", (at) => ["check", "--config", `${at}/rolefresh.ini`]],
    ["the credentials file", (at) => ["--credentials-file", `${at}/credentials`]],
    ["the token", (at) => ["--identity", "file", "--role-arn", GCP_ARN, "--web-identity-token-file", `${at}/token`]],
  ];
  for (const [what, args] of WHERE) {
    test(`${what}: the run says so at its deadline, and ends itself soon after`, async (context) => {
      await using scene = await openScene(ONE_ROLE);
      await mkdir(`${scene.home.path}/dead`);
      await using mount = await disposable(await deadMount(`${scene.home.path}/dead`));
      if (mount.why !== undefined) {
        context.skip(mount.why);
        return;
      }
      const { code, signal, stderr } = await scene.run([...args(`${scene.home.path}/dead`), "--timeout", "2s"], {
        onSpawn: (child) => setTimeout(() => child.kill("SIGQUIT"), HANG_MS).unref(),
      });
      assert.equal(code, null, stderr);
      assert.equal(signal, "SIGKILL", stderr);
      assert.match(stderr, /^rolefresh: error: .*(could not be read within|timed out after) 2 s/);
      assert.ok(!(await readdir(`${scene.home.path}/.aws`)).some((name) => name.includes("lock")), "a lock is left");
    });

    test(`${what}: SIGTERM ends it at once`, async (context) => {
      await using scene = await openScene(ONE_ROLE);
      await mkdir(`${scene.home.path}/dead`);
      await using mount = await disposable(await deadMount(`${scene.home.path}/dead`));
      if (mount.why !== undefined) {
        context.skip(mount.why);
        return;
      }
      const { signal } = await scene.run([...args(`${scene.home.path}/dead`), "--timeout", "300s"], {
        onSpawn: (child) => {
          // Again and again: the first may come before the program listens, which ends it just as well.
          setTimeout(() => child.kill("SIGTERM"), 3000).unref();
          setTimeout(() => child.kill("SIGQUIT"), HANG_MS).unref();
        },
      });
      assert.equal(signal, "SIGTERM");
    });
  }
});

interface Mounted extends AsyncDisposable {
  readonly why: string | undefined;
}

async function disposable(mount: Awaited<ReturnType<typeof deadMount>>): Promise<Mounted> {
  if (typeof mount === "string") return { why: mount, [Symbol.asyncDispose]: async () => undefined };
  return { why: undefined, [Symbol.asyncDispose]: () => mount[Symbol.asyncDispose]() };
}

test("a sparse journal of gigabytes is refused without being read", async () => {
  await using scene = await openScene(ONE_ROLE);
  await scene.home.write(".aws/credentials", "[default]\n");
  const journal = await scene.home.write(".aws/.credentials.rolefresh-journal", "rolefresh in-place copy 1 5 5 ");
  spawnSync("truncate", ["-s", "1900M", journal]);
  await writeFile(
    `${scene.home.path}/limit.cjs`,
    "process.on('exit', () => process._rawDebug(process.resourceUsage().maxRSS));",
  );
  const { code, stderr } = await scene.run([], { env: { NODE_OPTIONS: `--require ${scene.home.path}/limit.cjs` } });
  assert.equal(code, 65, stderr);
  const kilobytes = Number(/^(\d+)$/m.exec(stderr)?.[1]);
  assert.ok(kilobytes < 1_000_000, `${kilobytes} kB of memory`);
});

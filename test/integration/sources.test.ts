import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, readFile, rm, symlink, writeFile, type FileHandle } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import type { Deadline } from "../../src/base/deadline.ts";
import { Failure, type FailureCode } from "../../src/base/failure.ts";
import type { IdentitySource } from "../../src/config/config.ts";
import { metadataAddress, showsGoogleCloud } from "../../src/sources/gcp-metadata-server.ts";
import { instancePlaceholders } from "../../src/sources/gcp-metadata.ts";
import { identityKey, obtainIdentityToken, openTokenCache } from "../../src/sources/obtain-token.ts";
import type { IdentityContext } from "../../src/sources/context.ts";
import { startSandbox, type Fault, type Sandbox, type SandboxOptions } from "../sandbox/sandbox.ts";
import { testWorld } from "../support/test-world.ts";

const METADATA = { kind: "gcp-metadata", audience: "gcp", serviceAccount: "default" } as const;

interface Bench {
  readonly context: IdentityContext;
  readonly lines: string[];
  readonly pauses: number[];
  readonly end: (reason: Failure) => void;
}

interface BenchOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly now?: Date;
  readonly onPause?: () => Promise<void>;
}

/** A context whose pauses are noted and not waited for, and whose deadline ends when the test says so. */
function benchOf(options: BenchOptions = {}): Bench {
  const world = testWorld(options.now === undefined ? {} : { now: options.now });
  const controller = new AbortController();
  const deadline: Deadline = { signal: controller.signal, remainingMs: () => 60_000, clear: () => undefined };
  const lines: string[] = [];
  const pauses: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    pauses.push(ms);
    await options.onPause?.();
  };
  const context: IdentityContext = {
    env: { PATH: "/usr/bin:/bin", ...options.env },
    clock: { ...world, sleep },
    deadline,
    cwd: options.cwd ?? "/",
    killGroup: world.killGroup,
    uid: process.geteuid?.(),
    home: "/nonexistent",
    verbose: (line) => void lines.push(line),
  };
  return { context, lines, pauses, end: (reason) => controller.abort(reason) };
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Failure, inspect(outcome));
  assert.doesNotMatch(outcome.message, /\.$|\n/);
  return outcome;
}

async function assertFails(promise: Promise<unknown>, code: FailureCode, ...says: readonly RegExp[]): Promise<Failure> {
  const failure = await failureOf(promise);
  assert.equal(failure.code, code, inspect(failure));
  for (const pattern of says) assert.match(`${failure.message} / ${failure.hint}`, pattern);
  return failure;
}

const directoryOf = async (context: { after: (act: () => Promise<void>) => void }): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "rolefresh-identity-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

async function withSandbox(
  act: (box: Sandbox, bench: Bench) => Promise<void>,
  options: SandboxOptions = {},
  benchOptions: BenchOptions = {},
): Promise<void> {
  await using box = await startSandbox(options);
  await act(box, benchOf({ ...benchOptions, env: { ...box.env, ...benchOptions.env } }));
}

describe("the metadata server", () => {
  test("gives a token with full claims; audience and account are encoded", async () => {
    await withSandbox(async (box, { context }) => {
      const audience = "https://x.example/?a=b&c d#é";
      const token = await obtainIdentityToken({ ...METADATA, audience }, context);
      assert.deepEqual(token.claims.audience, [audience]);
      assert.equal(token.claims.issuer, "https://accounts.google.com");
      assert.match(box.callsTo("identity")[0]?.target ?? "", /format=full/);
    });
  });

  test("returns project and instance as doitintl/janus reads them", async () => {
    await withSandbox(async (_, { context }) => {
      assert.deepEqual(await instancePlaceholders(context), {
        project: "demo-project",
        instance: "legacy-vm.c.demo-project.internal",
      });
    });
  });

  test("on Cloud Run knows no instance, which is `unknown` (doitintl/janus#3 failed there)", async () => {
    await withSandbox(
      async (_, { context }) => {
        assert.deepEqual(await instancePlaceholders(context), { project: "demo-project", instance: "unknown" });
      },
      { hostname: undefined },
    );
  });

  test("that is not up yet is retried", async () => {
    await using box = await startSandbox();
    await box.pause("metadata");
    const { context, pauses } = benchOf({ env: box.env, onPause: () => box.resume("metadata") });
    const token = await obtainIdentityToken(METADATA, context);
    assert.deepEqual(token.claims.audience, ["gcp"]);
    assert.equal(pauses.length, 1);
  });

  test("that never comes up is IDENTITY_UNAVAILABLE, after pauses of 15 s in all", async () => {
    await withSandbox(async (box, { context, pauses }) => {
      await box.pause("metadata");
      await assertFails(
        obtainIdentityToken(METADATA, context),
        "IDENTITY_UNAVAILABLE",
        /connection is refused/,
        /GCE_METADATA_HOST/,
      );
      const sum = pauses.reduce((total, pause) => total + pause, 0);
      assert.ok(sum >= 15_000 && sum <= 17_000, String(sum));
      assert.ok(pauses.every((pause) => pause >= 50 && pause <= 2000));
    });
  });

  test("is not retried when the deadline is nearer than the pause", async () => {
    await withSandbox(async (box, { context, pauses }) => {
      await box.pause("metadata");
      const deadline: Deadline = { ...context.deadline, remainingMs: () => 10 };
      await assertFails(obtainIdentityToken(METADATA, { ...context, deadline }), "IDENTITY_UNAVAILABLE");
      assert.deepEqual(pauses, []);
    });
  });

  test("whose name is unknown is IDENTITY_UNAVAILABLE, at once", async () => {
    const { context, pauses } = benchOf({ env: { GCE_METADATA_HOST: "metadata.google.invalid" } });
    await assertFails(obtainIdentityToken(METADATA, context), "IDENTITY_UNAVAILABLE", /name cannot be resolved/);
    assert.deepEqual(pauses, []);
  });

  test("is not called with METADATA_SERVER_DETECTION=none", async () => {
    await withSandbox(
      async (box, { context }) => {
        await assertFails(obtainIdentityToken(METADATA, context), "IDENTITY_UNAVAILABLE", /METADATA_SERVER_DETECTION/);
        assert.equal(box.calls.length, 0);
      },
      {},
      { env: { METADATA_SERVER_DETECTION: "none" } },
    );
  });

  test("that is connected and silent is slow and not absent: the deadline names it", async () => {
    await withSandbox(async (box, { context, end }) => {
      box.misbehave("metadata", { kind: "hang" });
      const arrived = box.nextCall("identity");
      const failing = assertFails(
        obtainIdentityToken(METADATA, context),
        "TIMEOUT",
        /metadata server at \S+ has not answered: timed out/,
      );
      await arrived;
      end(new Failure("TIMEOUT", "timed out after 1 s"));
      await failing;
    });
  });

  test("an interruption during a pause is an interruption", async () => {
    await withSandbox(async (box, { context, end }) => {
      box.misbehave("metadata", { kind: "status", status: 503 });
      const sleep = async (_: number, signal: AbortSignal): Promise<void> => {
        end(new Failure("INTERRUPTED", "interrupted by SIGTERM"));
        signal.throwIfAborted();
      };
      await assertFails(
        obtainIdentityToken(METADATA, { ...context, clock: { ...context.clock, sleep } }),
        "INTERRUPTED",
      );
    });
  });

  test("is called without any proxy", async () => {
    await withSandbox(
      async (box, { context }) => {
        await obtainIdentityToken(METADATA, context);
        assert.equal(box.callsTo("identity").length, 1);
      },
      {},
      { env: { HTTP_PROXY: "http://127.0.0.1:1", http_proxy: "http://127.0.0.1:1", NODE_USE_ENV_PROXY: "1" } },
    );
  });

  test("of a VM without a service account says how to attach one", async () => {
    await withSandbox(
      async (_, { context }) => {
        await assertFails(
          obtainIdentityToken(METADATA, context),
          "IDENTITY_UNAVAILABLE",
          /no service account `default`/,
          /set-service-account/,
        );
      },
      { serviceAccounts: [] },
    );
  });

  test("a clock an hour off does not make its fresh token old", async () => {
    for (const off of [-3_600_000, 3_600_000]) {
      await withSandbox(
        async (_, { context, lines }) => {
          await obtainIdentityToken(METADATA, context);
          assert.match(lines.join("\n"), /clock is -?3[56]\d\d s ahead/);
        },
        {},
        { now: new Date(Date.now() + off) },
      );
    }
  });

  const faults: readonly (readonly [Fault, FailureCode, RegExp, number])[] = [
    [{ kind: "status", status: 429 }, "IDENTITY_TEMPORARY", /status 429/, 0],
    [{ kind: "status", status: 500 }, "IDENTITY_TEMPORARY", /status 500/, 0],
    [{ kind: "status", status: 503 }, "IDENTITY_TEMPORARY", /status 503/, 0],
    [{ kind: "reset" }, "IDENTITY_TEMPORARY", /connection was closed/, 0],
    [{ kind: "half-body" }, "IDENTITY_TEMPORARY", /connection was closed/, 0],
    [{ kind: "status", status: 403 }, "IDENTITY_DENIED", /status 403/, 1],
    [{ kind: "status", status: 400 }, "IDENTITY_INVALID_RESPONSE", /status 400/, 1],
    [{ kind: "redirect" }, "IDENTITY_INVALID_RESPONSE", /302/, 1],
    [{ kind: "no-flavor" }, "IDENTITY_INVALID_RESPONSE", /Metadata-Flavor/, 1],
    [{ kind: "garbage" }, "IDENTITY_INVALID_RESPONSE", /./, 1],
    [{ kind: "html" }, "IDENTITY_INVALID_RESPONSE", /./, 1],
    [{ kind: "empty-body" }, "IDENTITY_INVALID_RESPONSE", /is empty/, 1],
    [{ kind: "not-a-jwt" }, "IDENTITY_INVALID_RESPONSE", /not a JWT/, 1],
    [{ kind: "huge-body" }, "IDENTITY_INVALID_RESPONSE", /too large/, 1],
    [{ kind: "huge-token" }, "IDENTITY_INVALID_RESPONSE", /too large/, 1],
    [{ kind: "token-claims", claims: { exp: 1 } }, "TOKEN_EXPIRED", /exp=1970-01-01T00:00:01Z/, 1],
    [{ kind: "token-claims", claims: { aud: "other" } }, "TOKEN_AUDIENCE", /aud=other/, 1],
    [{ kind: "token-claims", claims: { iat: 4e9, nbf: 4e9, exp: 4.1e9 } }, "TOKEN_NOT_YET_VALID", /timedatectl/, 1],
  ];
  for (const [fault, code, says, attempts] of faults) {
    test(`${JSON.stringify(fault)} is ${code}${attempts === 1 ? "" : ", and retried"}`, async () => {
      await withSandbox(async (box, { context }) => {
        box.misbehave("metadata", fault);
        await assertFails(obtainIdentityToken(METADATA, context), code, says);
        const calls = box.callsTo("identity").length;
        assert.ok(attempts === 0 ? calls > 3 : calls === attempts, String(calls));
        assert.equal(box.callsTo("/_sandbox/trap").length, 0);
      });
    });
  }

  test("503 twice and then a token is a token", async () => {
    await withSandbox(async (box, { context, lines }) => {
      box.misbehave("metadata", { kind: "status", status: 503 }, { times: 2 });
      const token = await obtainIdentityToken(METADATA, context);
      assert.match(lines.join("\n"), /status 503, retrying in \d+ ms/);
      assert.ok(!lines.join("\n").includes(token.token.reveal().slice(0, 20)));
    });
  });
});

describe("another server at the metadata address", () => {
  const answers: readonly (readonly [string, RequestListener, FailureCode])[] = [
    [
      "an HTML page with the flavor header",
      (_, response) => response.setHeader("Metadata-Flavor", "Google").end("<html>"),
      "IDENTITY_INVALID_RESPONSE",
    ],
    ["EC2's 401 without the flavor header", (_, response) => response.writeHead(401).end(), "IDENTITY_DENIED"],
    [
      "a server that does not speak HTTP",
      (request) => void request.socket.end("SSH-2.0-OpenSSH_9.2\r\n"),
      "IDENTITY_INVALID_RESPONSE",
    ],
  ];
  for (const [name, listener, code] of answers) {
    test(`${name} is ${code}`, async (context) => {
      const server = createServer(listener);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      context.after(() => void server.close());
      const address = server.address();
      assert.ok(typeof address === "object" && address !== null);
      const bench = benchOf({ env: { GCE_METADATA_HOST: `127.0.0.1:${address.port}` } });
      await assertFails(obtainIdentityToken(METADATA, bench.context), code);
    });
  }
});

describe("the metadata server's address", () => {
  test("is GCE_METADATA_IP, then GCE_METADATA_HOST, then Google's (gcp-metadata, getBaseUrl)", () => {
    assert.equal(metadataAddress({}).base.href, "http://169.254.169.254/");
    assert.equal(metadataAddress({ GCE_METADATA_HOST: "h:1" }).base.href, "http://h:1/");
    assert.equal(metadataAddress({ GCE_METADATA_HOST: "fd20:ce::254" }).base.href, "http://[fd20:ce::254]/");
    assert.equal(metadataAddress({ GCE_METADATA_HOST: "[::1]:8" }).base.href, "http://[::1]:8/");
    assert.equal(metadataAddress({ GCE_METADATA_HOST: "https://h" }).base.href, "https://h/");
    assert.equal(
      metadataAddress({ GCE_METADATA_HOST: "h", GCE_METADATA_IP: "10.0.0.1:8" }).base.href,
      "http://10.0.0.1:8/",
    );
    assert.equal(metadataAddress({ GCE_METADATA_HOST: " " }).namedBy, undefined);
    for (const bad of ["a b", "u:p@h", "h/path", "http://"]) {
      assert.throws(() => metadataAddress({ GCE_METADATA_HOST: bad }), { code: "IDENTITY_UNAVAILABLE" });
    }
  });

  test("is Google's by the BIOS and by Cloud Run's variables", async (context) => {
    const directory = await directoryOf(context);
    await writeFile(join(directory, "google"), "Google\n");
    await writeFile(join(directory, "dell"), "Dell Inc.\n");
    assert.equal(await showsGoogleCloud({}, join(directory, "google")), true);
    assert.equal(await showsGoogleCloud({}, join(directory, "dell")), false);
    assert.equal(await showsGoogleCloud({}, join(directory, "none")), false);
    assert.equal(await showsGoogleCloud({ K_SERVICE: "x" }, join(directory, "none")), true);
  });
});

describe("a token file", () => {
  const sourceOf = (path: string, audience?: string): IdentitySource => ({ kind: "file", path, audience });

  test("is read each time and through kubelet's links (configure-aws-credentials#1805)", async (context) => {
    await withSandbox(async (box) => {
      const directory = await directoryOf(context);
      const { context: identity } = benchOf({ cwd: directory });
      for (const version of ["1", "2"]) {
        await mkdir(join(directory, `..${version}`));
        await writeFile(join(directory, `..${version}`, "token"), `${await box.mintToken({ sub: version })}\n`);
      }
      await symlink("..1", join(directory, "..data"));
      await symlink("..data/token", join(directory, "token"));
      assert.equal((await obtainIdentityToken(sourceOf("token", "gcp"), identity)).claims.subject, "1");
      await rm(join(directory, "..data"));
      await symlink("..2", join(directory, "..data"));
      assert.equal((await obtainIdentityToken(sourceOf("token"), identity)).claims.subject, "2");
    });
  });

  test("that is missing, empty, huge, a directory, a dangling link or no token is an error with its path", async (context) => {
    const directory = await directoryOf(context);
    const { context: identity } = benchOf();
    const at = (name: string): string => join(directory, name);
    await writeFile(at("empty"), "\n");
    await writeFile(at("huge"), "a".repeat(1024 * 1024));
    await writeFile(at("words"), "not a token, but somebody's password");
    await symlink("nowhere", at("dangling"));
    await symlink("loop", at("loop"));
    const cases: readonly (readonly [string, FailureCode, RegExp])[] = [
      [at("gone"), "TOKEN_MISSING", /no token file/],
      [at("dangling"), "TOKEN_MISSING", /no token file/],
      [join(at("empty"), "x"), "TOKEN_MISSING", /no token file/],
      [at("loop"), "TOKEN_UNREADABLE", /ELOOP/],
      [directory, "TOKEN_UNREADABLE", /not a regular file/],
      ["/dev/null", "TOKEN_UNREADABLE", /not a regular file/],
      [at("empty"), "TOKEN_MALFORMED", /is empty/],
      [at("huge"), "TOKEN_MALFORMED", /1048576 bytes/],
      [at("words"), "TOKEN_MALFORMED", /not a JWT/],
    ];
    for (const [path, code, says] of cases) {
      const failure = await assertFails(obtainIdentityToken(sourceOf(path), identity), code, says);
      assert.ok(failure.message.includes(path), failure.message);
      assert.doesNotMatch(inspect(failure), /password/);
    }
  });
});

describe("a token in a variable", () => {
  test("is used; unset, empty and foreign ones are errors that name the variable", async () => {
    await withSandbox(async (box) => {
      const good = await box.mintToken();
      const { context } = benchOf({ env: { GOOD: `${good}\n`, EMPTY: "", WORDS: "x y" } });
      const obtain = (variable: string, audience?: string) =>
        obtainIdentityToken({ kind: "env", variable, audience }, context);
      assert.equal((await obtain("GOOD", "gcp")).token.reveal(), good);
      await assertFails(obtain("GONE"), "TOKEN_MISSING", /GONE is not set/);
      await assertFails(obtain("EMPTY"), "TOKEN_MALFORMED", /\$EMPTY is empty/);
      await assertFails(obtain("WORDS"), "TOKEN_MALFORMED", /\$WORDS/);
      await assertFails(obtain("GOOD", "other"), "TOKEN_AUDIENCE");
    });
  });
});

describe("a token from a command", () => {
  const sourceOf = (command: string): IdentitySource => ({ kind: "command", command, audience: undefined });

  test("is what it prints, with the run's environment and directory", async (context) => {
    await withSandbox(async (box) => {
      const directory = await directoryOf(context);
      const token = await box.mintToken();
      const { context: identity } = benchOf({ env: { TOKEN: token }, cwd: directory });
      await writeFile(join(directory, "token"), token);
      assert.equal((await obtainIdentityToken(sourceOf("cat token"), identity)).token.reveal(), token);
      assert.equal((await obtainIdentityToken(sourceOf('echo "$TOKEN"'), identity)).token.reveal(), token);
    });
  });

  test("that fails shows its stderr and never its stdout or itself", async () => {
    const { context } = benchOf();
    const cases: readonly (readonly [string, FailureCode, RegExp])[] = [
      ["echo eyJzZWNyZXQ; echo 'no network' >&2; exit 3", "IDENTITY_TEMPORARY", /exit 3: no network/],
      ["rolefresh-has-no-such-program", "IDENTITY_UNAVAILABLE", /exit 127/],
      ["/etc/passwd", "IDENTITY_UNAVAILABLE", /exit 126/],
      ["kill -9 $$", "IDENTITY_TEMPORARY", /SIGKILL/],
      ["echo eyJzZWNyZXQ", "IDENTITY_INVALID_RESPONSE", /not a JWT/],
      ["true", "IDENTITY_INVALID_RESPONSE", /is empty/],
      ["yes eyJzZWNyZXQ", "IDENTITY_INVALID_RESPONSE", /printed too much/],
      ["printf '\\033[31mred\\n\\n\\033[0m' >&2; false", "IDENTITY_TEMPORARY", /exit 1: \[31mred/],
      ["echo leak eyJhbGciOi.eyJzdWIi.c2ln >&2; false", "IDENTITY_TEMPORARY", /leak \[redacted\]/],
    ];
    for (const [command, code, says] of cases) {
      const failure = await assertFails(obtainIdentityToken(sourceOf(command), context), code, says);
      assert.doesNotMatch(inspect(failure), /eyJ/);
    }
  });

  test("is killed at the deadline with everything it started", async (context) => {
    const directory = await directoryOf(context);
    const { context: identity, end } = benchOf({ cwd: directory });
    // The FIFO's reader sees its end when the last process that holds it is gone: that is what is waited for.
    const command = "mkfifo alive && (exec sleep 600 > alive) & sleep 600";
    const failing = assertFails(
      obtainIdentityToken(sourceOf(command), identity),
      "TIMEOUT",
      /`identity_command` has not ended: timed out/,
    );
    const alive = await openWhenThere(join(directory, "alive"));
    end(new Failure("TIMEOUT", "timed out after 1 s"));
    await failing;
    assert.equal(await alive.readFile("utf8"), "");
    await alive.close();
  });
});

/** Opens a FIFO as soon as it exists; the opening waits for its writer. */
async function openWhenThere(path: string): Promise<FileHandle> {
  for (;;) {
    try {
      return await open(path, "r");
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe("a token from gcloud", () => {
  const SOURCE = { kind: "gcloud", audience: "gcp", serviceAccount: "sa@proj.iam.gserviceaccount.com" } as const;

  async function withGcloud(script: string, act: (bench: Bench, directory: string) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), "rolefresh-gcloud-"));
    try {
      await writeFile(join(directory, "gcloud"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      await act(benchOf({ env: { PATH: `${directory}:/usr/bin:/bin` }, cwd: directory }), directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  test("is requested with audience and account, without a shell and without prompts", async () => {
    await withSandbox(async (box) => {
      const token = await box.mintToken();
      const script = `printf '%s\\n' "$@" "$CLOUDSDK_CORE_DISABLE_PROMPTS" > args; cat token`;
      await withGcloud(script, async ({ context }, directory) => {
        await writeFile(join(directory, "token"), token);
        assert.equal((await obtainIdentityToken(SOURCE, context)).token.reveal(), token);
        assert.equal(
          await readFile(join(directory, "args"), "utf8"),
          "auth\nprint-identity-token\n--quiet\n--audiences=gcp\n--impersonate-service-account=sa@proj.iam.gserviceaccount.com\n1\n",
        );
        await obtainIdentityToken({ kind: "gcloud", audience: undefined, serviceAccount: undefined }, context);
        assert.equal(await readFile(join(directory, "args"), "utf8"), "auth\nprint-identity-token\n--quiet\n1\n");
      });
    });
  });

  const prefix = "ERROR: (gcloud.auth.print-identity-token)";
  const cases: readonly (readonly [string, FailureCode, RegExp])[] = [
    // gcloud's own words: surface/auth/print_identity_token.py.
    [
      `${prefix} Invalid account Type for \\\`--audiences\\\`. Requires valid service account.`,
      "IDENTITY_DENIED",
      /a user account gets no token/,
    ],
    [`${prefix} PERMISSION_DENIED: Failed to impersonate`, "IDENTITY_DENIED", /serviceAccountOpenIdTokenCreator/],
    [`${prefix} You do not currently have an active account selected.`, "IDENTITY_DENIED", /gcloud auth login/],
    [`${prefix} There was a problem: timed out`, "IDENTITY_TEMPORARY", /timed out/],
  ];
  for (const [words, code, says] of cases) {
    test(`that says "${words.slice(0, 80)}" is ${code}`, async () => {
      await withGcloud(`echo "${words}" >&2; exit 1`, async ({ context }) => {
        await assertFails(obtainIdentityToken(SOURCE, context), code, says);
      });
    });
  }

  test("that is not installed is IDENTITY_UNAVAILABLE", async (context) => {
    const { context: identity } = benchOf({ env: { PATH: await directoryOf(context) } });
    await assertFails(obtainIdentityToken(SOURCE, identity), "IDENTITY_UNAVAILABLE", /ENOENT/, /PATH/);
  });
});

describe("the run's tokens", () => {
  test("one token serves all profiles with the same identity and audience", async () => {
    await withSandbox(async (box, { context }) => {
      const cache = openTokenCache(context);
      const tokens = await Promise.all([METADATA, { ...METADATA }, METADATA].map((source) => cache.obtain(source)));
      assert.equal(new Set(tokens).size, 1);
      assert.equal(box.callsTo("identity").length, 1);
      await cache.obtain({ ...METADATA, audience: "other" });
      assert.equal(box.callsTo("identity").length, 2);
    });
  });

  test("a failure is shared as well", async () => {
    await withSandbox(async (box, { context }) => {
      box.misbehave("metadata", { kind: "status", status: 403 });
      const cache = openTokenCache(context);
      await assertFails(cache.obtain(METADATA), "IDENTITY_DENIED");
      await assertFails(cache.obtain(METADATA), "IDENTITY_DENIED");
      assert.equal(box.callsTo("identity").length, 1);
    });
  });

  test("the key tells sources apart by every field, in any order", () => {
    const { audience, kind, serviceAccount } = METADATA;
    assert.equal(identityKey(METADATA), identityKey({ serviceAccount, kind, audience }));
    const sources: readonly IdentitySource[] = [
      METADATA,
      { ...METADATA, audience: "x" },
      { ...METADATA, serviceAccount: "x" },
      { kind: "gcloud", audience, serviceAccount },
      { kind: "file", path: "x", audience },
      { kind: "file", path: "x", audience: undefined },
      { kind: "env", variable: "x", audience },
      { kind: "command", command: "x", audience },
    ];
    assert.equal(new Set(sources.map(identityKey)).size, sources.length);
  });
});

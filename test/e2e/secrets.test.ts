import assert from "node:assert/strict";
import { access, readdir, readFile } from "node:fs/promises";
import { suite, test } from "node:test";

import type { Fault } from "../sandbox/sandbox.ts";
import { inParallel } from "../support/in-parallel.ts";
import { MarkedSecrets } from "../support/marked-secrets.ts";
import { BIN, type RunOptions, type RunResult, runProgram } from "../support/run-bin.ts";
import { BILLING_ARN, GCP_ARN, ONE_ROLE, openScene, type Scene } from "../support/scene.ts";
import { straceMissing } from "../support/strace.ts";

// Every command, every failure and --verbose, with secrets that the test knows: none of them may be seen anywhere but in
// the credentials file, on the standard output of credential-process, and on the wire.

/** Stands for what an answer holds that is not believed. */
const MARK = "MarkedByTheTest/NobodyMaySeeThis+0123456789";

/** What each child of rolefresh notes: the arguments and environments of all processes there are. */
const LOOK_AROUND = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ >> "$HOME/processes" 2>/dev/null; true`;

/** Every way to an identity that needs no more than a sandbox, a chained role, a hook. */
const CONFIG = `[default]
role_arn = ${GCP_ARN}
identity = gcp-metadata
on_refresh = sh ~/look-around

[from-file]
role_arn = ${GCP_ARN}
identity = file
web_identity_token_file = ../token

[from-env]
role_arn = ${GCP_ARN}
identity = env
identity_env = MARKED_TOKEN

[from-command]
role_arn = ${GCP_ARN}
identity = command
identity_command = sh ~/look-around && cat ~/token

[chained]
role_arn = ${BILLING_ARN}
source_profile = default
`;

interface Marked {
  readonly scene: Scene;
  readonly secrets: MarkedSecrets;
  readonly env: Readonly<Record<string, string>>;
}

/** A machine whose tokens are known: one from the metadata server, one in a file, one in the environment. */
async function openMarked(config = CONFIG): Promise<Marked & AsyncDisposable> {
  const scene = await openScene(config);
  const secrets = new MarkedSecrets();
  const tokens = await Promise.all(["metadata", "file", "env"].map((jti) => scene.sandbox.mintToken({ jti })));
  for (const token of tokens) secrets.add(token);
  const [metadata = "", file = "", variable = ""] = tokens;
  scene.sandbox.misbehave("metadata", { kind: "body", text: metadata }, { action: "identity" });
  await scene.home.write("token", `${file}\n`);
  await scene.home.write("look-around", LOOK_AROUND);
  const tmp = await scene.home.write("tmp/.keep", "");
  const env = { MARKED_TOKEN: variable, TMPDIR: tmp.replace(/\/\.keep$/, "") };
  return { scene, secrets, env, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

const MAY_HOLD = (path: string): boolean => /^(token|\.aws\/credentials(\.bak-.*)?)$/.test(path);

/** Runs a command and searches what it printed and left; keys that it got are secrets from then on. */
async function searched(
  { scene, secrets, env }: Marked,
  args: readonly string[],
  options: Partial<RunOptions> & { readonly isOutputSecret?: boolean } = {},
): Promise<RunResult> {
  const result = await scene.run(args, { ...options, env: { ...env, ...options.env } });
  secrets.addCredentials(await scene.credentials().catch(() => ""));
  if (options.isOutputSecret !== true) secrets.assertAbsent(result.stdout, `stdout of ${args.join(" ")}`);
  secrets.assertAbsent(result.stderr, `stderr of ${args.join(" ")}`);
  return result;
}

suite("secrets", () => {
  test("no command shows any, whatever it is asked to tell", async (context) => {
    await using marked = await openMarked();
    const { scene, secrets } = marked;
    const commands: readonly (readonly string[])[] = [
      ["refresh", "--dry-run", "--verbose"],
      ["refresh", "--verbose", "--metrics-file", `${scene.home.path}/metrics.prom`],
      ["refresh", "--force", "--json"],
      ["refresh", "--force", "--verbose", "--log-format", "json"],
      ["check"],
      ["status", "--verbose"],
      ["status", "--json"],
      ["exec", "from-file", "--verbose", "--", "/bin/sh", "-c", LOOK_AROUND],
      ["doctor", "--verbose"],
      ["doctor", "--json"],
      ["trust-policy", "default", "--verbose"],
      ["trust-policy", "from-file", "--format", "terraform"],
      ["trust-policy", "from-command", "--format", "cloudformation"],
      ["init", "--dry-run", "--role-arn", GCP_ARN, "--identity", "gcp-metadata", "--verbose"],
      ["schedule", "systemd", "--verbose"],
      ["schedule", "cron"],
      ["schedule", "launchd"],
      ["schedule", "kubernetes"],
      ["completion", "bash"],
      ["remove", "chained", "--verbose"],
    ];
    for (const args of commands) {
      const { code } = await searched(marked, args);
      // 1: nothing due, or doctor found something (there is no timer here).
      assert.ok(code === 0 || code === 1, `${args.join(" ")} ends with ${code}`);
    }
    for (const args of [
      ["credential-process", "from-env"],
      ["credential-process", "default", "--verbose"],
    ]) {
      const { code, stdout } = await searched(marked, args, { isOutputSecret: true });
      assert.equal(code, 0);
      assert.match(stdout, /"SessionToken":/);
    }
    assert.ok((await scene.home.read("processes")).includes("HOME="), "the children looked around");
    // The user's own variable is in the environment of what the user starts; it is the one thing that was there before.
    const processes = (await scene.home.read("processes")).replaceAll(/MARKED_TOKEN=[^\0]*/g, "");
    secrets.assertAbsent(processes, "the arguments or environment of a process");
    await secrets.assertAbsentBelow(scene.home.path, (path) => MAY_HOLD(path) || path === "processes");
    assert.ok(secrets.count > 30, `only ${secrets.count} secrets were looked for`);
    context.diagnostic(`${secrets.count} pieces of secrets looked for in ${secrets.searched} texts`);
  });

  test("watch shows none in its log, its health file and its metrics", async () => {
    await using marked = await openMarked();
    const { scene, secrets } = marked;
    const answered = scene.sandbox.nextCall("AssumeRole");
    let child: { kill(signal: NodeJS.Signals): boolean } | undefined;
    const files = ["--health-file", `${scene.home.path}/health`, "--metrics-file", `${scene.home.path}/metrics.prom`];
    const ended = searched(marked, ["watch", "--verbose", "--log-format", "json", ...files], {
      onSpawn: (spawned) => (child = spawned),
    });
    try {
      // The chained role comes last, and the health file after it: then locks and temporary files are gone and watch sleeps.
      const settled = answered
        .then(() => untilWritten(scene, "chained"))
        .then(() => untilThere(`${scene.home.path}/health`));
      await Promise.race([settled, ended]);
      await secrets.assertAbsentBelow(scene.home.path, (path) => MAY_HOLD(path) || path === "processes");
    } finally {
      child?.kill("SIGTERM");
    }
    assert.equal((await ended).signal, "SIGTERM");
  });

  const STS_FAULTS: readonly Fault[] = [
    { kind: "reset" },
    { kind: "half-body" },
    { kind: "garbage" },
    { kind: "html" },
    { kind: "redirect" },
    { kind: "empty-body" },
    { kind: "status", status: 403 },
    { kind: "aws-error", code: "AccessDenied" },
    { kind: "aws-error", code: "InvalidIdentityToken" },
    { kind: "aws-error", code: "ExpiredTokenException" },
    { kind: "past-expiry" },
    { kind: "bad-expiry" },
    { kind: "missing-field", field: "AccessKeyId" },
    { kind: "missing-field", field: "Expiration" },
    { kind: "wrong-account" },
    { kind: "wrong-role" },
    ...(["accessKeyId", "secretAccessKey", "sessionToken", "arn"] as const).map((field): Fault => ({
      kind: "hostile-field",
      field,
      text: `${MARK}\n[evil]\naws_access_key_id = ${MARK}`,
    })),
  ];

  test("no failure of STS shows any: not the token that was sent, not the keys of an answer that is not believed", async () => {
    await inParallel(STS_FAULTS, 2, async (fault) => {
      await using marked = await openMarked(ONE_ROLE);
      marked.secrets.add(MARK);
      marked.scene.sandbox.misbehave("sts", fault);
      const { code } = await searched(marked, ["refresh", "--verbose", "--timeout", "10s"]);
      assert.ok(code !== null && ![0, 64, 70, 78].includes(code), `${JSON.stringify(fault)} ends with ${code}`);
      await marked.secrets.assertAbsentBelow(marked.scene.home.path, MAY_HOLD);
    });
  });

  test("a message of STS that holds the token or keys is shown without them", async () => {
    await using marked = await openMarked(ONE_ROLE);
    const token = await marked.scene.sandbox.mintToken({ jti: "in the message" });
    const key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYNOBODYSEES";
    for (const secret of [token, key]) marked.secrets.add(secret);
    const message = `refused: ${token} and ${key}, sorry`;
    marked.scene.sandbox.misbehave("sts", { kind: "aws-error", code: "ValidationError", message });
    for (const format of ["text", "json"]) {
      const { stderr } = await searched(marked, ["--verbose", "--log-format", format]);
      assert.match(stderr, /refused: .*sorry/);
    }
  });

  test("no failure of an identity shows any", async () => {
    const commands: readonly (readonly [profile: string, command: string])[] = [
      ["from-file", "expired"],
      ["from-command", "cat ~/token >&2 && exit 3"],
      ["from-command", "cat ~/token ~/token"],
      ["from-env", "other audience"],
    ];
    for (const [profile, command] of commands) {
      const config = CONFIG.replace(/^identity_command = .*$/m, `identity_command = ${command}`);
      await using marked = await openMarked(
        profile === "from-command" ? config : CONFIG.replace(/^(identity = (file|env))$/gm, "$1\naudience = other"),
      );
      const old = await marked.scene.sandbox.mintToken({ exp: 1_700_000_000 });
      if (command === "expired") await marked.scene.home.write("token", old);
      marked.secrets.add(old);
      for (const args of [
        ["refresh", profile, "--verbose"],
        ["doctor", profile, "--verbose"],
      ]) {
        const { code } = await searched(marked, args);
        assert.ok(code !== null && ![0, 64, 70, 78].includes(code), `${profile} ${command} ends with ${code}`);
      }
    }
  });

  test("Node's own report and its dying words show none", async (context) => {
    await using marked = await openMarked(ONE_ROLE);
    const { scene, secrets } = marked;
    scene.sandbox.misbehave("sts", { kind: "hang" });
    const reports = `${scene.home.path}/reports`;
    await scene.home.write("reports/.keep", "");
    const sent = scene.sandbox.nextCall("AssumeRoleWithWebIdentity");
    const report = `--report-directory=${reports} --report-on-fatalerror --report-uncaught-exception`;
    let child: { kill(signal: NodeJS.Signals): boolean } | undefined;
    const ended = searched(marked, ["--verbose"], {
      // Its report shows the environment, which holds what the user put there.
      env: { MARKED_TOKEN: "", NODE_OPTIONS: `${report} --report-on-signal` },
      onSpawn: (spawned) => (child = spawned),
    });
    await Promise.race([sent, ended]);
    child?.kill("SIGUSR2");
    await Promise.race([untilReported(reports), ended]);
    child?.kill("SIGTERM");
    await ended;
    // So little memory that it dies somewhere in the middle, wherever that is.
    scene.sandbox.misbehave("sts", undefined);
    let died = 0;
    for (const megabytes of [6, 8, 9, 10]) {
      const { signal } = await searched(marked, ["--force"], {
        env: { MARKED_TOKEN: "", NODE_OPTIONS: `${report} --max-old-space-size=${megabytes} --max-semi-space-size=1` },
      });
      if (signal !== null) died++;
    }
    const names = await readdir(reports);
    assert.ok(names.length > 1, "there was a report");
    context.diagnostic(`${names.length - 1} reports, ${died} deaths for want of memory`);
    await secrets.assertAbsentBelow(scene.home.path, MAY_HOLD);
  });

  test("a bug shows its stack and none of what it was about", async () => {
    await using marked = await openMarked(ONE_ROLE);
    // Something that cannot fail fails where the keys are in everybody's hands.
    const sabotage = `const { equals } = Buffer.prototype; Buffer.prototype.equals = function (...a) { if (this.includes("aws_secret_access_key")) throw new Error("sabotage"); return equals.apply(this, a); };`;
    const { code, stderr } = await searched(marked, ["--verbose"], {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(sabotage)}` },
    });
    assert.equal(code, 70, stderr);
    assert.match(stderr, /this is a bug in rolefresh[^]*sabotage/);
  });

  test(
    "no system call that names a file or starts a program holds any",
    { skip: straceMissing() ?? false },
    async () => {
      await using marked = await openMarked();
      const { scene, secrets } = marked;
      const { MARKED_TOKEN: _, ...env } = marked.env;
      const log = `${scene.home.path}/strace`;
      const strace = ["-f", "-qq", "-v", "-s", "65535", "-e", "trace=execve,%file", "-o", log, process.execPath, BIN];
      for (const args of [
        [
          "refresh",
          "default",
          "from-file",
          "from-command",
          "chained",
          "--verbose",
          "--metrics-file",
          `${scene.home.path}/m`,
        ],
        ["exec", "chained", "--", "/bin/true"],
        ["doctor"],
      ]) {
        const result = await runProgram("strace", [...strace, ...args], { env: { ...scene.env, ...env } });
        assert.ok(result.code === 0 || args[0] === "doctor", result.stderr);
        secrets.addCredentials(await scene.credentials());
        secrets.assertAbsent(await readFile(log, "latin1"), `the system calls of ${args[0]}`);
      }
      assert.match(await scene.credentials(), /^\[chained\]$/m);
    },
  );
});

async function untilWritten(scene: Scene, profile: string): Promise<void> {
  while (!(await scene.credentials().catch(() => "")).includes(`[${profile}]`)) await new Promise(setImmediate);
}

async function untilThere(path: string): Promise<void> {
  while (
    !(await access(path).then(
      () => true,
      () => false,
    ))
  )
    await new Promise(setImmediate);
}

async function untilReported(directory: string): Promise<void> {
  for (;;) {
    const [name] = (await readdir(directory)).filter((one) => one.startsWith("report"));
    if (name !== undefined && (await readFile(`${directory}/${name}`, "utf8")).trimEnd().endsWith("}")) return;
    await new Promise(setImmediate);
  }
}

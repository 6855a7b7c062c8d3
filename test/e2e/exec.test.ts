import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { suite, test } from "node:test";

import { BIN, runProgram } from "../support/run-bin.ts";
import { expiringIn, GCP_ARN, ONE_ROLE, openScene, type Scene, valuesOf } from "../support/scene.ts";
import { toolMissing } from "../support/tool.ts";

const MINUTE = 60_000;

/** Runs a command in a refreshed profile and gives its environment. */
async function environmentIn(
  scene: Scene,
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, string>>> {
  const result = await scene.run(["exec", "default", ...options, "--", "/usr/bin/env"], { env });
  assert.deepEqual([result.code, result.stderr], [0, ""]);
  return Object.fromEntries(
    result.stdout
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** Starts `rolefresh exec default -- sh -c SCRIPT` away from any terminal and waits for the script's first line. */
async function startScript(scene: Scene, script: string) {
  // Detached: a session of its own, so that no terminal of the tester takes part.
  const child = spawn(process.execPath, [BIN, "exec", "default", "--", "/bin/sh", "-c", script], {
    env: { ...scene.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const closed = once(child, "close");
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      resolve();
    });
  });
  await Promise.race([ready, closed]);
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    end: async () => {
      const [code, signal]: unknown[] = await closed;
      return { code, signal, stdout, stderr };
    },
  };
}

suite("exec", () => {
  test("refreshes the profile, then runs the command pointed at it", async () => {
    await using scene = await openScene(`[*]\nregion = eu-central-1\n${ONE_ROLE}`);
    const env = await environmentIn(scene);
    assert.equal(env["AWS_PROFILE"], "default");
    assert.equal(env["AWS_SHARED_CREDENTIALS_FILE"], scene.home.credentials);
    assert.equal(env["AWS_ACCESS_KEY_ID"], undefined);
    assert.equal(env["AWS_REGION"], undefined);
    assert.equal(valuesOf(await scene.credentials(), "default")["manager"], "rolefresh");
    const calls = scene.sandbox.calls.length;
    await environmentIn(scene);
    assert.equal(scene.sandbox.calls.length, calls, "a fresh profile needs no call");
  });

  test("what would be used instead of the profile is taken out of the environment, and nothing else", async () => {
    await using scene = await openScene(ONE_ROLE);
    const shadowing = {
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "parent",
      AWS_SESSION_TOKEN: "parent",
      AWS_SECURITY_TOKEN: "parent",
      AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/token",
      AWS_ROLE_ARN: GCP_ARN,
      AWS_DEFAULT_PROFILE: "other",
    };
    const env = await environmentIn(scene, [], {
      ...shadowing,
      AWS_PROFILE: "other",
      AWS_CONFIG_FILE: "/x",
      KEPT: "a=b",
    });
    for (const name of Object.keys(shadowing)) assert.equal(env[name], undefined, name);
    assert.equal(env["AWS_PROFILE"], "default");
    assert.equal(env["AWS_CONFIG_FILE"], "/x");
    assert.equal(env["KEPT"], "a=b");
    const expected = { ...scene.env, AWS_PROFILE: "", AWS_SHARED_CREDENTIALS_FILE: "", AWS_CONFIG_FILE: "", KEPT: "" };
    assert.deepEqual(Object.keys(env).toSorted(), Object.keys(expected).toSorted(), "nothing of rolefresh's own");
  });

  test("--env exports the keys too, under every name that a tool may read", async () => {
    await using scene = await openScene(`[*]\nregion = eu-central-1\n${ONE_ROLE}`);
    const env = await environmentIn(scene, ["--env"], { AWS_SECURITY_TOKEN: "parent" });
    const file = valuesOf(await scene.credentials(), "default");
    assert.equal(env["AWS_ACCESS_KEY_ID"], file["aws_access_key_id"]);
    assert.equal(env["AWS_SECRET_ACCESS_KEY"], file["aws_secret_access_key"]);
    assert.equal(env["AWS_SESSION_TOKEN"], file["aws_session_token"]);
    assert.equal(env["AWS_SECURITY_TOKEN"], file["aws_session_token"]);
    assert.equal(env["AWS_CREDENTIAL_EXPIRATION"], file["x_security_token_expires"]);
    assert.equal(env["AWS_REGION"], "eu-central-1");
    assert.equal(env["AWS_DEFAULT_REGION"], "eu-central-1");
  });

  test("a region that nobody configured is not exported", async () => {
    await using scene = await openScene(ONE_ROLE);
    const env = await environmentIn(scene, ["--env"]);
    assert.equal(env["AWS_REGION"], undefined);
  });

  test("the config-free form serves a role without a config file", async () => {
    await using scene = await openScene(undefined);
    const args = ["exec", "--role-arn", GCP_ARN, "--profile", "legacy", "--", "sh", "-c", "echo $AWS_PROFILE"];
    assert.equal((await scene.run(args)).stdout, "legacy\n");
    assert.equal(valuesOf(await scene.credentials(), "legacy")["manager"], "rolefresh");
  });

  test("what follows -- is the command's, to the letter", async () => {
    await using scene = await openScene(ONE_ROLE);
    const words = ["--quiet", "--help", "-n", "007", "", "a b", "--", "--config=x", "*"];
    const { code, stdout, stderr } = await scene.run(["exec", "default", "--", "printf", "[%s]", ...words]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, words.map((word) => `[${word}]`).join(""));
  });

  test("without -- the command is accepted as long as no option stands among its words", async () => {
    await using scene = await openScene(ONE_ROLE);
    assert.equal((await scene.run(["exec", "default", "echo", "hello"])).stdout, "hello\n");
    for (const words of [
      ["default", "ls", "-l"],
      ["default", "ls", "--json"],
      ["default", "--env", "env"],
    ]) {
      const { code, stdout, stderr } = await scene.run(["exec", ...words]);
      assert.deepEqual([code, stdout], [64, ""], words.join(" "));
      assert.match(
        stderr,
        /^rolefresh: error: .*\nrolefresh: hint: write -- before the command: rolefresh exec PROFILE/,
      );
    }
  });

  test("the command's standard input is the caller's", async () => {
    await using scene = await openScene(ONE_ROLE);
    const script = `printf 'one\\ntwo\\n' | "$0" "$1" exec default -- sh -c 'read a; read b; echo "$b $a"'`;
    const { stdout } = await runProgram("/bin/sh", ["-c", script, process.execPath, BIN], { env: scene.env });
    assert.equal(stdout, "two one\n");
  });

  test("its exit status is the command's", async () => {
    await using scene = await openScene(ONE_ROLE);
    for (const status of [0, 1, 75, 126, 255]) {
      const result = await scene.run(["exec", "default", "--", "sh", "-c", `exit ${status}`]);
      assert.deepEqual(result, { code: status, signal: null, stdout: "", stderr: "" });
    }
  });

  test("it dies of the signal that the command died of", async () => {
    await using scene = await openScene(ONE_ROLE);
    for (const signal of ["SIGTERM", "SIGKILL", "SIGUSR1", "SIGPIPE", "SIGALRM"] as const) {
      const number = constants.signals[signal];
      const result = await scene.run(["exec", "default", "--", "sh", "-c", `kill -${number} $$`]);
      assert.deepEqual(result, { code: null, signal, stdout: "", stderr: "" });
    }
  });

  test("signals sent to it reach the command, once, and do not end rolefresh", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const) {
      const name = signal.slice(3);
      // `wait` is interrupted by the signal; the sleeper would otherwise keep the pipe open.
      const script = `trap 'echo ${name}; kill $!; exit 7' ${name}; sleep 60 & echo ready; wait; wait`;
      const running = await startScript(scene, script);
      running.kill(signal);
      assert.deepEqual(await running.end(), { code: 7, signal: null, stdout: `ready\n${name}\n`, stderr: "" });
    }
  });

  test("Ctrl-C on a terminal reaches the command once: from the terminal, not from rolefresh too", async (t) => {
    const missing = toolMissing("script", ["--version"]);
    if (missing !== undefined) return t.skip(missing);
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    // A shell would take two signals in quick succession for one; Node counts them. What rolefresh forwards keeps its
    // order, so that SIGUSR2 comes after anything that it made of the Ctrl-C.
    const counter = await scene.home.write(
      "counter.cjs",
      `let count = 0;
      process.on("SIGINT", () => { if (++count === 1) process.kill(process.ppid, "SIGUSR2"); });
      process.on("SIGUSR2", () => { console.log("count " + count); process.exit(3); });
      setInterval(() => {}, 1000);
      console.log("ready");`,
    );
    const command = `exec "${process.execPath}" "${BIN}" exec default -- "${process.execPath}" "${counter}"`;
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: { ...scene.env },
      stdio: ["pipe", "pipe", "ignore"],
    });
    let stdout = "";
    let isSent = false;
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      if (isSent || !stdout.includes("ready")) return;
      isSent = true;
      child.stdin.write("\u0003");
    });
    const [code]: unknown[] = await once(child, "close");
    assert.match(stdout, /count 1\r?\n/);
    assert.equal(code, 3);
  });

  test("a command that is not found ends with 127, one that cannot be run with 126", async () => {
    await using scene = await openScene(ONE_ROLE);
    const script = await scene.home.write("tool.sh", "#!/bin/sh\n");
    const cases = [
      [127, ["no-such-tool"], /^rolefresh: error: cannot run 'no-such-tool': not found\nrolefresh: hint: .*PATH\n$/],
      [127, ["/no/such/tool"], /^rolefresh: error: cannot run '\/no\/such\/tool': not found\n/],
      [127, [""], /^rolefresh: error: cannot run '': not found\n/],
      [126, [script], /^rolefresh: error: cannot run '.*tool\.sh': permission denied\nrolefresh: hint: .*ls -ld/],
      [126, [scene.home.path], /^rolefresh: error: cannot run '.*': permission denied\n/],
    ] as const;
    for (const [status, command, voice] of cases) {
      const { code, stdout, stderr } = await scene.run(["exec", "default", "--", ...command]);
      assert.deepEqual([code, stdout], [status, ""], command[0]);
      assert.match(stderr, voice);
    }
    await chmod(script, 0o755);
    assert.equal((await scene.run(["exec", "default", "--", script])).code, 0);
  });

  test("a failed refresh while the old keys are valid is a warning, and the command runs", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    await writeFile(scene.home.credentials, expiringIn(await scene.credentials(), "default", 10 * MINUTE));
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
    const { code, stdout, stderr } = await scene.run(["exec", "default", "--", "echo", "ran"]);
    assert.deepEqual([code, stdout], [0, "ran\n"]);
    assert.match(
      stderr,
      /^rolefresh: warning: profile 'default': .*; the old credentials are valid until .* \(\dm\)\n/,
    );
  });

  test("a failed refresh without valid keys is its exit status, and the command does not run", async () => {
    await using scene = await openScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
    const first = await scene.run(["exec", "default", "--", "echo", "ran"]);
    assert.deepEqual([first.code, first.stdout], [77, ""]);
    assert.match(first.stderr, /^rolefresh: error: profile 'default': /);
    scene.sandbox.misbehave("sts", undefined);
    await scene.run([]);
    await writeFile(scene.home.credentials, expiringIn(await scene.credentials(), "default", -MINUTE));
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
    const second = await scene.run(["exec", "default", "--", "echo", "ran"]);
    assert.deepEqual([second.code, second.stdout], [77, ""]);
    assert.match(second.stderr, /the old credentials expired at /);
  });

  test("keys of another role than the configured one are never handed on", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.run([]);
    await scene.home.write(".aws/rolefresh.ini", ONE_ROLE.replace("my-gcp-role-20211031", "another"));
    const { code, stdout, stderr } = await scene.run(["exec", "default", "--", "echo", "ran"]);
    assert.deepEqual([code, stdout], [77, ""]);
    assert.match(stderr, /^rolefresh: error: profile 'default': /);
  });

  test("an on_refresh command that fails is a warning", async () => {
    await using scene = await openScene(`${ONE_ROLE}on_refresh = exit 3\n`);
    const { code, stdout, stderr } = await scene.run(["exec", "default", "--", "echo", "ran"]);
    assert.deepEqual([code, stdout], [0, "ran\n"]);
    assert.match(stderr, /^rolefresh: warning: profile 'default': refreshed, but its on_refresh command failed/);
  });

  test("stopped while it refreshes, it dies of the signal and the command does not run", async () => {
    await using scene = await openScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "hang" });
    const asked = scene.sandbox.nextCall("AssumeRoleWithWebIdentity");
    const result = await scene.run(["exec", "default", "--", "echo", "ran"], {
      onSpawn: (child) => void asked.then(() => child.kill("SIGTERM")),
    });
    assert.deepEqual([result.signal, result.stdout], ["SIGTERM", ""]);
    assert.equal(result.stderr, "rolefresh: error: stopped by SIGTERM\n");
  });

  test("bad input: exit status, one clear error, nothing on standard output", async () => {
    await using scene = await openScene(ONE_ROLE);
    const cases: readonly (readonly [number, readonly string[], RegExp])[] = [
      [64, ["exec"], /error: no profile given\nrolefresh: hint: write -- before the command/],
      [64, ["exec", "default"], /error: no command given\n/],
      [64, ["exec", "default", "--"], /error: no command given\n/],
      [64, ["exec", "--", "ls"], /error: no profile given\n/],
      [64, ["exec", "default", "ls", "--", "-l"], /error: unexpected argument 'ls' before --\n/],
      [
        64,
        ["exec", "defualt", "--", "ls"],
        /error: no profile 'defualt' is configured in .*\nrolefresh: hint: did you mean 'default'\?/,
      ],
      [
        64,
        ["exec", "--evn", "default", "--", "ls"],
        /error: unknown option --evn\nrolefresh: hint: (did you mean|write --)/,
      ],
      [
        64,
        ["exec", "default", "--role-arn", GCP_ARN, "--", "ls"],
        /error: 'default' and --role-arn cannot be used together\n/,
      ],
      [
        78,
        ["exec", "--config", "/nonexistent.ini", "default", "--", "ls"],
        /error: the config \/nonexistent\.ini does not exist/,
      ],
    ];
    for (const [status, args, voice] of cases) {
      const { code, stdout, stderr } = await scene.run(args);
      assert.deepEqual([code, stdout], [status, ""], `${args.join(" ")}\n${stderr}`);
      assert.match(stderr, voice);
    }
    await scene.home.write(
      ".aws/credentials",
      "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n",
    );
    const foreign = await scene.run(["exec", "default", "--", "ls"]);
    assert.deepEqual([foreign.code, foreign.stdout], [65, ""]);
  });
});

import assert from "node:assert/strict";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";

import { isThere, runOverdue } from "../support/overdue.ts";
import { expiringIn, ONE_ROLE, openScene, type Scene, THREE_ROLES } from "../support/scene.ts";

const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };
const MINUTE = 60_000;

/** A refreshed profile whose credentials end in `ms`, while STS refuses: what --lenient is about. */
async function failing(scene: Scene, ms: number): Promise<void> {
  await scene.run([]);
  await writeFile(scene.home.credentials, expiringIn(await scene.credentials(), "default", ms));
  scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
}

/** The state letter of a process (proc(5)), or `gone`. */
async function stateOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return /^\d+ \(.*\) (\w)/s.exec(text)?.[1] ?? "gone";
}

suite("on_refresh", () => {
  test("runs after the write with the facts in its environment and no secrets", async () => {
    await using scene = await openScene(`${ONE_ROLE}on_refresh = env > "$HOME/hook.env"\n`);
    const secret = "NOBODY-MAY-SEE-THIS";
    const env = {
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_SESSION_TOKEN: secret,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
      KEPT: "yes",
    };
    assert.deepEqual(await scene.run([], { env }), SILENT);
    const seen = await scene.home.read("hook.env");
    const file = await scene.credentials();
    const expires = /x_security_token_expires = (.*)/.exec(file)?.[1];
    for (const line of [
      `ROLEFRESH_PROFILE=default`,
      `ROLEFRESH_EXPIRES_AT=${expires}`,
      `ROLEFRESH_CREDENTIALS_FILE=${scene.home.credentials}`,
      "KEPT=yes",
    ]) {
      assert.ok(seen.split("\n").includes(line), `${line} in:\n${seen}`);
    }
    assert.ok(!seen.includes(secret));
    assert.ok(!seen.includes(/aws_secret_access_key = (.*)/.exec(file)?.[1] ?? "x"));
  });

  test("does not see the variables that the config names as holding tokens", async () => {
    const secret = "NOBODY-MAY-SEE-THIS";
    const hook = `on_refresh = "env > $HOME/hook.env"\n`;
    for (const identity of ["env\nidentity_env = MY_TOKEN", "gitlab\nidentity_env = MY_TOKEN"]) {
      await using scene = await openScene(ONE_ROLE.replace("gcp-metadata", identity) + hook);
      const token = await scene.sandbox.mintToken();
      const env = { MY_TOKEN: token, AWS_CONTAINER_AUTHORIZATION_TOKEN: secret, AWS_SECRET_KEY: secret };
      assert.deepEqual(await scene.run([], { env }), SILENT);
      const seen = await scene.home.read("hook.env");
      assert.ok(!seen.includes(secret) && !seen.includes(token), seen);
    }
  });

  test("does not see what a header of identity = url takes from the environment", async () => {
    const secret = "NOBODY-MAY-SEE-THIS";
    let authorized = "";
    const server = createServer((request, response) => {
      authorized = String(request.headers["x-vault-token"]);
      void scene.sandbox.mintToken().then((token) => response.end(token));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const identity = `url\nidentity_url = http://127.0.0.1:${port}/\nidentity_header[] = X-Vault-Token: {env:VAULT_TOKEN}`;
    const hook = `on_refresh = "env > $HOME/hook.env"\n`;
    await using scene = await openScene(ONE_ROLE.replace("gcp-metadata", identity) + hook);
    assert.deepEqual(await scene.run([], { env: { VAULT_TOKEN: secret } }), SILENT);
    server.close();
    assert.equal(authorized, secret, "the source needs it");
    assert.ok(!(await scene.home.read("hook.env")).includes(secret));
  });

  test("does not run when nothing was refreshed", async () => {
    await using scene = await openScene(`${ONE_ROLE}on_refresh = echo x >> "$HOME/hook"\n`);
    const first = await scene.run(["--verbose"]);
    assert.match(first.stderr, /info: profile 'default': on_refresh ended with exit 0 after \d+\.\d s\n/);
    await scene.run([]);
    await scene.run([]);
    assert.equal(await scene.home.read("hook"), "x\n");
  });

  test("its failure is reported and undoes nothing", async () => {
    await using scene = await openScene(`${ONE_ROLE}on_refresh = "echo no such unit >&2; exit 3"\n`);
    const { code, stdout, stderr } = await scene.run([]);
    assert.deepEqual([code, stdout], [69, ""]);
    assert.match(
      stderr,
      /^rolefresh: error: profile 'default': refreshed, but its on_refresh command failed with exit 3: no such unit\nrolefresh: hint: /,
    );
    assert.match(await scene.credentials(), /manager = rolefresh/);
  });

  test("a hook that hangs is killed with its children at the deadline, and the refresh stands", async () => {
    await using scene = await openScene(
      `${ONE_ROLE}on_refresh = "sleep 1000 & echo $! > $HOME/p; mv $HOME/p $HOME/pid; wait"\n`,
    );
    const { code, stdout, stderr } = await runOverdue(scene, [], isThere(`${scene.home.path}/pid`));
    assert.deepEqual([code, stdout], [69, ""]);
    assert.match(stderr, /its on_refresh command was killed: it did not end within --timeout/);
    assert.match(await scene.credentials(), /manager = rolefresh/);
    const pid = Number(await scene.home.read("pid"));
    assert.ok(["gone", "Z"].includes(await stateOf(pid)), "it is dead, reaped or not");
  });

  test("what a hook leaves running in the background is not waited for, and its output goes nowhere", async () => {
    await using scene = await openScene(
      `${ONE_ROLE}on_refresh = "head -c 200000 /dev/zero; sleep 1000 & echo $! > $HOME/pid"\n`,
    );
    assert.deepEqual(await scene.run([]), SILENT);
    process.kill(Number(await scene.home.read("pid")), "SIGKILL");
  });

  test("a hook that hangs is stopped with its children when the run is told to stop", async () => {
    await using scene = await openScene(`${ONE_ROLE}on_refresh = "echo started > $HOME/started; sleep 1000 & wait"\n`);
    const result = await scene.run([], {
      onSpawn: (child) => {
        const poll = setInterval(() => {
          void stat(`${scene.home.path}/started`).then(
            () => {
              clearInterval(poll);
              child.kill("SIGTERM");
            },
            () => undefined,
          );
        }, 20);
      },
    });
    assert.equal(result.signal, "SIGTERM");
    assert.match(await scene.credentials(), /manager = rolefresh/, "what was written stays");
  });

  test("a command from a config that others may write is refused, and nothing is run", async () => {
    await using scene = await openScene(undefined);
    await scene.home.write(".aws/rolefresh.ini", `${ONE_ROLE}on_refresh = touch "$HOME/hook"\n`, 0o600);
    await chmod(scene.home.config, 0o666);
    const { code, stderr } = await scene.run([]);
    assert.equal(code, 78);
    assert.match(
      stderr,
      /(?:on_refresh is refused: others can write to the file|can be written by every user)\nrolefresh: hint: .*chmod go-w/,
    );
    assert.equal(scene.sandbox.calls.length, 0);
  });
});

suite("--lenient", () => {
  for (const [title, config, args] of [
    ["as an option", ONE_ROLE, ["--lenient"]],
    ["in the config", `[*]\nlenient = true\n${ONE_ROLE}`, []],
  ] as const) {
    test(`${title}: a failed refresh is a warning and exit 0 while the old credentials are valid`, async () => {
      await using scene = await openScene(config);
      await failing(scene, 20 * MINUTE + 30_000);
      const { code, stdout, stderr } = await scene.run(args);
      assert.deepEqual([code, stdout], [0, ""]);
      assert.match(
        stderr,
        /^rolefresh: warning: .*AccessDenied.*the old credentials are valid until \S+Z \(20m\)\nrolefresh: hint: /,
      );
      assert.deepEqual(
        await scene.run([...args, "--quiet"]),
        SILENT,
        "so that cron mails only when something will break",
      );
      const { profiles } = JSON.parse((await scene.run([...args, "--json"])).stdout) as {
        profiles: Record<string, unknown>[];
      };
      assert.equal(profiles[0]?.["outcome"], "failed");
      assert.match(String(profiles[0]["expires_at"]), /Z$/);
    });
  }

  test("expired credentials, and other people's sections, are errors all the same", async () => {
    await using scene = await openScene(ONE_ROLE);
    await failing(scene, -MINUTE);
    const { code, stderr } = await scene.run(["--lenient"]);
    assert.equal(code, 77);
    assert.match(stderr, /rolefresh: error: .*the old credentials expired at/);
    await writeFile(
      scene.home.credentials,
      "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\nx_security_token_expires = 2099-01-01T00:00:00Z\n",
    );
    assert.equal((await scene.run(["--lenient"])).code, 65);
  });
});

suite("logs", () => {
  test("--log-format json is one object a line", async () => {
    await using scene = await openScene(ONE_ROLE);
    scene.sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
    const { stderr } = await scene.run(["--log-format", "json", "--verbose"]);
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines)
      assert.deepEqual(Object.keys(line), ["time", "level", "message", "code", "profile", "hint"]);
    assert.deepEqual(
      lines.filter(({ level }) => level === "error").map(({ code, profile }) => [code, profile]),
      [["STS_DENIED", "default"]],
    );
  });

  test("a config error is JSON too", async () => {
    await using scene = await openScene("[default]\nrole_arm = x\n");
    const { code, stderr } = await scene.run(["--log-format", "json"]);
    assert.equal(code, 78);
    for (const line of stderr.trimEnd().split("\n"))
      assert.equal((JSON.parse(line) as { code: string }).code, "CONFIG_INVALID");
  });
});

suite("--metrics-file", () => {
  const valueOf = (text: string, start: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(start))
      ?.split(" ")
      .at(-1);

  test("holds expiry, last success, last attempt, failures by code and the run's duration; counters go on", async () => {
    await using scene = await openScene(THREE_ROLES);
    const path = `${scene.home.path}/rolefresh.prom`;
    assert.deepEqual(await scene.run(["--metrics-file", path]), SILENT);
    const first = await readFile(path, "utf8");
    assert.equal((await stat(path)).mode & 0o777, 0o644, "the node exporter is another user");
    for (const profile of ["default", "prod.admin", "billing"]) {
      assert.ok(
        Number(valueOf(first, `rolefresh_profile_expiry_timestamp_seconds{profile="${profile}"`)) >
          Date.now() / 1000 + 3000,
      );
      assert.ok(
        Math.abs(
          Number(valueOf(first, `rolefresh_profile_last_success_timestamp_seconds{profile="${profile}"`)) -
            Date.now() / 1000,
        ) < 60,
      );
    }
    for (const line of first.trimEnd().split("\n"))
      assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [\d.]+)$/);

    await failing(scene, MINUTE);
    for (let round = 1; round <= 2; round++) {
      assert.equal((await scene.run(["--metrics-file", path, "refresh", "default"])).code, 77);
      const text = await readFile(path, "utf8");
      assert.equal(
        valueOf(text, 'rolefresh_profile_failures_total{profile="default",code="STS_DENIED"}'),
        String(round),
      );
      assert.equal(
        valueOf(text, 'rolefresh_profile_last_success_timestamp_seconds{profile="default"'),
        valueOf(first, 'rolefresh_profile_last_success_timestamp_seconds{profile="default"'),
      );
    }
  });

  test("one that cannot be written is an error; the refresh stands", async () => {
    await using scene = await openScene(ONE_ROLE);
    const { code, stderr } = await scene.run(["--metrics-file", "/nonexistent/x.prom"]);
    assert.equal(code, 73);
    assert.match(stderr, /cannot write the metrics file \/nonexistent\/x\.prom: ENOENT/);
    assert.match(await scene.credentials(), /manager = rolefresh/);
  });
});

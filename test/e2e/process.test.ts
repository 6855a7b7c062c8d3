import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, cp, mkdir, readdir, readlink, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";

import { BUNDLE, BUNDLE_MISSING } from "../support/bundle.ts";
import { userMissing } from "../support/other-user.ts";
import { BIN, runProgram } from "../support/run-bin.ts";
import { BILLING_ARN, GCP_ARN, ONE_ROLE, openScene, type Scene } from "../support/scene.ts";
import { toolMissing } from "../support/tool.ts";

// The process itself: what it needs before it can start, how it ends, and which doors it opens.

/** A user id that no passwd entry has, as `docker run --user` and OpenShift give. */
const NOBODY_KNOWN = 42_424;
const STACK = /\n\s+at /;

/** A scene whose home belongs to a user without a passwd entry, named by absolute paths alone. */
async function openHomeless(): Promise<{
  scene: Scene;
  run: (...args: readonly string[]) => ReturnType<Scene["run"]>;
}> {
  const scene = await openScene(`[*]\ncredentials_file = CREDENTIALS\n${ONE_ROLE}`);
  await scene.home.write(
    ".aws/rolefresh.ini",
    (await readFile(scene.home.config, "utf8")).replace("CREDENTIALS", scene.home.credentials),
  );
  for (const path of [scene.home.path, dirname(scene.home.config), scene.home.config])
    await chown(path, NOBODY_KNOWN, NOBODY_KNOWN);
  const env = Object.fromEntries(Object.entries(scene.env).filter(([name]) => name !== "HOME"));
  return { scene, run: (...args) => runProgram(process.execPath, [BIN, ...args], { env, uid: NOBODY_KNOWN }) };
}

suite("a user without a home directory or a passwd entry", { skip: userMissing(NOBODY_KNOWN, BIN) ?? false }, () => {
  test("--version and --help work", async () => {
    const { scene, run } = await openHomeless();
    await using _ = scene;
    for (const args of [["--version"], ["--help"], ["refresh", "--help"], ["completion", "bash"]]) {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stderr], [0, ""], args.join(" "));
      assert.notEqual(stdout, "");
    }
  });

  test("no home is needed where every path is absolute", async () => {
    const { scene, run } = await openHomeless();
    await using _ = scene;
    const config = ["--config", scene.home.config];
    assert.deepEqual(await run("check", ...config), { code: 0, signal: null, stdout: "", stderr: "" });
    assert.deepEqual(await run("refresh", ...config), { code: 0, signal: null, stdout: "", stderr: "" });
    assert.equal((await run("check", ...config)).code, 1);
    for (const args of [
      ["status", ...config],
      ["exec", "default", ...config, "--", "/bin/sh", "-c", "true"],
      ["credential-process", "default", ...config],
      ["trust-policy", "default", "--quiet", ...config],
      ["schedule", "cron", ...config],
      ["remove", "default", ...config, "--credentials-file", scene.home.credentials],
    ]) {
      const { code, stderr } = await run(...args);
      assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    }
    const doctor = await run("doctor", ...config);
    assert.match(doctor.stdout, /^ok +config /m);
    assert.doesNotMatch(doctor.stderr, /bug/);
  });

  test("else it is one sentence and 78, and 255 of check", async () => {
    const { scene, run } = await openHomeless();
    await using _ = scene;
    for (const args of [
      ["refresh"],
      ["status"],
      ["refresh", "--config", "~/rolefresh.ini"],
      ["refresh", "--config", scene.home.config, "--credentials-file", "~/credentials"],
      ["exec", "default", "--", "/bin/true"],
      ["watch"],
      ["init", "--role-arn", "arn:aws:iam::123412341234:role/x", "--identity", "gcp-metadata"],
      ["remove", "default"],
      ["check"],
    ]) {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [args[0] === "check" ? 255 : 78, ""], args.join(" "));
      assert.match(stderr, /^rolefresh: error: .*home directory is unknown.*\nrolefresh: hint: .*\n$/, args.join(" "));
    }
  });
});

suite("a working directory that no longer exists", () => {
  /** Runs the program in a directory that is deleted before it starts. */
  async function runIn(scene: Scene, args: readonly string[]) {
    const gone = join(scene.home.path, "gone");
    await mkdir(gone);
    const script = 'rmdir "$PWD" && exec "$@"';
    try {
      return await runProgram("/bin/sh", ["-c", script, "sh", process.execPath, BIN, ...args], {
        env: scene.env,
        cwd: gone,
      });
    } finally {
      await rmdir(gone).catch(() => undefined);
    }
  }

  test("is not needed where every path is absolute, hooks and commands included", async () => {
    await using scene = await openScene(`${ONE_ROLE}on_refresh = echo hooked\n`);
    for (const args of [["--version"], ["--help"], ["check"], ["status"]])
      assert.deepEqual([(await runIn(scene, args)).code, (await runIn(scene, args)).stderr], [0, ""], args.join(" "));
    assert.deepEqual(await runIn(scene, ["refresh"]), { code: 0, signal: null, stdout: "", stderr: "" });
    const command = await runIn(scene, ["exec", "default", "--", "/bin/sh", "-c", "echo ran"]);
    assert.deepEqual([command.code, command.stdout, command.stderr], [0, "ran\n", ""]);
  });

  test("else it is one sentence and 78, and 255 of check", async () => {
    await using scene = await openScene(ONE_ROLE);
    for (const args of [
      ["refresh", "--config", "rolefresh.ini"],
      ["refresh", "--credentials-file", "credentials"],
      ["check", "--config", "rolefresh.ini"],
    ]) {
      const { code, stderr } = await runIn(scene, args);
      assert.equal(code, args[0] === "check" ? 255 : 78);
      assert.match(
        stderr,
        /^rolefresh: error: --\S+ cannot be used: the working directory no longer exists\nrolefresh: hint: .*\n$/,
      );
    }
  });
});

suite("check ends with 255 on whatever goes wrong", { skip: BUNDLE_MISSING }, () => {
  test("arguments that cannot be read, wherever they stand", async () => {
    await using scene = await openScene(ONE_ROLE);
    for (const args of [
      ["check", "--bogus"],
      ["--bogus", "check"],
      ["--quiet", "check", "--timeout", "soon"],
      ["--config", "/nowhere.ini", "check"],
      ["--timeout=soon", "check"],
    ]) {
      const { code, stdout, stderr } = await scene.run(args);
      assert.deepEqual([code, stdout], [255, ""], args.join(" "));
      assert.match(stderr, /^rolefresh: error: /);
    }
    assert.equal((await scene.run(["refresh", "check", "--bogus"])).code, 64, "a profile of that name");
    assert.equal((await scene.run(["exec", "default", "--bogus", "--", "check"])).code, 64);
  });

  test("a file of the program that is missing, a bug outside of main, a run that never comes to an end", async () => {
    await using scene = await openScene(ONE_ROLE);
    const dist = join(scene.home.path, "dist");
    await cp(dirname(BUNDLE), dist, { recursive: true });
    const program = join(dist, "rolefresh.cjs");
    const run = (args: readonly string[], code = "") =>
      scene.home
        .write("first.cjs", code)
        .then((first) => runProgram(process.execPath, ["--require", first, program, ...args], { env: scene.env }));
    for (const bug of [
      "process.nextTick(() => { throw new Error('late'); });",
      "process.nextTick(() => { throw undefined; });",
    ]) {
      for (const [command, expected] of [
        ["check", 255],
        ["status", 70],
      ] as const) {
        const { code, stderr } = await run([command], bug);
        assert.equal(code, expected, `${bug}: ${stderr}`);
        assert.match(stderr, /^rolefresh: error: this is a bug in rolefresh/);
      }
    }
    // Nothing is left that could wake it: Node.js would exit with 0, which is "something is due".
    const endless = "({ main: () => new Promise(() => undefined) })";
    await writeFile(join(dist, "main.cjs"), `module.exports = new Proxy({}, { get: () => ${endless} });`);
    assert.equal((await run(["check"])).code, 255);
    assert.equal((await run(["refresh"])).code, 70);
    await rm(join(dist, "main.cjs"));
    for (const [command, expected] of [
      ["check", 255],
      ["refresh", 70],
    ] as const) {
      const { code, stderr } = await run([command]);
      assert.equal(code, expected);
      assert.match(stderr, STACK);
    }
  });
});

suite("a bug that meets one profile", () => {
  /** Something that cannot fail fails for one profile. */
  const SABOTAGE = `const { slice } = String.prototype;
    String.prototype.slice = function (...args) { if (String(this) === "sabotaged") throw new RangeError("sabotage"); return slice.apply(this, args); };`;
  const CONFIG = `${ONE_ROLE}
[broken]
role_arn = ${GCP_ARN}
identity = gcp-metadata
role_session_name = sabotaged

[chained]
role_arn = ${BILLING_ARN}
source_profile = broken

[last]
role_arn = ${BILLING_ARN}
source_profile = default
`;

  test("is told with its stack and ends with 70, and the other profiles are written", async () => {
    for (const args of [[], ["--lenient"], ["--json"]]) {
      await using scene = await openScene(CONFIG);
      const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SABOTAGE)}` };
      const { code, stdout, stderr } = await scene.run(["refresh", ...args], { env });
      assert.equal(code, 70, stderr);
      assert.match(stderr, /^rolefresh: error: this is a bug in rolefresh.*\nRangeError: sabotage\n +at /m);
      assert.match(stderr, /^rolefresh: error: profile 'broken': .*bug/m);
      const file = await scene.credentials();
      assert.deepEqual(
        [...file.matchAll(/^\[(.*)\]$/gm)].map(([, name]) => name),
        ["default", "last"],
      );
      if (!args.includes("--json")) continue;
      const { profiles } = JSON.parse(stdout) as {
        profiles: { profile: string; outcome: string; error: { code: string } | null }[];
      };
      const outcomes = profiles.map(({ profile, outcome }) => `${profile} ${outcome}`).toSorted();
      assert.deepEqual(outcomes, ["broken failed", "chained failed", "default refreshed", "last refreshed"]);
      const broken = profiles.find(({ profile }) => profile === "broken");
      assert.equal(broken?.error?.code, "BUG");
    }
  });
});

/** Which ports a process listens on, by its open sockets (proc_pid_net(5): state 0A is LISTEN). */
async function listening(pid: number): Promise<readonly string[]> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
  );
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
  );
  const lines = tables
    .join("\n")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return lines.filter((line) => line[3] === "0A" && inodes.has(line[9] ?? "")).map((line) => line[1] ?? "");
}

suite("SIGUSR1", { skip: process.platform === "linux" ? false : "needs /proc" }, () => {
  test("opens no inspector, and everything goes on", async () => {
    await using scene = await openScene(ONE_ROLE);
    const child = spawn(process.execPath, [BIN, "watch", "--verbose"], {
      env: scene.env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const closed = once(child, "close");
    let stderr = "";
    let looks = 0;
    const lines = createInterface(child.stderr).on("line", (line) => {
      stderr += `${line}\n`;
      if (line.includes("next look in")) looks++;
    });
    const untilLook = async (count: number) => {
      for (;;) {
        if (looks >= count) return;
        await Promise.race([once(lines, "line"), closed.then(() => assert.fail(stderr))]);
      }
    };
    try {
      for (let round = 1; round <= 3; round++) {
        await untilLook(round);
        child.kill("SIGUSR1");
        child.kill("SIGHUP");
        await untilLook(round + 1);
        assert.deepEqual(await listening(child.pid ?? 0), []);
      }
    } finally {
      child.kill("SIGTERM");
    }
    assert.deepEqual(await closed, [null, "SIGTERM"]);
    assert.doesNotMatch(stderr, /debugger|inspector/i);
  });
});

suite(
  "as PID 1 of a container",
  { skip: toolMissing("unshare", ["--pid", "--fork", "--mount-proc", "true"]) ?? false },
  () => {
    const CONTAINER = ["--pid", "--fork", "--mount-proc", "--kill-child", process.execPath, BIN];

    for (const [signal, status] of [
      ["TERM", 143],
      ["KILL", 137],
      ["HUP", 129],
      ["SEGV", 139],
      ["USR1", 138],
    ] as const) {
      test(`exec of a command that dies of SIG${signal} ends with ${status}`, async () => {
        await using scene = await openScene(ONE_ROLE);
        const args = [...CONTAINER, "exec", "default", "--", "/bin/sh", "-c", `kill -${signal} $$`];
        const { code, stdout, stderr } = await runProgram("unshare", args, { env: scene.env });
        assert.deepEqual([code, stdout, stderr], [status, "", ""]);
      });
    }

    /** The process that is PID 1 inside, as it is seen from here: the only child of unshare. */
    async function pidOfInit(unshare: number): Promise<number> {
      return Number((await readFile(`/proc/${unshare}/task/${unshare}/children`, "utf8")).trim());
    }

    for (const [name, args, signal, status] of [
      ["watch that is told to end", ["watch", "--verbose"], "SIGTERM", 143],
      ["watch that is interrupted", ["watch", "--verbose"], "SIGINT", 130],
      [
        "exec whose command takes the signal",
        ["exec", "default", "--", "/bin/sh", "-c", "echo next look in; exec sleep 600"],
        "SIGTERM",
        143,
      ],
      [
        "exec whose command answers it",
        ["exec", "default", "--", "/bin/sh", "-c", "trap 'exit 7' TERM; echo next look in; sleep 600 & wait"],
        "SIGTERM",
        7,
      ],
    ] as const) {
      test(`${name} ends with ${status}`, async () => {
        await using scene = await openScene(ONE_ROLE);
        const child = spawn("unshare", [...CONTAINER, ...args], { env: scene.env, stdio: ["ignore", "pipe", "pipe"] });
        const closed = once(child, "close");
        let output = "";
        const ready = new Promise<void>((resolve) => {
          for (const stream of [child.stdout, child.stderr])
            stream.setEncoding("utf8").on("data", (chunk: string) => {
              output += chunk;
              if (output.includes("next look in")) resolve();
            });
        });
        await Promise.race([ready, closed]);
        process.kill(await pidOfInit(child.pid ?? 0), signal);
        assert.deepEqual(await closed, [status, null], output);
      });
    }
  },
);

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { suite, test } from "node:test";

import { BIN, runProgram } from "../support/run-bin.ts";
import { GCP_ARN, openScene, type Scene } from "../support/scene.ts";

const NEXT = `rolefresh: info: first let the role trust this identity: rolefresh trust-policy default
rolefresh: info: then write the credentials: rolefresh refresh
rolefresh: info: then keep them fresh: rolefresh schedule systemd
`;

suite("init from flags", () => {
  test("writes a private config, asks nobody, says what to type next, and refresh accepts it", async () => {
    await using scene = await openScene(undefined);
    const args = ["init", "--role-arn", GCP_ARN, "--identity", "gcp-metadata", "--region", "eu-central-1"];
    const umask = ["-c", 'umask 0; exec "$@"', "sh", process.execPath, BIN, ...args];
    const done = await runProgram("/bin/sh", umask, { env: scene.env });
    const wrote = `rolefresh: info: wrote ${scene.home.config}\n`;
    assert.deepEqual(done, { code: 0, signal: null, stdout: "", stderr: wrote + NEXT });
    assert.equal((await stat(scene.home.config)).mode & 0o777, 0o600);
    assert.equal((await stat(`${scene.home.path}/.aws`)).mode & 0o777, 0o700);
    assert.deepEqual(await scene.home.awsFiles(), ["rolefresh.ini"]);
    assert.equal(scene.sandbox.calls.length, 0);
    const text = await scene.home.read(".aws/rolefresh.ini");
    assert.match(
      text,
      /^\[default\]\n# .*\nrole_arn = arn.*\n# .*\nidentity = gcp-metadata\n# .*\naudience = gcp\n# .*\nregion = eu-central-1\n/m,
    );
    assert.deepEqual(await scene.run(["refresh"]), { code: 0, signal: null, stdout: "", stderr: "" });
  });

  test("takes the identity from a machine that leaves no doubt, and says what it saw", async () => {
    await using scene = await openScene(undefined);
    const done = await scene.run(["init", "--role-arn", GCP_ARN, "--profile", "a b"]);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stderr, /info: detected: Google Cloud, service account legacy-tool@/);
    assert.match(done.stderr, /rolefresh trust-policy 'a b'\n/);
    assert.match(
      await scene.home.read(".aws/rolefresh.ini"),
      /^# detected: Google Cloud.*\.\n\n\[a b\]\n[^]*^identity = gcp-metadata$/m,
    );
    assert.equal((await scene.run(["refresh", "a b"])).code, 0);
  });

  test("--config, --json and every other flag arrive where they should", async () => {
    await using scene = await openScene(undefined);
    const file = `${scene.home.path}/etc/my refresh.ini`;
    const args = [
      "--config",
      file,
      "--role-arn",
      GCP_ARN,
      "--identity-command",
      "printf '%s' a;b #c",
      "--duration-seconds",
      "7200",
    ];
    const done = await scene.run(["init", "--json", ...args]);
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(JSON.parse(done.stdout), {
      config_file: file,
      profile: "default",
      next: [
        `rolefresh trust-policy --config '${file}' default`,
        `rolefresh refresh --config '${file}'`,
        `rolefresh schedule systemd --config '${file}'`,
      ],
    });
    const text = await scene.home.read("etc/my refresh.ini");
    assert.match(text, /^identity_command = "printf '%s' a;b #c"$/m);
    assert.match(text, /^identity = command$/m);
    assert.match(text, /^duration_seconds = 7200$/m);
  });

  test("a relative path means the directory where it was typed", async () => {
    await using scene = await openScene(undefined);
    const args = ["init", "--role-arn", GCP_ARN, "--web-identity-token-file", "run/token"];
    assert.equal((await scene.run(args, { cwd: scene.home.path })).code, 0);
    const text = await scene.home.read(".aws/rolefresh.ini");
    assert.ok(text.includes(`\nweb_identity_token_file = ${scene.home.path}/run/token\n`), text);
    assert.match(text, /^identity = file$/m);
  });

  test("--dry-run prints and writes nothing; $ROLEFRESH_CONFIG names the file", async () => {
    await using scene = await openScene(undefined);
    const env = { ROLEFRESH_CONFIG: `${scene.home.path}/r.ini` };
    const args = ["init", "--role-arn", GCP_ARN, "--source-profile", "base"];
    const shown = await scene.run([...args, "--dry-run"], { env });
    assert.match(shown.stdout, /^source_profile = base$/m);
    await assert.rejects(scene.home.read("r.ini"), /ENOENT/);
    assert.equal((await scene.run(args, { env })).code, 0);
    assert.equal(await scene.home.read("r.ini"), shown.stdout);
  });

  test("--force replaces a config that is there", async () => {
    await using scene = await openScene("[old]\n");
    const done = await scene.run(["init", "--force", "--role-arn", GCP_ARN, "--identity", "gcp-metadata"]);
    assert.equal(done.code, 0, done.stderr);
    assert.doesNotMatch(await scene.home.read(".aws/rolefresh.ini"), /\[old\]/);
  });
});

suite("bad input to init", () => {
  const elsewhere = { METADATA_SERVER_DETECTION: "none" };
  const example =
    "hint: run for example: rolefresh init --role-arn arn:aws:iam::ACCOUNT:role/NAME --identity gcp-metadata";
  const cases: readonly (readonly [string, readonly string[], number, string])[] = [
    [
      "no terminal and no flags",
      [],
      64,
      `error: --role-arn and --identity (or --source-profile) must be given: there is no terminal to ask on\n${example}`,
    ],
    [
      "no terminal and half the flags",
      ["--identity", "file", "--role-arn", GCP_ARN],
      64,
      `error: --web-identity-token-file must be given: there is no terminal to ask on\n${example}`,
    ],
    [
      "an unknown identity",
      ["--identity", "gpc-metadata"],
      64,
      "error: --identity gpc-metadata is not supported\nhint: did you mean 'gcp-metadata'? (use one of IDENTITIES)",
    ],
    [
      "an ARN of a session",
      ["--identity", "gcp-metadata", "--role-arn", "arn:aws:sts::123412341234:assumed-role/r/s"],
      78,
      "error: --role-arn: [default] role_arn = 'arn:aws:sts::123412341234:assumed-role/r/s' is not the ARN of an IAM role\nhint: this is the ARN of a session; write arn:aws:iam::ACCOUNT:role/NAME",
    ],
    [
      "a profile name that cannot be one",
      ["--identity", "gcp-metadata", "--role-arn", GCP_ARN, "--profile", "a]b\n[c"],
      78,
      "error: the command line: [a]b\\n[c] a profile name may not hold ']'",
    ],
    [
      "the section of defaults for a profile",
      ["--identity", "gcp-metadata", "--role-arn", GCP_ARN, "--profile", "*"],
      64,
      "error: --profile '*' is the section of defaults\nhint: name a profile of the credentials file, for example default",
    ],
    ["an unknown option", ["--rolearn", "x"], 64, "error: unknown option --rolearn\nhint: did you mean '--role-arn'?"],
  ];
  for (const [name, args, expected, lines] of cases) {
    test(name, async () => {
      const { IDENTITIES } = await import("../../src/config/role-source.ts");
      await using scene = await openScene(undefined);
      const { code, stdout, stderr } = await scene.run(["init", ...args], { env: elsewhere });
      const said = lines.replaceAll("HOME", scene.home.path).replace("IDENTITIES", IDENTITIES.join(", "));
      const expectedText = said
        .split("\n")
        .map((line) => `rolefresh: ${line}\n`)
        .join("");
      assert.deepEqual({ code, stdout, stderr }, { code: expected, stdout: "", stderr: expectedText });
      await assert.rejects(scene.home.awsFiles(), /ENOENT/);
    });
  }

  test("a config that is there stays as it was", async () => {
    await using scene = await openScene("[mine]\n");
    const { code, stdout, stderr } = await scene.run(["init", "--role-arn", GCP_ARN, "--identity", "gcp-metadata"]);
    assert.deepEqual([code, stdout], [73, ""]);
    assert.equal(
      stderr,
      `rolefresh: error: the config ${scene.home.config} already exists\nrolefresh: hint: add a section to it, or replace it with --force\n`,
    );
    assert.equal(await scene.home.read(".aws/rolefresh.ini"), "[mine]\n");
    assert.deepEqual(await scene.home.awsFiles(), ["rolefresh.ini"]);
  });

  test("a directory that cannot be made", async () => {
    await using scene = await openScene(undefined);
    await scene.home.write("file", "");
    const config = `${scene.home.path}/file/rolefresh.ini`;
    const done = await scene.run(["init", "--config", config, "--role-arn", GCP_ARN, "--identity", "gcp-metadata"]);
    assert.deepEqual([done.code, done.stdout], [73, ""]);
    assert.match(done.stderr, /^rolefresh: error: cannot create .*: a part of the path is not a directory\n/);
  });
});

/** util-linux's `script`: BSD's takes other arguments. */
const script = spawnSync("script", ["--version"], { encoding: "utf8" });
const skip = /util-linux/.test(script.stdout ?? "")
  ? false
  : "there is no util-linux script(1) to make a terminal with";

/** What a person types after a question was shown. */
type Turn = readonly [shown: string, typed: string];

/** Runs the built program on a terminal of its own; returns everything that the terminal showed. */
function onTerminal(
  scene: Scene,
  args: string,
  turns: readonly Turn[],
): Promise<{ code: number | null; shown: string }> {
  return new Promise((resolve, reject) => {
    const command = `"${process.execPath}" "${BIN}" ${args}; echo "status $?"`;
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: { ...scene.env, TERM: "xterm", SHELL: "/bin/sh" },
      cwd: "/",
      stdio: ["pipe", "pipe", "inherit"],
    });
    let shown = "";
    let from = 0;
    const left = [...turns];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      shown += chunk;
      const [next] = left;
      const at = next === undefined ? -1 : shown.indexOf(next[0], from);
      if (next === undefined || at < 0) return;
      from = at + next[0].length;
      left.shift();
      child.stdin.write(next[1]);
    });
    child.on("error", reject);
    child.on("close", () => resolve({ code: Number(/status (\d+)/.exec(shown)?.[1] ?? Number.NaN), shown }));
  });
}

suite("init on a terminal", { skip }, () => {
  test("asks for what is missing, offers what it saw first, and writes what refresh accepts", async () => {
    await using scene = await openScene(undefined);
    const { code, shown } = await onTerminal(scene, "init", [
      ["Which IAM role", `${GCP_ARN}\r`],
      ["Which profile", "\r"],
      ["Where does the identity come from", "\r"],
      ["Which audience", "\r"],
      ["Which region", "ap-northeast-1\r"],
    ]);
    assert.equal(code, 0, shown);
    assert.match(shown, /detected: Google Cloud, service account legacy-tool@/);
    assert.match(shown, /rolefresh: info: wrote /);
    const text = await scene.home.read(".aws/rolefresh.ini");
    assert.match(text, /^identity = gcp-metadata\n[^]*^audience = gcp\n[^]*^region = ap-northeast-1$/m);
    assert.equal((await scene.run(["refresh"])).code, 0);
  });

  test("says what is wrong with an answer and asks again; flags are not asked for", async () => {
    await using scene = await openScene(undefined);
    const { code, shown } = await onTerminal(scene, "init --profile legacy --region eu-west-1 --source-profile base", [
      ["Which IAM role", "arn:aws:sts::123412341234:assumed-role/r/s\r"],
      // Ctrl-U clears the line.
      ["this is the ARN of a session", `\u0015${GCP_ARN}\r`],
    ]);
    assert.equal(code, 0, shown);
    assert.doesNotMatch(shown, /Which profile|Which region|Where does/);
    assert.match(await scene.home.read(".aws/rolefresh.ini"), /^\[legacy\]\n[^]*^source_profile = base$/m);
  });

  test("Ctrl-C ends it as it ends every program, with nothing written", async () => {
    await using scene = await openScene(undefined);
    const { code, shown } = await onTerminal(scene, "init", [["Which IAM role", "\u0003"]]);
    assert.equal(code, 130, shown);
    await assert.rejects(scene.home.awsFiles(), /ENOENT/);
  });
});

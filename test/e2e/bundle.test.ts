import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { ONE_ROLE, openScene, type Scene, THREE_ROLES } from "../support/scene.ts";
import { runProgram, type RunResult } from "../support/run-bin.ts";
import { straceMissing } from "../support/strace.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BUNDLE = join(ROOT, "dist", "rolefresh.cjs");
const skip = existsSync(BUNDLE) ? false : "dist/rolefresh.cjs is not built: npm run build";
const isRoot = process.geteuid?.() === 0;

function run(scene: Scene, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return runProgram(process.execPath, [BUNDLE, ...args], { env: { ...scene.env, ...env } });
}

const cacheOf = (scene: Scene) => join(scene.home.path, ".cache", "rolefresh");

/** The files of the bundle that were compiled, by name. */
async function compiled(scene: Scene): Promise<readonly string[]> {
  return (await readdir(cacheOf(scene)))
    .filter((name) => !name.startsWith("fresh-"))
    .map((name) => name.replace(/-[0-9a-f]{16}-v.*$/, ""))
    .toSorted();
}

/** What a refreshed role loads. */
const REFRESH = ["main", "refresh", "rolldown-runtime", "sts", "tick"];

suite("the bundle", { skip }, () => {
  test("a tick with nothing due loads neither yargs nor the SDK nor the lock", async () => {
    await using scene = await openScene(ONE_ROLE);
    assert.equal((await run(scene, [])).code, 0);
    await rm(cacheOf(scene), { recursive: true });
    for (const args of [[], ["check"], ["refresh", "default"]]) {
      const result = await run(scene, args);
      assert.deepEqual([result.stdout, result.stderr], ["", ""]);
      assert.deepEqual(await compiled(scene), ["main", "rolldown-runtime", "tick"]);
    }
  });

  test("one that an earlier run knows to have nothing due loads one small file and opens neither config nor credentials", async (t) => {
    const missing = straceMissing();
    if (missing !== undefined) return t.skip(missing);
    await using scene = await openScene(ONE_ROLE);
    await run(scene, []);
    // What is written within the last two seconds may change once more without another stamp.
    await sleep(2100);
    assert.equal((await run(scene, ["check"])).code, 1);
    await rm(cacheOf(scene), { recursive: true, force: true });
    assert.equal((await run(scene, ["check"])).code, 1);
    for (const name of await readdir(cacheOf(scene)))
      if (!name.startsWith("fresh-")) await rm(join(cacheOf(scene), name));
    const opened = async () => {
      const log = join(scene.home.path, "strace");
      const { code } = await runProgram(
        "strace",
        ["-f", "-qq", "-e", "trace=openat", "-o", log, process.execPath, BUNDLE, "check"],
        { env: scene.env },
      );
      const text = await readFile(log, "utf8");
      return {
        code,
        files: [...text.matchAll(/"([^"]*\/\.aws\/[^"]*)"/g)].map(([, path = ""]) =>
          path.slice(path.lastIndexOf("/") + 1),
        ),
      };
    };
    assert.deepEqual(await opened(), { code: 1, files: [] });
    assert.deepEqual(await compiled(scene), ["tick"]);
    await scene.home.write(".aws/credentials", await scene.credentials());
    assert.deepEqual(await opened(), { code: 1, files: ["rolefresh.ini", "credentials"] });
  });

  test("a role that is refreshed loads neither yargs nor what other commands need", async () => {
    await using scene = await openScene(ONE_ROLE);
    assert.deepEqual(await run(scene, []), { code: 0, signal: null, stdout: "", stderr: "" });
    assert.deepEqual(await compiled(scene), REFRESH);
  });

  test("what calls STS is loaded while a metadata server keeps its answer, TLS only for an endpoint that needs it", async () => {
    await using scene = await openScene(ONE_ROLE);
    scene.sandbox.misbehave("metadata", { kind: "hang" });
    const probe = await scene.home.write(
      "probe.cjs",
      `process.on("exit", () => require("node:fs").appendFileSync(process.env.LOADED, process.moduleLoadList.join("\\n") + "\\n"));`,
    );
    for (const [endpoint, hasTls] of [
      [undefined, false],
      ["https://127.0.0.1:9", true],
    ] as const) {
      await rm(cacheOf(scene), { recursive: true, force: true });
      const list = await scene.home.write("loaded", "");
      const env = {
        NODE_OPTIONS: `--require=${probe}`,
        LOADED: list,
        ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL_STS: endpoint }),
      };
      assert.equal((await run(scene, ["--timeout", "2s"], env)).code, 75);
      assert.deepEqual(await compiled(scene), REFRESH);
      assert.equal((await readFile(list, "utf8")).includes("NativeModule tls\n"), hasTls);
    }
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0);
  });

  test("compiled code that is broken, cut off or not V8's is made anew, and the answer is the same", async () => {
    await using scene = await openScene(ONE_ROLE);
    await run(scene, []);
    const cache = cacheOf(scene);
    for (const spoil of [
      (bytes: Buffer) => bytes.subarray(0, 100),
      () => Buffer.alloc(0),
      (bytes: Buffer) => bytes.fill(0x55),
      // As a lost block looks: V8 of Node 22 and later aborts over it when it is handed such code.
      (bytes: Buffer) => bytes.fill(0, bytes.length >> 2, Math.min(bytes.length, (bytes.length >> 2) + 4096)),
    ]) {
      for (const name of await readdir(cache)) {
        const good = await readFile(join(cache, name));
        await writeFile(join(cache, name), spoil(Buffer.from(good)));
      }
      const result = await run(scene, ["check"]);
      assert.deepEqual(result, { code: 1, signal: null, stdout: "", stderr: "" });
      const tick = (await readdir(cache)).find((name) => name.startsWith("tick-")) ?? "";
      assert.ok((await lstat(join(cache, tick))).size > 10_000, "made anew");
    }
  });

  test("compiled code is private, and not taken from where somebody else may write", async () => {
    await using scene = await openScene(ONE_ROLE);
    await run(scene, ["check"]);
    const cache = cacheOf(scene);
    assert.equal((await lstat(cache)).mode & 0o777, 0o700);
    const names = await readdir(cache);
    for (const name of names) assert.equal((await lstat(join(cache, name))).mode & 0o777, 0o600);
    for (const name of names) await rm(join(cache, name));
    await chmod(cache, 0o777);
    assert.equal((await run(scene, ["check"])).code, 0);
    assert.deepEqual(await readdir(cache), [], "nothing is kept there either");
  });

  test("root leaves nothing in another user's home", { skip: isRoot ? false : "needs root" }, async () => {
    await using scene = await openScene(ONE_ROLE);
    await chown(scene.home.path, 65_534, 65_534);
    await run(scene, ["check"]);
    assert.equal(existsSync(join(scene.home.path, ".cache")), false);
  });

  test("without a home, with a cache that cannot be made and with NODE_DISABLE_COMPILE_CACHE it works all the same", async () => {
    await using scene = await openScene(ONE_ROLE);
    const off = await run(scene, ["check"], { NODE_DISABLE_COMPILE_CACHE: "1" });
    assert.deepEqual([off.code, off.stderr], [0, ""]);
    assert.equal(existsSync(join(scene.home.path, ".cache")), false);
    const elsewhere = await run(scene, ["check"], { XDG_CACHE_HOME: "/dev/null/x" });
    assert.deepEqual([elsewhere.code, elsewhere.stderr], [0, ""]);
    const nowhere = await run(scene, ["check", "--config", scene.home.config], { HOME: "" });
    assert.equal(nowhere.code, 0, nowhere.stderr);
  });

  test("what another version left is removed when it is old", async () => {
    await using scene = await openScene(ONE_ROLE);
    await mkdir(cacheOf(scene), { recursive: true, mode: 0o700 });
    const [old, recent] = ["tick-0000000000000000-v20.0.0-x64", "tick-1111111111111111-v20.0.0-x64"].map((name) =>
      join(cacheOf(scene), name),
    );
    for (const path of [old, recent]) await writeFile(path ?? "", "x", { mode: 0o600 });
    execFileSync("touch", ["-d", "10 days ago", old ?? ""]);
    await run(scene, ["check"]);
    assert.equal(existsSync(old ?? ""), false);
    assert.equal(existsSync(recent ?? ""), true);
  });

  for (const [name, config, credentials] of [
    ["nothing configured", undefined, undefined],
    ["a broken config", "[default]\nrole_arn = nonsense\ncolour = red\n", undefined],
    ["a missing profile", ONE_ROLE, undefined],
    ["a foreign section", ONE_ROLE, "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = k\n"],
    ["a file that cannot be spliced", THREE_ROLES, "[default]\n[default]\n"],
  ] as const) {
    test(`the quick way and yargs's give the same answer: ${name}`, async () => {
      const answers: unknown[] = [];
      for (const args of [["check"], ["check", "--concurrency", "8"], ["refresh"], ["refresh", "--concurrency", "8"]]) {
        await using scene = await openScene(config);
        if (credentials !== undefined) await scene.home.write(".aws/credentials", credentials);
        const { code, stdout, stderr } = await run(scene, args);
        const home = new RegExp(scene.home.path, "g");
        const awsFiles = config === undefined ? [] : await scene.home.awsFiles();
        answers.push({ code, stdout, stderr: stderr.replace(home, "~"), awsFiles });
      }
      assert.deepEqual(answers[0], answers[1]);
      assert.deepEqual(answers[2], answers[3]);
    });
  }
});

suite("the published package", { skip }, () => {
  test("is small, of few files, needs no other package and ships the licences of those in it", async () => {
    const packed: unknown = JSON.parse(
      execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" }),
    );
    const [{ unpackedSize, entryCount, files }] = packed as [
      { unpackedSize: number; entryCount: number; files: { path: string }[] },
    ];
    assert.ok(unpackedSize <= 5_000_000, `${unpackedSize} bytes`);
    assert.ok(entryCount <= 20, `${entryCount} files`);
    const paths = files.map(({ path }) => path);
    assert.ok(paths.includes("dist/rolefresh.cjs") && paths.includes("dist/THIRD-PARTY-LICENSES.txt"), paths.join(" "));
    const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { dependencies?: unknown };
    assert.equal(manifest.dependencies, undefined, "everything is in the bundle");
    const licences = await readFile(join(ROOT, "dist", "THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["@aws-sdk/client-sts", "yargs", "ini", "proper-lockfile"])
      assert.match(licences, new RegExp(`^${name} \\d`, "m"));
  });
});

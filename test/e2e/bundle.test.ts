import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { suite, test } from "node:test";

import { BUNDLE, BUNDLE_MISSING as skip, runBundle as run } from "../support/bundle.ts";
import { ONE_ROLE, openScene, type Scene } from "../support/scene.ts";

const ROOT = dirname(dirname(BUNDLE));

/** Writes the modules that a run has loaded to the file `LOADED`: Node's own, then those of the bundle. */
const PROBE = `process.on("exit", () => require("node:fs").writeFileSync(process.env.LOADED,
  [...process.moduleLoadList, ...Object.keys(require.cache)].join("\\n")));`;

/** Runs the bundle; what it loaded, the bundle's own files by name. */
async function loading(scene: Scene, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const probe = await scene.home.write("probe.cjs", PROBE);
  const list = await scene.home.write("loaded", "");
  const result = await run(scene, args, { ...env, NODE_OPTIONS: `--require=${probe}`, LOADED: list });
  const loaded = (await readFile(list, "utf8")).split("\n");
  const files = loaded.filter((path) => path.startsWith(ROOT)).map((path) => basename(path, ".cjs"));
  return { result, files: files.toSorted(), hasTls: loaded.includes("NativeModule tls") };
}

/** What a refreshed role loads. */
const REFRESH = ["main", "refresh", "rolefresh", "rolldown-runtime", "sts"];

suite("the bundle", { skip }, () => {
  test("a tick with nothing due loads neither yargs nor the SDK nor the lock", async () => {
    await using scene = await openScene(ONE_ROLE);
    assert.equal((await run(scene, [])).code, 0);
    for (const args of [[], ["check"], ["refresh", "default"]]) {
      const { result, files } = await loading(scene, args);
      assert.deepEqual([result.stdout, result.stderr], ["", ""]);
      assert.deepEqual(files, ["main", "rolefresh", "rolldown-runtime"]);
    }
  });

  test("a role that is refreshed loads neither yargs nor what other commands need", async () => {
    await using scene = await openScene(ONE_ROLE);
    const { result, files } = await loading(scene, []);
    assert.deepEqual(result, { code: 0, signal: null, stdout: "", stderr: "" });
    assert.deepEqual(files, REFRESH);
  });

  test("what calls STS is loaded while a metadata server keeps its answer, TLS only for an endpoint that needs it", async () => {
    await using scene = await openScene(ONE_ROLE);
    scene.sandbox.misbehave("metadata", { kind: "hang" });
    for (const [endpoint, needsTls] of [
      [undefined, false],
      ["https://127.0.0.1:9", true],
    ] as const) {
      const env = endpoint === undefined ? {} : { AWS_ENDPOINT_URL_STS: endpoint };
      const { result, files, hasTls } = await loading(scene, ["--timeout", "10s"], env);
      assert.equal(result.code, 75);
      assert.deepEqual(files, REFRESH);
      assert.equal(hasTls, needsTls);
    }
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 0);
  });

  test("yargs is loaded for a help text and for nothing else", async () => {
    await using scene = await openScene(ONE_ROLE);
    for (const args of [["--version"], ["status"], ["exec", "default"], ["--forc"], ["completion", "bash"]])
      assert.ok(!(await loading(scene, args)).files.includes("help"), args.join(" "));
    assert.ok((await loading(scene, ["status", "--help"])).files.includes("help"));
  });
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

import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { suite, test } from "node:test";

import { BUNDLE, BUNDLE_MISSING, runBundle } from "../support/bundle.ts";
import { GCP_ARN, ONE_ROLE, openScene, type Scene } from "../support/scene.ts";
import { straceMissing } from "../support/strace.ts";
import { runProgram } from "../support/run-bin.ts";

// No state between runs: what a run leaves is the credentials file and what a flag names, and it loads no code but its own.

/** Places where programs keep what they want to find again, below the home. */
const PLACES = { XDG_CACHE_HOME: "xdg", CACHE_DIRECTORY: "made/rolefresh", TMPDIR: "tmp" };

async function openWatched(): Promise<{ scene: Scene; env: Record<string, string> }> {
  const scene = await openScene(ONE_ROLE);
  for (const place of [".cache/rolefresh", "xdg/rolefresh", "made/rolefresh", "tmp/rolefresh"]) {
    for (const name of ["index.js", "tick-0123456789abcdef-v20.20.2-x64", "fresh-0.json", "package.json"])
      await scene.home.write(`${place}/${name}`, 'throw new Error("planted");');
  }
  const env = Object.fromEntries(Object.entries(PLACES).map(([name, place]) => [name, join(scene.home.path, place)]));
  return { scene, env };
}

/** Every file below the home, with what tells whether it was touched. */
async function filesBelow(path: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(path, { recursive: true });
  const files = await Promise.all(
    names.map(async (name) => {
      const { ino, size, mtimeMs, ctimeMs } = await stat(join(path, name));
      return [name, `${ino} ${size} ${mtimeMs} ${ctimeMs}`] as const;
    }),
  );
  return new Map(files);
}

function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names.filter((name) => before.get(name) !== after.get(name));
}

/** The directory itself changes when a temp file in it is renamed. */
const CREDENTIALS = [".aws", ".aws/credentials"];

const COMMANDS: readonly (readonly [args: readonly string[], touched: readonly string[]])[] = [
  [["check"], []],
  [["refresh", "--dry-run"], []],
  [["refresh"], CREDENTIALS],
  [["refresh"], []],
  [["check"], []],
  [["status"], []],
  [["status", "--json"], []],
  [["doctor"], []],
  [["exec", "default", "--", "/bin/true"], []],
  [["credential-process", "default"], []],
  [["trust-policy", "default"], []],
  [["init", "--dry-run", "--role-arn", GCP_ARN, "--identity", "gcp-metadata"], []],
  [["schedule", "systemd"], []],
  [["schedule", "cron"], []],
  [["schedule", "launchd"], []],
  [["schedule", "kubernetes"], []],
  [["completion", "bash"], []],
  [["--help"], []],
  [["--version"], []],
  [["refresh", "nobody"], []],
  [
    ["refresh", "--force", "--metrics-file", "HOME/metrics"],
    [...CREDENTIALS, "metrics"],
  ],
  [["remove", "default"], CREDENTIALS],
];

suite("no state between runs", { skip: BUNDLE_MISSING }, () => {
  test("no command leaves anything but the credentials file and what a flag names", async () => {
    const { scene, env } = await openWatched();
    await using _ = scene;
    for (const [args, touched] of COMMANDS) {
      const before = await filesBelow(scene.home.path);
      const given = args.map((arg) => arg.replace("HOME", scene.home.path));
      const { stderr } = await runBundle(scene, given, env);
      assert.doesNotMatch(stderr, /planted|bug/);
      const left = changed(before, await filesBelow(scene.home.path));
      assert.deepEqual(left, touched, given.join(" "));
    }
  });

  test("no code is loaded from outside the package, for any command", async () => {
    const { scene, env } = await openWatched();
    await using _ = scene;
    const probe = await scene.home.write(
      "probe.cjs",
      `process.on("exit", () => require("node:fs").appendFileSync(process.env.LOADED, Object.keys(require.cache).join("\\n") + "\\n"));`,
    );
    const list = await scene.home.write("loaded", "");
    for (const [args] of COMMANDS) {
      const given = args.map((arg) => arg.replace("HOME", scene.home.path));
      await runBundle(scene, given, { ...env, NODE_OPTIONS: `--require=${probe}`, LOADED: list });
    }
    const loaded = new Set((await readFile(list, "utf8")).trim().split("\n"));
    const dist = BUNDLE.slice(0, BUNDLE.lastIndexOf(sep) + 1);
    assert.deepEqual(
      [...loaded].filter((path) => !path.startsWith(dist)),
      [probe],
    );
    assert.ok(loaded.has(BUNDLE) && loaded.size > 5, [...loaded].join(" "));
  });

  test("a run does not even look into a cache directory", async (t) => {
    const missing = straceMissing();
    if (missing !== undefined) return t.skip(missing);
    const { scene, env } = await openWatched();
    await using _ = scene;
    for (const command of ["check", "refresh", "refresh", "check"]) {
      const log = join(scene.home.path, "strace");
      await runProgram("strace", ["-f", "-qq", "-e", "trace=%file", "-o", log, process.execPath, BUNDLE, command], {
        env: { ...scene.env, ...env },
      });
      const paths = [...(await readFile(log, "utf8")).matchAll(/"([^"]*)"/g)].map(([, path = ""]) => path);
      assert.ok(paths.includes(scene.home.config), "the trace holds what was opened");
      assert.deepEqual(
        paths.filter((path) => /\/(\.cache|xdg|made|tmp\/rolefresh)(\/|$)/.test(path)),
        [],
      );
    }
  });
});

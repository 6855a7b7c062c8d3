import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";

import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";

import { INSTALLED_CONFIG, proveInstalled, runInstalled } from "../support/installed.ts";
import { artefact, checksums, mustRun, VERSION } from "../support/release.ts";
import { openScene } from "../support/scene.ts";
import { tempHome } from "../support/temp-home.ts";
import { toolMissing } from "../support/tool.ts";

const NODE = dirname(process.execPath);

/** Where a program is looked for on a machine without Node.js. */
const BARE_PATH = "/usr/bin:/bin";

suite("what is released", () => {
  const skip = checksums("one") === undefined && "nothing is packed (scripts/test-install packs it)";

  test("two builds, the second in another folder, umask, locale and time zone, are byte for byte the same", (t) => {
    if (skip) return t.skip(skip);
    assert.equal(checksums("two"), checksums("one"));
    assert.match(checksums("one") ?? "", /  rolefresh\.mjs\n/);
  });

  for (const end of [".tgz", ".mjs", ".tar.gz", ".deb"]) {
    test(`the bill of materials in *${end} is CycloneDX, and lists each package whose licence is there`, async (t) => {
      const packed = artefact(end);
      if (packed.missing !== undefined) return t.skip(packed.missing);
      await using home = await tempHome();
      const { bill, licences } = await papersOf(packed.path, home.path);
      assert.equal(await new JsonStrictValidator(Version.v1dot6).validate(bill), null);
      const { components } = JSON.parse(bill) as {
        components: readonly { name: string; group?: string; version: string }[];
      };
      const listed = components.map(({ name, group, version }) => `${group ? `${group}/` : ""}${name} ${version}`);
      const titles = [...licences.matchAll(/^((?:@[\w.-]+\/)?[\w.-]+ \d+\.\d+\.\d+\S*) \(/gm)].map(
        ([, title = ""]) => title,
      );
      assert.ok(titles.length > 20, licences.slice(0, 500));
      assert.deepEqual(new Set(listed.filter((title) => !title.startsWith("node "))), new Set(titles));
      assert.equal(
        listed.some((title) => title.startsWith("node ")),
        /\.(?:tar\.gz|deb)$/.test(end),
      );
      assert.doesNotMatch(bill, /"(?:timestamp|serialNumber)"/);
    });
  }
});

/** What a person finds in an artefact: the bill of materials and the licences. */
async function papersOf(path: string, scratch: string): Promise<{ bill: string; licences: string }> {
  const env = { PATH: BARE_PATH, HOME: scratch };
  if (path.endsWith(".mjs")) {
    const [, papers = ""] = (await readFile(path, "utf8")).split("\n/*\nrolefresh contains code of");
    const start = papers.indexOf("\n{\n");
    return { bill: papers.slice(start, papers.lastIndexOf("*/")).trim(), licences: papers.slice(0, start) };
  }
  if (path.endsWith(".deb")) await mustRun("dpkg-deb", ["--extract", path, scratch], { env });
  else await mustRun("tar", ["-xzf", path, "-C", scratch], { env });
  const names = await readdir(scratch, { recursive: true });
  const find = (name: string) => join(scratch, names.find((one) => one.endsWith(name)) ?? name);
  const packed = find("THIRD-PARTY-LICENSES.txt.gz");
  const licences = names.some((name) => name.endsWith(".txt.gz"))
    ? await mustRun("gzip", ["-dc", packed], { env })
    : await readFile(find("THIRD-PARTY-LICENSES.txt"), "utf8");
  return { bill: await readFile(find("sbom.cdx.json"), "utf8"), licences };
}

suite("the npm package", () => {
  test("installs without a network into an empty prefix, runs for every user, has its manual page, and goes", async (t) => {
    const packed = artefact(`-${VERSION}.tgz`);
    if (packed.missing !== undefined) return t.skip(packed.missing);
    const missing = toolMissing("npm", ["--version"]);
    if (missing !== undefined) return t.skip(missing);
    await using scene = await openScene(INSTALLED_CONFIG);
    const prefix = join(scene.home.path, "prefix");
    const env = { PATH: `${join(prefix, "bin")}:${NODE}:${BARE_PATH}`, HOME: scene.home.path };
    const npm = (...args: readonly string[]) =>
      mustRun("npm", [...args, "--global", "--prefix", prefix, "--offline", "--no-audit", "--no-fund"], { env });
    await npm("install", packed.path);
    const script = join(prefix, "bin", "rolefresh");
    await proveInstalled(scene, { command: ["rolefresh"], env, scheduled: [process.execPath, script] });
    assert.match(await readFile(join(prefix, "share/man/man1/rolefresh.1"), "utf8"), /^\.TH ROLEFRESH 1/);
    const bundle = join(prefix, "lib/node_modules/rolefresh/dist");
    for (const name of await readdir(bundle)) assert.equal((await stat(join(bundle, name))).mode & 0o444, 0o444, name);
    await npm("uninstall", "rolefresh");
    assert.deepEqual(await readdir(join(prefix, "bin")), []);
    assert.deepEqual(await readdir(join(prefix, "share/man/man1")), []);
  });
});

suite("the single file", () => {
  test("runs from a folder that holds nothing else, by node and by its first line", async (t) => {
    const packed = artefact("rolefresh.mjs");
    if (packed.missing !== undefined) return t.skip(packed.missing);
    await using scene = await openScene(INSTALLED_CONFIG);
    await mkdir(join(scene.home.path, "opt"));
    const file = join(scene.home.path, "opt", "rolefresh.mjs");
    await copyFile(packed.path, file);
    const env = { PATH: `${NODE}:${BARE_PATH}` };
    await proveInstalled(scene, { command: [process.execPath, file], env, scheduled: [process.execPath, file] });
    const bare = await runInstalled(scene, { command: [file], env, scheduled: [] }, ["check"]);
    assert.deepEqual([bare.code, bare.stderr], [1, ""]);
    assert.deepEqual(await readdir(dirname(file)), ["rolefresh.mjs"]);
  });
});

suite("the self-contained binary", () => {
  test("runs where there is no Node.js, and has itself scheduled", async (t) => {
    const packed = artefact("-linux-x64.tar.gz");
    if (packed.missing !== undefined) return t.skip(packed.missing);
    await using scene = await openScene(INSTALLED_CONFIG);
    const env = { PATH: BARE_PATH, HOME: scene.home.path };
    await mustRun("tar", ["-xzf", packed.path, "-C", scene.home.path], { env });
    const folder = join(scene.home.path, `rolefresh-${VERSION}-linux-x64`);
    const binary = join(folder, "rolefresh");
    await proveInstalled(scene, { command: [binary], env, scheduled: [binary] });
    const onPath = { command: ["rolefresh"], env: { PATH: `${folder}:${BARE_PATH}` }, scheduled: [] };
    const cron = await runInstalled(scene, onPath, ["schedule", "cron"]);
    assert.ok(cron.stdout.includes(` ${binary} refresh `), "by its path, however it was called");
    const page = await mustRun(binary, ["completion", "bash"], { env });
    assert.equal(await readFile(join(folder, "completions/rolefresh.bash"), "utf8"), page);
    assert.match(await readFile(join(folder, "NODE-LICENSE.txt"), "utf8"), /OpenSSL/);
  });
});

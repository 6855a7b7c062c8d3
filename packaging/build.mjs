// Makes what is released from what `npm run build` has built:
//   rolefresh-VERSION.tgz                   npm package
//   rolefresh.mjs                           one file, for machines with Node.js and no npm
//   rolefresh-VERSION-linux-x64.tar.gz      self-contained binary, for machines without Node.js
//   rolefresh_VERSION_amd64.deb             the same as a Debian package
//   rolefresh-VERSION.cdx.json              bill of materials
//   SHA256SUMS
// The bytes depend on the sources, the lockfile, SOURCE_DATE_EPOCH, and the versions of Node.js, npm, GNU tar and dpkg-deb.
// usage: SOURCE_DATE_EPOCH=N node packaging/build.mjs --out DIR [--fast]      --fast: packed quickly instead of small, for tests
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { layOut, packTarball } from "./archive.mjs";
import { addRuntime } from "./bill-of-materials.mjs";
import { debianVersion, writeDebianPackage } from "./debian-package.mjs";
import { openRuntime, runtimeMissing } from "./node-runtime.mjs";
import { renderOneFile } from "./one-file.mjs";
import { writeSelfContained } from "./self-contained.mjs";

const { values } = parseArgs({ options: { out: { type: "string" }, fast: { type: "boolean", default: false } } });
const epochSeconds = Number(process.env.SOURCE_DATE_EPOCH);
if (values.out === undefined || !Number.isSafeInteger(epochSeconds) || epochSeconds <= 0) {
  console.error("usage: SOURCE_DATE_EPOCH=N node packaging/build.mjs --out DIR [--fast]");
  process.exit(64);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const out = resolve(values.out);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const read = (...names) => readFileSync(join(root, ...names), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "rolefresh-release-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
process.umask(0o022);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

packForNpm();
writeFileSync(join(out, "rolefresh.mjs"), renderOneFile(dist, version), { mode: 0o755 });
copyFileSync(join(dist, "sbom.cdx.json"), join(out, `rolefresh-${version}.cdx.json`));
const missing = runtimeMissing() ?? tarMissing();
const runtime = missing === undefined ? obtainRuntime() : undefined;
if (runtime) await packBinary(runtime);
else if (missing !== undefined) console.log(`without a self-contained binary and Debian package: ${missing}`);

const names = readdirSync(out).toSorted();
const sums = names.map(
  (name) =>
    `${createHash("sha256")
      .update(readFileSync(join(out, name)))
      .digest("hex")}  ${name}\n`,
);
writeFileSync(join(out, "SHA256SUMS"), sums.join(""));
process.stdout.write(sums.join(""));

/** From a copy whose modes owe nothing to this machine's umask. */
function packForNpm() {
  const folder = join(scratch, "npm");
  const modeOf = (name) => (name === "rolefresh.cjs" ? 0o755 : 0o644);
  layOut(folder, {
    ...Object.fromEntries(
      ["package.json", "README.md", "CHANGELOG.md", "LICENSE"].map((name) => [name, { copy: join(root, name) }]),
    ),
    ...Object.fromEntries(
      readdirSync(dist).map((name) => [`dist/${name}`, { copy: join(dist, name), mode: modeOf(name) }]),
    ),
  });
  const args = ["pack", "--ignore-scripts", "--silent", "--pack-destination", out];
  execFileSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

function tarMissing() {
  const { stdout } = spawnSync("tar", ["--version"], { encoding: "utf8" });
  return stdout?.includes("GNU tar") ? undefined : "there is no GNU tar here";
}

/** A release without its binary is none; the tests can do without, and say so. */
function obtainRuntime() {
  try {
    return openRuntime();
  } catch (error) {
    if (!values.fast) throw error;
    console.log(`without a self-contained binary and Debian package: ${error.message.split("\n")[0]}`);
    return undefined;
  }
}

async function packBinary(runtime) {
  const binary = join(scratch, "rolefresh");
  writeSelfContained(dist, runtime, binary);
  const completions = Object.fromEntries(["bash", "zsh", "fish"].map((shell) => [shell, completionOf(shell)]));
  const papers = {
    "THIRD-PARTY-LICENSES.txt": read("dist", "THIRD-PARTY-LICENSES.txt"),
    "NODE-LICENSE.txt": readFileSync(runtime.licence, "utf8"),
    "sbom.cdx.json": addRuntime(read("dist", "sbom.cdx.json"), runtime),
  };
  const name = `rolefresh-${version}-linux-x64`;
  layOut(join(scratch, name), {
    rolefresh: { copy: binary, mode: 0o755 },
    "rolefresh.1": { text: read("dist", "rolefresh.1") },
    "completions/rolefresh.bash": { text: completions.bash },
    "completions/_rolefresh": { text: completions.zsh },
    "completions/rolefresh.fish": { text: completions.fish },
    LICENSE: { text: read("LICENSE") },
    "README.md": { text: read("README.md") },
    ...Object.fromEntries(Object.entries(papers).map(([paper, text]) => [paper, { text }])),
  });
  packTarball(join(scratch, name), join(out, `${name}.tar.gz`), { epochSeconds, level: values.fast ? 1 : 9 });
  if (spawnSync("dpkg-deb", ["--version"]).status !== 0) {
    console.log("without a Debian package: dpkg-deb is not installed here");
    return;
  }
  const parts = { binary, manual: read("dist", "rolefresh.1"), completions, papers, changelog: read("CHANGELOG.md") };
  const folder = join(scratch, "deb");
  const context = { root, folder, version, epochSeconds, fast: values.fast };
  await writeDebianPackage(parts, join(out, `rolefresh_${debianVersion(version)}_amd64.deb`), context);
}

function completionOf(shell) {
  const env = { PATH: process.env.PATH, HOME: scratch, NODE_DISABLE_COMPILE_CACHE: "1" };
  return execFileSync(process.execPath, [join(dist, "rolefresh.cjs"), "completion", shell], { env, encoding: "utf8" });
}

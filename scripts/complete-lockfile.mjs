// Completes package-lock.json with the optional packages of platforms that the registry at hand does not serve.
//
// Compilers and linters ship one optional package for each platform. A registry mirror that holds only some of them makes
// `npm install` leave the others out of the lockfile, and then `npm ci` refuses it ("Missing: … from lock file", npm/cli
// issue 4828). What such an entry says, its platform, stands in the package's name; npm skips it everywhere else.
//
// usage: node scripts/complete-lockfile.mjs [--check]      after every `npm install` that changes dependencies
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const text = readFileSync(path, "utf8");
const lock = JSON.parse(text);

const OS = { android: "android", darwin: "darwin", freebsd: "freebsd", linux: "linux", openharmony: "openharmony", win32: "win32", netbsd: "netbsd", openbsd: "openbsd", sunos: "sunos", aix: "aix" };
const CPU = { arm: "arm", armv7: "arm", arm64: "arm64", x64: "x64", ia32: "ia32", ppc64: "ppc64", riscv64: "riscv64", s390x: "s390x", loong64: "loong64", mips64el: "mips64el", wasm32: "wasm32" };

const added = [];
for (const [owner, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (owner === "" || lock.packages[`node_modules/${name}`] || lock.packages[`${owner}/node_modules/${name}`]) continue;
    const words = name.split("/").at(-1).split("-");
    const os = words.map((word) => OS[word]).find(Boolean);
    const cpu = words.map((word) => CPU[word]).find(Boolean);
    if (!/^\d/.test(version) || (!os && !cpu)) {
      console.error(`${name}@${version} of ${owner} is missing, and its name tells no platform`);
      process.exit(1);
    }
    const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") && os === "linux" ? ["glibc"] : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      optional: true,
      ...(os ? { os: [os] } : {}),
    };
    added.push(name);
  }
}
const resolved = (text.match(/"resolved"/g) ?? []).length;
if (process.argv.includes("--check")) {
  if (added.length > 0) console.error(`package-lock.json lacks ${added.length} platforms: node scripts/complete-lockfile.mjs`);
  if (resolved > 0) console.error("package-lock.json holds download addresses: install with this folder's .npmrc");
  process.exit(added.length + resolved > 0 ? 1 : 0);
}
const packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
console.log(`${added.length} entries added`);

// Completes package-lock.json with the optional packages of other platforms, and with integrity hashes.
//
// Compilers and linters publish one optional package for each platform. A registry mirror that holds only some of them makes
// `npm install` leave the others out of the lockfile, and then `npm ci` refuses it ("Missing: … from lock file", npm/cli
// issue 4828). Each entry is made from the registry's metadata, hash included; npm skips it on every other platform.
//
// usage: node scripts/complete-lockfile.mjs [--check]      after every `npm install` that changes dependencies
// --check asks no registry: it fails where a platform or a hash is missing, or where a download address was written.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

const CONCURRENT_REQUESTS = 4;
const path = new URL("../package-lock.json", import.meta.url);
const text = readFileSync(path, "utf8");
const lock = JSON.parse(text);

const missing = [];
for (const [owner, entry] of Object.entries(lock.packages)) {
  if (owner === "") continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] || lock.packages[`${owner}/node_modules/${name}`]) continue;
    missing.push({ place: `node_modules/${name}`, name, version, isDev: entry.dev === true });
  }
}
const withoutHash = Object.entries(lock.packages)
  .filter(([place, { integrity, link }]) => place !== "" && link !== true && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""))
  .map(([place, { version, name = place.split("node_modules/").at(-1) }]) => ({ place, name, version }));

if (process.argv.includes("--check")) {
  const problems = [
    ...missing.map(({ name, version }) => `${name}@${version} is missing`),
    ...withoutHash.map(({ name, version }) => `${name}@${version} has no sha512 integrity hash`),
  ];
  const addresses = (text.match(/"resolved"/g) ?? []).length;
  for (const problem of problems) console.error(`package-lock.json: ${problem}`);
  if (problems.length > 0) console.error("hint: run node scripts/complete-lockfile.mjs");
  if (addresses > 0) console.error(`package-lock.json: ${addresses} download addresses\nhint: run npm in this folder, whose .npmrc leaves them out`);
  process.exit(problems.length + addresses > 0 ? 1 : 0);
}

await inTurn(missing, async ({ place, name, version, isDev }) => {
  const { cpu, dist, engines, libc, license, os } = await metadata(name, version);
  lock.packages[place] = {
    version,
    integrity: dist.integrity,
    ...(cpu ? { cpu } : {}),
    ...(isDev ? { dev: true } : {}),
    ...(libc ? { libc } : {}),
    ...(license ? { license } : {}),
    optional: true,
    ...(os ? { os } : {}),
    ...(engines ? { engines } : {}),
  };
});
await inTurn(withoutHash, async ({ place, name, version }) => {
  const { version: locked, integrity: _, ...rest } = lock.packages[place];
  const { dist } = await metadata(name, version);
  lock.packages[place] = { version: locked, integrity: dist.integrity, ...rest };
});
const packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
console.log(`${missing.length} entries and ${withoutHash.length} integrity hashes added`);

/** What the configured registry says of one version. */
async function metadata(name, version) {
  const { stdout } = await promisify(execFile)("npm", ["view", `${name}@${version}`, "--json"], { maxBuffer: 2 ** 26 });
  const answer = JSON.parse(stdout);
  const one = Array.isArray(answer) ? answer.at(-1) : answer;
  if (!one?.dist?.integrity?.startsWith("sha512-")) throw new Error(`the registry has no sha512 hash of ${name}@${version}`);
  return one;
}

/** Does the work for every item, a few at a time. */
async function inTurn(items, work) {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, worker));
}

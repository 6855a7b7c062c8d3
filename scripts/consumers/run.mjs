// Lets every program that is here read files that the built rolefresh wrote, and holds what it read against what STS gave.
// Writes the table into docs/CONSUMERS.md and ends with a line `N passed, N failed, N skipped`.
// usage: node scripts/consumers/run.mjs [--go DIR] [--node-modules DIR] [--build DIR] [--no-report]
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { consumersIn } from "./consumers.mjs";
import { configFor, FILES } from "./files.mjs";
import { startS3 } from "./s3-service.mjs";
import { renderConsumers } from "./table.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { values } = parseArgs({
  options: {
    go: { type: "string", default: "/nonexistent" },
    "node-modules": { type: "string", default: "/nonexistent" },
    build: { type: "string", default: join(root, "build") },
    report: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const build = resolve(values.build);
const load = (path) => import(pathToFileURL(join(build, path)).href);
const { startSandbox } = await load("test/sandbox/sandbox.js");
const sigv4 = await load("test/sandbox/sigv4.js");

const sandbox = await startSandbox();
const s3 = await startS3({ keyOf: sandbox.keyOf, sigv4 });
const work = mkdtempSync(join(tmpdir(), "rolefresh-consumers-"));
let buckets = 0;

try {
  const files = [];
  for (const [number, file] of FILES.entries()) files.push({ ...file, ...(await write(file, join(work, `home-${number}`))) });
  const consumers = consumersIn({ goBinaries: values.go, nodeModules: values["node-modules"] });
  const rows = [];
  // Two at a time, as CI machines have two processors.
  const waiting = [...consumers];
  await Promise.all([1, 2].map(async () => {
    for (let consumer = waiting.shift(); consumer; consumer = waiting.shift()) rows.push(await readAll(consumer, files));
  }));
  rows.sort((a, b) => consumers.findIndex(({ name }) => name === a.name) - consumers.findIndex(({ name }) => name === b.name));
  const cells = rows.flatMap((row) => row.cells);
  if (values.report) {
    mkdirSync(join(root, "docs"), { recursive: true });
    writeFileSync(join(root, "docs", "CONSUMERS.md"), renderConsumers(rows, FILES));
  }
  const count = (outcome) => cells.filter((cell) => cell.outcome === outcome).length;
  const failed = count("failed");
  console.log(`${count("read") + count("proved")} passed, ${failed} failed, ${count("skipped")} skipped`);
  process.exitCode = failed === 0 && count("proved") > 0 ? 0 : 1;
} finally {
  await sandbox.stop();
  s3.stop();
  rmSync(work, { recursive: true, force: true });
}

/** Lets rolefresh write a file; what it holds for each profile is what the sandbox's STS issued last. */
async function write(file, home) {
  mkdirSync(join(home, ".aws"), { recursive: true, mode: 0o700 });
  const path = join(home, ".aws", "credentials");
  if (file.before !== undefined) writeFileSync(path, file.before, { mode: 0o600 });
  writeFileSync(join(home, ".aws", "rolefresh.ini"), configFor(file), { mode: 0o600 });
  const env = { HOME: home, PATH: "/usr/bin:/bin", ...sandbox.env };
  const issued = new Map();
  const { stdout } = await new Promise((settle, fail) => {
    execFile(process.execPath, [join(build, "src/bin.js"), "refresh", "--json"], { env, cwd: "/" }, (error, out, err) => (error ? fail(new Error(`rolefresh could not write '${file.name}': ${err}`)) : settle({ stdout: out })));
  });
  for (const { profile, access_key_id: id, outcome } of JSON.parse(stdout).profiles) {
    if (outcome !== "refreshed") throw new Error(`'${file.name}': ${profile} is ${outcome}`);
    issued.set(profile, sandbox.keyOf(id));
  }
  return { home, path, issued };
}

async function readAll(consumer, files) {
  const reason = consumer.missing();
  const cells = [];
  for (const file of files) cells.push(reason === undefined ? await readOne(consumer, file) : { outcome: "skipped", why: reason });
  const row = { name: consumer.name, version: reason === undefined ? consumer.version() : undefined, missing: reason, cells };
  const failures = cells.filter(({ outcome }) => outcome === "failed");
  console.log(`${failures.length === 0 ? (reason === undefined ? "ok     " : "skipped") : "FAILED "} ${row.name} ${row.version ?? `(${reason})`}`);
  for (const [n, cell] of cells.entries()) if (cell.outcome === "failed") console.log(`  ${FILES[n].name}: ${cell.why}`);
  return row;
}

/** The worst of what happened with the file's profiles. */
async function readOne(consumer, file) {
  const { profiles, home, path, issued } = file;
  let outcome = "proved";
  for (const profile of profiles) {
    const limit = consumer.cannot?.(profile, file);
    if (limit !== undefined) return { outcome: "skipped", why: limit };
    const bucket = `bucket-${++buckets}`;
    const env = { HOME: home, AWS_SHARED_CREDENTIALS_FILE: path, AWS_CONFIG_FILE: join(home, "no-config"), AWS_EC2_METADATA_DISABLED: "true", AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", LC_ALL: "C.UTF-8" };
    try {
      const told = await consumer.ask({ profile, sts: sandbox.stsUrl, s3: s3.url, bucket, env });
      const { problem, ...proof } = s3.proofOf(bucket) ?? {};
      if (problem !== undefined) throw new Error(problem);
      const found = { ...told, ...proof };
      const key = issued.get(profile);
      for (const name of ["accessKeyId", "secretAccessKey", "sessionToken"])
        if (found[name] !== key[name]) throw new Error(`[${profile}]: ${name} is not what STS gave (${found[name]?.length ?? 0} characters)`);
      if (found.arn === undefined) outcome = "read";
      else if (found.arn !== key.principal.arn) throw new Error(`[${profile}]: it is ${found.arn} and not ${key.principal.arn}`);
    } catch (error) {
      return { outcome: "failed", why: error.message };
    }
  }
  return { outcome };
}

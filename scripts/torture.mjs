// The runner behind scripts/torture: runs the suites of build/test/torture one after another and writes down what they
// counted. Ends with 1 when a promise was broken.
// usage: node scripts/torture.mjs [--minutes N] [--seed N] [--list] [--no-report] [--build DIR] [SUITE...]
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type as systemType } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "15" },
    seed: { type: "string" },
    list: { type: "boolean", default: false },
    report: { type: "boolean", default: true },
    build: { type: "string", default: "build" },
  },
  allowNegative: true,
});
const built = resolve(root, values.build, "test");
const { mergeRecords, renderReliability, renderTable } = await load(join(built, "support", "reliability-report.js"));

// The suites must see the same world on every machine, as the tests do (run-tests.mjs).
for (const name of Object.keys(process.env)) {
  if (/^(AWS_|GCE_|GOOGLE_|CLOUDSDK_|ROLEFRESH_|https?_proxy$|all_proxy$|no_proxy$|NODE_EXTRA_CA_CERTS$)/i.test(name)) delete process.env[name];
}
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

const names = readdirSync(join(built, "torture"))
  .filter((name) => name.endsWith(".js"))
  .map((name) => name.slice(0, -".js".length))
  .toSorted();
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.join(", ")}; there are: ${names.join(", ")}`);
  process.exit(64);
}
const suites = [];
for (const name of positionals.length > 0 ? positionals : names) {
  const { suite } = await load(join(built, "torture", `${name}.js`));
  suites.push({ name, ...suite });
}
if (values.list) {
  for (const { name, title } of suites) console.log(`${name.padEnd(24)} ${title}`);
  process.exit(0);
}

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const totalMs = Number(values.minutes) * 60_000;
const weights = suites.reduce((sum, { weight }) => sum + weight, 0);
const machine = `${systemType()} ${release().split("-")[0]}, ${availableParallelism()} CPUs (${cpus()[0]?.model.trim() ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GiB`;
const versions = `rolefresh ${JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version}, Node ${process.versions.node}`;

const records = [];
for (const { name, title, weight, run } of suites) {
  console.log(`\n${name}: ${title}`);
  const started = performance.now();
  const budgetMs = (totalMs * weight) / weights;
  const context = {
    budgetMs,
    isOver: () => performance.now() - started > budgetMs,
    seed,
    say: (line) => console.log(`  ${line}`),
  };
  let results;
  try {
    results = await run(context);
  } catch (error) {
    console.log(error);
    results = [{ name: "the suite runs to its end", tried: 1, failed: 1, note: String(error instanceof Error ? error.message : error) }];
  }
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(renderTable(results));
  records.push({ suite: name, title, date: new Date().toISOString(), seconds: Math.round(seconds), commit: commit(), seed, machine, versions, results });
  if (values.report) writeReport();
}

const broken = records.flatMap(({ results }) => results).reduce((sum, { failed }) => sum + failed, 0);
console.log(broken === 0 ? "no promise was broken" : `${broken} promises were broken (seed ${seed})`);
process.exit(broken === 0 ? 0 : 1);

/** After every suite: a run that is cut short keeps what it found. */
function writeReport() {
  const folder = join(root, "docs");
  mkdirSync(folder, { recursive: true });
  const data = join(folder, "reliability.json");
  // A suite that is no more has no figures any more.
  const all = mergeRecords(readRecords(data), records).filter(({ suite }) => names.includes(suite));
  writeFileSync(data, `${JSON.stringify(all, undefined, 2)}\n`);
  writeFileSync(join(folder, "RELIABILITY.md"), renderReliability(all));
}

function load(path) {
  return import(pathToFileURL(path).href);
}

function readRecords(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

function commit() {
  try {
    const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    const hash = execFileSync("git", ["rev-parse", "--short=10", "HEAD"], options).trim();
    const dirty = execFileSync("git", ["status", "--porcelain", "--", "src"], options).trim() !== "";
    return dirty ? `${hash} with changes` : hash;
  } catch {
    return "unknown";
  }
}

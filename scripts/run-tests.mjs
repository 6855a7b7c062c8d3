// Runs the built tests and ends with a line `N passed, N failed, N skipped` that counts what really ran.
// usage: node scripts/run-tests.mjs [FILE...]      default: every build/test/*/*.test.js
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, sep } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
// The slow ones first: what is quick fills the end.
const layers = ["e2e", "integration", "property", "unit"];
const all = layers.flatMap((layer) => {
  const folder = join(root, "build", "test", layer);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".test.js"))
    .toSorted()
    .map((name) => join(folder, name));
});
const files = process.argv.length > 2 ? process.argv.slice(2) : all;
if (files.length === 0) {
  console.error("no built tests: run 'npm run build' first");
  process.exit(1);
}

// A test must see the same world on every machine: nothing of the developer's AWS, Google or proxy settings.
for (const name of Object.keys(process.env)) {
  if (/^(AWS_|GCE_|GOOGLE_|CLOUDSDK_|ROLEFRESH_|https?_proxy$|all_proxy$|no_proxy$|NODE_EXTRA_CA_CERTS$)/i.test(name)) delete process.env[name];
}

// The SDK, which some tests use as a reader, would print seven lines for each of them on Node 20.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

const SLOWEST_SHOWN = 10;
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** Milliseconds of each file, its start included: Node.js reports the file itself as the longest of its tests. */
const durations = new Map();
// More files than processors: many wait for a lock to grow old or for cron's next minute. A file takes a minute at most on a quiet machine: only one that hangs takes so long.
const stream = run({ files, concurrency: availableParallelism() + 2, timeout: 900_000, execArgv: ["--enable-source-maps"] });
stream.on("test:pass", (event) => {
  if (event.details?.type === "suite") return;
  if (event.skip !== undefined) counts.skipped++;
  else counts.passed++;
});
stream.on("test:fail", (event) => {
  if (event.details?.type === "suite") return;
  counts.failed++;
  failures.push(`${event.file ?? ""}: ${event.name}`);
});
stream.on("test:complete", ({ file, nesting, details }) => {
  // Newer versions name the tests in a file by its source.
  if (nesting === 0 && file?.endsWith(".js")) durations.set(file, Math.max(durations.get(file) ?? 0, details?.duration_ms ?? 0));
});
stream.compose(new spec()).pipe(process.stdout);
stream.on("close", () => undefined);
process.on("exit", () => {
  const slowest = [...durations].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST_SHOWN);
  console.log(`slowest files: ${slowest.map(([file, ms]) => `${file.split(sep).slice(-2).join("/").replace(".test.js", "")} ${(ms / 1000).toFixed(1)} s`).join(", ")}`);
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
});

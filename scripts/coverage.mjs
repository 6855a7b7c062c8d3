// Prints how many lines of the given rooms the tests ran, and fails where a room stays below its share.
// usage: NODE_V8_COVERAGE=DIR node scripts/run-tests.mjs [FILE...] && node scripts/coverage.mjs DIR ROOM=PERCENT...
//        for example: node scripts/coverage.mjs coverage/raw src/sources=95 src/sts=95
// V8 writes what each test process ran; c8 maps it back to the TypeScript by the source maps.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [raw, ...wanted] = process.argv.slice(2);
const rooms = wanted.map((word) => {
  const [room = "", percent = ""] = word.split("=");
  return { room, percent: Number(percent || "0") };
});
if (raw === undefined || rooms.length === 0 || rooms.some(({ percent }) => Number.isNaN(percent))) {
  console.error("usage: node scripts/coverage.mjs DIR ROOM=PERCENT...");
  process.exit(64);
}

const c8 = join(dirname(createRequire(import.meta.url).resolve("c8/package.json")), "bin", "c8.js");
const reports = mkdtempSync(join(tmpdir(), "rolefresh-coverage-"));
const args = ["report", "--temp-directory", raw, "--reports-dir", reports, "--reporter", "json-summary", "--exclude-after-remap"];
for (const { room } of rooms) args.push("--include", `${room}/**`);
let summary;
try {
  const { status, stderr } = spawnSync(process.execPath, [c8, ...args], { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    console.error(`c8 failed: ${stderr}`);
    process.exit(70);
  }
  summary = JSON.parse(readFileSync(join(reports, "coverage-summary.json"), "utf8"));
} finally {
  rmSync(reports, { recursive: true, force: true });
}

for (const { room, percent } of rooms) {
  const files = Object.entries(summary)
    .filter(([file]) => file !== "total" && relative(root, file).startsWith(`${room}/`))
    .map(([file, { lines }]) => ({ file: relative(root, file), lines }));
  // V8 knows nothing of a file that no test loaded: all of its lines are missing, unless it holds types alone.
  for (const name of readdirSync(join(root, room)).filter((one) => one.endsWith(".ts"))) {
    const file = `${room}/${name}`;
    if (files.some((known) => known.file === file)) continue;
    const text = readFileSync(join(root, file), "utf8");
    if (!/^(export )?(async )?(function|const|let|class) /m.test(text)) continue;
    files.push({ file, lines: { total: text.split("\n").length, covered: 0, pct: 0 } });
  }
  const total = files.reduce((sum, { lines }) => sum + lines.total, 0);
  const covered = files.reduce((sum, { lines }) => sum + lines.covered, 0);
  const share = total === 0 ? 0 : (100 * covered) / total;
  console.log(`coverage: ${room}: ${covered} of ${total} lines in ${files.length} files, ${share.toFixed(1)} % (wanted ${percent} %)`);
  for (const { file, lines } of files.toSorted((a, b) => a.lines.pct - b.lines.pct)) {
    if (lines.pct < Math.max(percent, 95)) console.log(`coverage:   ${file}: ${lines.pct} %`);
  }
  if (share < percent) process.exitCode = 1;
}

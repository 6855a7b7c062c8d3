// Draws the map of ARCHITECTURE.md from the imports of src/: each room on the lowest floor that is above all it imports.
// usage: node scripts/house/map.mjs [--check | --figures]
//   --check: ends with 1 when ARCHITECTURE.md is out of date, or a room imports another that rooms.mjs does not allow
//   --figures: prints the size of each room
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { readImports, root, roomOf } from "./imports.mjs";
import { ENTRIES, ROOMS } from "./rooms.mjs";

const table = { ...ROOMS, ...ENTRIES };
const files = readImports();
const uses = new Map(Object.keys(table).map((room) => [room, new Set()]));
const wrong = [];
for (const [file, { imports }] of files) {
  const room = roomOf(file);
  if (room === "version.ts") continue;
  if (!uses.has(room)) wrong.push(`src/${file}: not in a room of scripts/house/rooms.mjs`);
  for (const to of imports) {
    const other = roomOf(to);
    if (other === room || other === "version.ts") continue;
    if (!files.has(to)) wrong.push(`src/${file} imports src/${to}, which does not exist`);
    if (!table[room]?.uses.includes(other)) wrong.push(`src/${file} imports src/${to}: ${room} may not use ${other}`);
    uses.get(room)?.add(other);
  }
}

if (process.argv.includes("--figures")) {
  const total = [...files.values()].reduce((sum, { lines }) => sum + lines, 0);
  for (const room of Object.keys(table)) {
    const own = [...files].filter(([file]) => roomOf(file) === room);
    const lines = own.reduce((sum, [, one]) => sum + one.lines, 0);
    console.log(`${room.padEnd(18)} ${String(own.length).padStart(3)} files ${String(lines).padStart(6)} lines ${((100 * lines) / total).toFixed(1).padStart(5)} %`);
  }
  console.log(`total ${total}`);
}

const page = join(root, "ARCHITECTURE.md");
const before = readFileSync(page, "utf8");
const after = before.replace(/(<!-- map:begin[^>]*-->\n)[\s\S]*?(<!-- map:end -->)/, (_, begin, end) => `${begin}${draw()}${end}`);
if (!process.argv.includes("--check")) writeFileSync(page, after);
else if (before !== after) wrong.push("the map in ARCHITECTURE.md is out of date: run 'node scripts/house/map.mjs'");
for (const line of wrong) console.error(line);
if (wrong.length > 0) process.exitCode = 1;

/** Longest path down to a room that imports nothing. A circle would have no floor. */
function floorOf(room, above = []) {
  if (above.includes(room)) throw new Error(`rooms import each other: ${[...above, room].join(" -> ")}`);
  return Math.max(0, ...[...(uses.get(room) ?? [])].map((one) => 1 + floorOf(one, [...above, room])));
}

function draw() {
  const rooms = [...uses.keys()].map((room) => ({ room, floor: floorOf(room) })).toSorted((a, b) => b.floor - a.floor || a.room.localeCompare(b.room));
  const rows = rooms.map(({ room }) => `| \`${room}${room.endsWith(".ts") ? "" : "/"}\` | ${table[room].duty} | ${shown(room)} |`);
  return `| room, top floor first | duty | imports |\n|---|---|---|\n${rows.join("\n")}\n`;
}

/** Left out: what a room reaches through another one as well, which would hide the picture in arrows; and `base`, which serves all. */
function shown(room) {
  const all = [...(uses.get(room) ?? [])].filter((one) => one !== "base");
  const reached = new Set(all.flatMap((one) => [...below(one)]));
  return all.filter((one) => !reached.has(one)).toSorted().map((one) => `\`${one}\``).join(", ") || "–";
}

function below(room, seen = new Set()) {
  for (const one of uses.get(room) ?? []) {
    if (seen.has(one)) continue;
    seen.add(one);
    below(one, seen);
  }
  return seen;
}

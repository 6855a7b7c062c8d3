// Every row of the table: what is measured, against what, and the target. A figure that misses its target is printed like
// any other.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { cpuWithChildren, median, ratioOf, usages, wallTimes } from "./measure.mjs";
import { findRecipes } from "./recipes.mjs";
import { BIN, home, nameOf, ROOT, startSandbox } from "./scene.mjs";

const BARE = { args: ["-e", "0"] };
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const round = (value, digits = 2) => Number(value.toFixed(digits));
const ms = (value) => `${round(value, value < 100 ? 1 : 0)} ms`;
const row = (work, against, measured, value, target) => ({ work, against, measured, target: target === undefined ? "" : `≤ ${target}`, met: target === undefined ? undefined : value <= target });

/** A tick with nothing due, against Node that does nothing. */
export function nothingDue(runs) {
  const one = home({ roles: 1, fresh: 1 });
  const ours = { args: [BIN], env: { HOME: one.path } };
  const bare = { ...BARE, env: ours.env };
  const [base, tick] = wallTimes([bare, ours], runs);
  const [used, tickUsed] = usages([bare, ours], runs);
  const wall = ratioOf(tick, base);
  const cpu = ratioOf(tickUsed.cpu, used.cpu);
  const memory = ratioOf(tickUsed.memory, used.memory);
  const against = "bare `node -e 0`";
  return [
    row("nothing due, 1 profile: wall", `${against}, ${ms(median(base))}`, `${round(wall)} × (${ms(median(tick))})`, wall, 1.15),
    row("nothing due, 1 profile: CPU", `${against}, ${ms(median(used.cpu))}`, `${round(cpu)} × (${ms(median(tickUsed.cpu))})`, cpu, 1.2),
    row("nothing due, 1 profile: peak memory", `${against}, ${round(median(used.memory), 1)} MB`, `${round(memory)} × (${round(median(tickUsed.memory), 1)} MB)`, memory, 1.15),
  ];
}

export function nothingDueAmongMany(runs) {
  const many = home({ roles: 1000, fresh: 1000, foreign: 49_000 });
  const env = { HOME: many.path };
  const read = { args: ["-e", "const { readFileSync } = require('fs'); readFileSync(process.argv[1]); readFileSync(process.argv[2])", many.config, many.credentials], env };
  const [base, tick] = wallTimes([read, { args: [BIN], env }], runs);
  const wall = ratioOf(tick, base);
  const against = `bare Node that reads the two files, ${ms(median(base))}`;
  return [row("nothing due, 1,000 profiles in a file of 50,000: wall", against, `${round(wall)} × (${ms(median(tick))})`, wall, 2)];
}

/** One Google role refreshed, against Node that does nothing and against what people use today. */
export async function oneRole(runs) {
  const sandbox = await startSandbox(0);
  try {
    const one = home({ roles: 1 });
    const env = { HOME: one.path, AWS_REGION: "eu-central-1", ...sandbox.env };
    const ours = { args: [BIN], env, before: one.forget };
    const [base, refreshed] = wallTimes([{ ...BARE, env }, ours], runs);
    const wall = ratioOf(refreshed, base);
    const rows = [row("one Google role refreshed: wall", `bare \`node -e 0\`, ${ms(median(base))}`, `${round(wall)} × (${ms(median(refreshed))})`, wall, 2.5)];
    const recipes = findRecipes();
    const fresh = home({ roles: 1, fresh: 1 });
    const served = { args: [BIN, "credential-process", "default"], env: { ...env, HOME: fresh.path } };
    const names = { shell: "curl + `aws sts` + `aws configure set` × 3", boto3: "a boto3 script that writes the file", janus: "janus-style `credential_process`, each call" };
    const notes = [];
    for (const [name, recipe] of Object.entries(recipes)) {
      if (typeof recipe === "string") {
        notes.push(`skipped: ${recipe}`);
        continue;
      }
      const theirs = { command: recipe, env: { ...env, HOME: one.path }, before: one.forget };
      const mine = name === "janus" ? served : ours;
      const few = Math.max(3, Math.round(runs / 4));
      const [walls, own] = wallTimes([theirs, mine], few);
      const [cpus, ownCpu] = cpuWithChildren([theirs, mine], few);
      const [slower, dearer] = [ratioOf(walls, own), ratioOf(cpus, ownCpu)];
      const work = name === "janus" ? "`rolefresh credential-process` with fresh keys" : "one Google role refreshed";
      const target = name === "shell" ? "≥ 8 × less CPU" : "ahead";
      rows.push({ work, against: names[name], measured: `${round(dearer, 1)} × less CPU (${ms(median(cpus))} : ${ms(median(ownCpu))}), ${round(slower, 1)} × faster (${ms(median(walls))} : ${ms(median(own))})`, target, met: name === "shell" ? dearer >= 8 : dearer > 1 && slower > 1 });
    }
    return { rows, notes };
  } finally {
    sandbox.stop();
  }
}

/** Many roles at once, against the time that the network alone takes. */
export async function manyRoles(runs, counts = [100, 1000]) {
  const [latencyMs, concurrency] = [50, 25];
  const sandbox = await startSandbox(latencyMs);
  try {
    const rows = [];
    const points = [];
    for (const roles of counts) {
      const scene = home({ roles });
      const env = { HOME: scene.path, ...sandbox.env };
      const ours = { args: [BIN, "refresh", "--concurrency", String(concurrency)], env, before: scene.forget };
      const [base, took] = wallTimes([{ ...BARE, env }, ours], runs);
      const ideal = Math.ceil(roles / concurrency) * latencyMs + median(base);
      const [used] = usages([ours], Math.min(runs, 3));
      const memory = Math.max(...used.memory);
      const [{ held }] = usages([{ ...ours, args: ["--expose-gc", ...ours.args] }], 1);
      const ratio = median(took) / ideal;
      points.push({ roles, ms: median(took), ideal, memory, held: median(held) });
      if (roles < 100) continue;
      rows.push(row(`${roles.toLocaleString("en")} roles, ${latencyMs} ms latency, concurrency ${concurrency}: wall`, `ideal: the network's time + bare Node, ${ms(ideal)}`, `${round(ratio)} × (${ms(median(took))})`, ratio, roles === 1000 ? 1.3 : undefined));
      rows.push(row(`${roles.toLocaleString("en")} roles: peak memory`, "", `${round(memory, 0)} MB`, memory, roles === 1000 ? 150 : undefined));
    }
    const [few, most] = [points.findLast(({ roles }) => roles <= 100), points.at(-1)];
    if (few && most && most !== few) {
      const perRole = ((most.held - few.held) * 1000) / (most.roles - few.roles);
      rows.push(row(`memory held at the end, ${few.roles} and ${most.roles.toLocaleString("en")} roles`, "flat", `${round(few.held, 1)} MB and ${round(most.held, 1)} MB: ${round(perRole, 1)} kB per role; the peak is what V8 had not collected yet`, 0));
    }
    return { rows, points };
  } finally {
    sandbox.stop();
  }
}

/** One profile changed in a file of so many sections, against a plain copy of the same bytes. */
export function fileEdit(runs, sections) {
  const scene = home({ roles: 1, fresh: 1, foreign: sections - 1 });
  const { plain, ours } = JSON.parse(execFileSync(process.execPath, ["--expose-gc", here("file-edit.mjs"), scene.credentials, nameOf(0), String(runs)], { encoding: "utf8" }));
  const bytes = readFileSync(scene.credentials).length;
  return { sections, bytes, plain: median(plain), ours: median(ours), ratio: ratioOf(ours, plain) };
}

export function fileEditRow({ sections, bytes, plain, ours, ratio }) {
  return row(`one profile changed in a file of ${sections.toLocaleString("en")} (${round(bytes / 1e6, 1)} MB)`, `plain read + write + fsync + rename, ${ms(plain)}`, `${round(ratio)} × (${ms(ours)})`, ratio);
}

export async function watchDay(hours, profiles) {
  const sandbox = await startSandbox(0);
  try {
    const scene = home({ roles: profiles });
    const result = spawnSync(process.execPath, ["--expose-gc", here("watch-day.mjs"), scene.path, String(hours)], { encoding: "utf8", env: { PATH: process.env.PATH, HOME: scene.path, ...sandbox.env }, maxBuffer: 1 << 26 });
    if (result.status !== 0) throw new Error(`the watch ended with ${result.status}: ${result.stderr}`);
    const { heap, cycles, peakMb } = JSON.parse(result.stdout);
    const idle = cycles.filter(({ refreshed }) => !refreshed).map((one) => one.ms);
    const half = heap.length >> 1;
    const growth = median(heap.slice(half)) - median(heap.slice(1, Math.max(2, half)));
    return [
      row(`\`watch\`, ${hours} simulated hours, ${profiles} profiles: growth of the heap from the first half to the second`, "no growth", `${round(growth, 1)} MB (${round(heap.at(-1) ?? 0, 1)} MB in use, ${round(peakMb, 0)} MB peak)`, growth, 1),
      row(`\`watch\`, ${profiles} profiles: CPU of a round with nothing due`, "", `${ms(median(idle))} (${cycles.length} rounds)`, 0),
    ];
  } finally {
    sandbox.stop();
  }
}

export function published() {
  const [{ unpackedSize, size, entryCount }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" }));
  return [
    row("installed size", "", `${round(unpackedSize / 1e6)} MB (${round(size / 1e6)} MB packed), no dependencies`, unpackedSize / 1e6, 5),
    row("files", "", String(entryCount), entryCount, 20),
  ];
}

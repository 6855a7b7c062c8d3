// In one process, in turn: a plain read + write + fsync + rename of a file, and the same file edited by the program's own
// `updateCredentialsFile` (lock, read, splice, guard, write, fsync, rename, fsync of the directory). Prints JSON.
// usage: node --expose-gc file-edit.mjs FILE PROFILE RUNS
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

import { Secret } from "../../build/src/base/secret.js";
import { resolveFile } from "../../build/src/safe-file/resolve-file.js";
import { updateCredentialsFile } from "../../build/src/refresh/update-credentials-file.js";

const [path, profile, runs] = process.argv.slice(2);
const clock = { now: () => new Date(), monotonicMs: () => performance.now(), random: Math.random, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };
const deadline = { signal: new AbortController().signal, remainingMs: () => 60_000, clear: () => undefined };
const [plain, ours] = [[], []];
for (let run = -2; run < Number(runs); run++) {
  // Each begins with an empty young generation: what one leaves is not to be collected in the other's time.
  globalThis.gc({ type: "minor" });
  const plainMs = timed(copy);
  globalThis.gc({ type: "minor" });
  const start = performance.now();
  await edit(run);
  const oursMs = performance.now() - start;
  if (run >= 0) (plain.push(plainMs), ours.push(oursMs));
}
console.log(JSON.stringify({ plain, ours }));

function timed(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function copy() {
  const bytes = readFileSync(path);
  const descriptor = openSync(`${path}.plain`, "wx", 0o600);
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${path}.plain`, path);
}

async function edit(run) {
  const keys = { accessKeyId: `ASIA${run + 10}`, secretAccessKey: new Secret(`secret${run}`), sessionToken: new Secret(`token${run}`), principalArn: "arn:aws:sts::123412341234:assumed-role/r/s", expiresAt: new Date(1_900_000_000_000) };
  const file = await resolveFile(path, process.geteuid());
  const edits = [{ profile, edit: { kind: "write", keys }, overwrite: true, stillWanted: () => true }];
  const { results } = await updateCredentialsFile({ file, writeMode: "atomic", edits }, { clock, deadline, uid: process.geteuid() });
  if (results.get(profile)?.kind !== "written") throw new Error(`not written: ${JSON.stringify(results.get(profile))}`);
}

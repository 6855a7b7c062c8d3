import assert from "node:assert/strict";
import { spawn } from "node:child_process";

import { OTHER_USER } from "./other-user.ts";

/** Only a hang misses it. */
const PATIENCE_MS = 60_000;

/** What another user does, as a script for Node.js: `fs` is node:fs, `quietly(work)` ignores what work throws. */
export interface Attack {
  /** Where the attacker works. */
  readonly directory: string;
  /** Run once, before the work under attack begins. */
  readonly setUp?: string;
  /** Run again and again. */
  readonly step: string;
}

/** Does the work while another user attacks; fails when the attack ended by itself before the work did. */
export async function underAttack<T>({ directory, setUp = "", step }: Attack, work: () => Promise<T>): Promise<T> {
  const script = `
    const fs = require("node:fs");
    const quietly = (work) => { try { work(); } catch {} };
    process.chdir(${JSON.stringify(directory)});
    ${setUp}
    process.stdout.write("attacking\\n");
    for (let round = 0; ; round++) { ${step} }`;
  const child = spawn(process.execPath, ["-e", script], {
    uid: OTHER_USER,
    gid: OTHER_USER,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  // Listened for from the start: an attacker that ended early has no event left to wait for.
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const isStarted = await within(
    "start of the attacker",
    new Promise<boolean>((resolve) => {
      child.stdout.once("data", () => resolve(true));
      child.once("error", () => resolve(false));
      void closed.then(() => resolve(false));
    }),
  );
  assert.ok(isStarted, `the attacker did not start: ${stderr}`);
  try {
    const result = await work();
    assert.equal(child.exitCode, null, `the attacker ended before the work: ${stderr}`);
    return result;
  } finally {
    child.kill("SIGKILL");
    await within("end of the attacker", closed);
  }
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

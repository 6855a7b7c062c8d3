// Homes with a config and a credentials file, and the loopback sandbox in a process of its own.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BIN = join(ROOT, "dist", "rolefresh.cjs");
export const ROLE = "arn:aws:iam::123412341234:role/my-gcp-role-20211031";

const folders = [];

export function removeHomes() {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** A home with `roles` Google profiles p0, p1, …; `fresh` and foreign sections are in the credentials file already. */
export function home({ roles, fresh = 0, foreign = 0 }) {
  const path = mkdtempSync(join(tmpdir(), "rolefresh-bench-"));
  folders.push(path);
  mkdirSync(join(path, ".aws"), { mode: 0o700 });
  const sections = Array.from({ length: roles }, (_, n) => `[${nameOf(n)}]\n`).join("");
  const defaults = `[*]\nrole_arn = ${ROLE}\nidentity = gcp-metadata\nregion = eu-central-1\n${roles > 1 ? "role_session_name = {profile}\n" : ""}\n`;
  const config = join(path, ".aws", "rolefresh.ini");
  const credentials = join(path, ".aws", "credentials");
  writeFileSync(config, defaults + sections, { mode: 0o600 });
  if (fresh + foreign > 0) writeFileSync(credentials, credentialsText(fresh, foreign, roles > 1), { mode: 0o600 });
  return { path, config, credentials, forget: () => rmSync(credentials, { force: true }) };
}

export const nameOf = (n) => (n === 0 ? "default" : `p${n}`);

/** About 205 bytes for each foreign section: 50,000 of them are 10 MB. */
export function credentialsText(fresh, foreign, isNamed = true) {
  const expires = new Date(Date.now() + 3600_000).toISOString().replace(/\.\d+Z$/, "Z");
  const ours = Array.from({ length: fresh }, (_, n) => {
    const session = isNamed ? nameOf(n).padEnd(2, "-") : "demo-project.legacy-vm";
    return `[${nameOf(n)}]\naws_access_key_id = ASIAFRESH${n}\naws_secret_access_key = ${"s".repeat(40)}\naws_session_token = ${"t".repeat(300)}\naws_security_token = ${"t".repeat(300)}\nx_principal_arn = arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/${session}\nx_security_token_expires = ${expires}\nmanager = rolefresh\n\n`;
  });
  const theirs = Array.from({ length: foreign }, (_, n) => `[team-${n}]\naws_access_key_id = AKIA${String(n).padStart(16, "0")}\naws_secret_access_key = ${"k".repeat(40)}\nregion = eu-central-1\noutput = json\n# asked for by team ${n}, see the wiki before you change it\n\n`);
  return theirs.slice(0, foreign >> 1).join("") + ours.join("") + theirs.slice(foreign >> 1).join("");
}

/** @returns what a child needs to talk to the sandbox, and `stop` */
export async function startSandbox(latencyMs) {
  const script = join(ROOT, "build", "test", "sandbox", "main.js");
  const child = spawn(process.execPath, [script, ...(latencyMs > 0 ? ["--latency", String(latencyMs)] : [])], { stdio: ["ignore", "pipe", "inherit"] });
  const env = await new Promise((resolve, reject) => {
    let text = "";
    child.on("error", reject).on("exit", (code) => reject(new Error(`the sandbox ended with ${code}`)));
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("ready\n")) resolve(Object.fromEntries([...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value])));
    });
  });
  child.removeAllListeners("exit");
  return { env, stop: () => void child.kill() };
}

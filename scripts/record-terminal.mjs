// Pictures of the real program on a terminal, for README.md: docs/images/{refresh,status,doctor}.svg.
// It runs in a tmux of its own against the loopback sandbox; what differs from run to run (the clock, the scratch home) is
// replaced, so that the same program makes the same pictures. usage: scripts/record-terminal [OUTPUT-DIRECTORY]
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { toSvg } from "./record-ansi-svg.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const build = join(root, process.env.BUILD_DIR ?? "build");
const { GCP_ROLE, startSandbox } = await import(join(build, "test/sandbox/sandbox.js"));
const output = process.argv[2] ?? join(root, "docs/images");
const COLUMNS = 106;
/** What the clock says in the pictures. */
const SHOWN_NOW = Date.UTC(2026, 10, 23, 9, 0, 0);

const CONFIG = `[default]
role_arn = arn:aws:iam::123412341234:role/Export
identity = gcp-metadata

[archive.nightly]
role_arn = arn:aws:iam::123412341234:role/Archive
identity = gcp-metadata
role_session_name = {profile}
duration_seconds = 43200

[billing]
role_arn = arn:aws:iam::999999999999:role/Billing
source_profile = default
`;

const CREDENTIALS = `# Keys of the build team. Ask Dana before you touch anything here!
[build]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
`;

const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), "rolefresh-record-"));
const socket = join(home, "tmux");
const tmux = (...args) => run("tmux", ["-S", socket, ...args]);
const trusting = (name) => ({ ...GCP_ROLE, arn: `arn:aws:iam::123412341234:role/${name}` });
/** In another account. */
const billing = {
  arn: "arn:aws:iam::999999999999:role/Billing",
  trustPolicy: { Statement: [{ Effect: "Allow", Principal: { AWS: trusting("Export").arn }, Action: "sts:AssumeRole" }] },
};
const sandbox = await startSandbox({
  roles: [trusting("Export"), trusting("Archive"), billing],
});

try {
  for (const folder of [".aws", "bin"]) mkdirSync(join(home, folder), { mode: 0o700 });
  writeFileSync(join(home, ".aws/rolefresh.ini"), CONFIG, { mode: 0o600 });
  writeFileSync(join(home, ".aws/credentials"), CREDENTIALS, { mode: 0o600 });
  const bin = join(build, "src/bin.js");
  writeFileSync(join(home, "bin/rolefresh"), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`, { mode: 0o755 });
  mkdirSync(output, { recursive: true });

  await picture("refresh", "rolefresh");
  // Some hours later, without a timer.
  expire("archive.nightly", 171);
  expire("billing", -74);
  await picture("status", "rolefresh status");
  await picture("doctor", "rolefresh doctor");
} finally {
  await tmux("kill-server").catch(() => undefined);
  await sandbox.stop();
  rmSync(home, { recursive: true, force: true });
}

/** Moves a profile's expiry in the file: the way to move time for a program in another process. */
function expire(profile, minutes) {
  const file = join(home, ".aws/credentials");
  const at = new Date(Date.now() + minutes * 60_000).toISOString().replace(/\.\d+Z$/, "Z");
  const [before, section] = readFileSync(file, "utf8").split(`[${profile}]`);
  const moved = section.replace(/(x_security_token_expires = ).*/, `$1${at}`);
  writeFileSync(file, `${before}[${profile}]${moved}`);
}

/** Runs a command on a terminal of its own and draws what is on it at the end. */
async function picture(name, command) {
  const env = { HOME: home, PATH: `${home}/bin:/usr/bin:/bin`, LANG: "C.UTF-8", ...sandbox.env };
  const assignments = Object.entries(env).map(([key, value]) => `${key}='${value}'`);
  const script = `env -i TERM=tmux-256color ${assignments.join(" ")} ${command}; tmux -S '${socket}' wait-for -S ${name}; exec sleep 60`;
  await tmux("-f", "/dev/null", "new-session", "-d", "-x", String(COLUMNS), "-y", "60", "-s", name, "sh", "-c", script);
  await tmux("wait-for", name);
  const { stdout } = await tmux("capture-pane", "-J", "-e", "-p", "-t", name);
  const screen = steady(stdout.trimEnd()).split("\n").flatMap(wrapped).join("\n");
  if (/undefined|\bat .*\.js:\d/.test(screen)) throw new Error(`${command} did not end well:\n${screen}`);
  writeFileSync(join(output, `${name}.svg`), toSvg({ command, screen, columns: COLUMNS, title: `${command} on a terminal` }));
  console.log(`docs/images/${name}.svg: ${screen.split("\n").length} lines`);
}

/** The same text for every run: times as if it were SHOWN_NOW, the home of somebody. */
function steady(text) {
  const shift = SHOWN_NOW - Date.now();
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, (time) => {
      const minute = Math.round((Date.parse(time) + shift) / 60_000) * 60_000;
      return new Date(minute).toISOString().replace(".000Z", "Z");
    })
    .replaceAll(new URL(sandbox.stsUrl).host, "127.0.0.1:41443")
    .replaceAll(sandbox.metadataHost, "127.0.0.1:41080")
    // The jitter is the host's own.
    .replaceAll(/(, due at) \S+/g, `$1 ${new Date(SHOWN_NOW + 27 * 60_000).toISOString().replace(".000Z", "Z")}`)
    .replaceAll(home, "/home/dana")
    .replaceAll(/\bdue for \S+/g, "due for 3h58m")
    .replaceAll(/\bbelongs to user \d+/g, "belongs to user 1000")
    .replaceAll(/\b\d+ ms\b/g, "12 ms")
    .replaceAll(/\bNode v[\d.]+/g, "Node v22.12.0");
}

/** As a terminal breaks a line, now that everything in it has its final length. */
function wrapped(line) {
  const rows = [""];
  let column = 0;
  for (const part of line.trimEnd().split(/(\u001b\[[\d;]*m)/)) {
    if (part.startsWith("\u001b")) {
      rows[rows.length - 1] += part;
      continue;
    }
    for (const character of part) {
      if (column === COLUMNS) {
        rows.push("");
        column = 0;
      }
      rows[rows.length - 1] += character;
      column++;
    }
  }
  return rows;
}

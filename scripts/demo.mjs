// The demo behind scripts/demo: the built program against the loopback sandbox, in a scratch home that is removed.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { startSandbox } from "../build/test/sandbox/sandbox.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "build/src/bin.js");

const CREDENTIALS = `# Keys of the build team. Ask Dana before you touch anything here!

[build]
aws_access_key_id     = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
s3 =
    max_concurrent_requests = 20

[default]   ; the nightly export, pasted by hand every morning
region = eu-central-1
aws_access_key_id: ASIAOLDOLDOLDOLDOLD1
aws_secret_access_key: old
aws_session_token: old

# end of file
`;

const CONFIG = `[*]
region = eu-central-1

[default]
role_arn = arn:aws:iam::123412341234:role/my-gcp-role-20211031
identity = gcp-metadata
audience = gcp

[archive.nightly]
role_arn = arn:aws:iam::123412341234:role/my-gcp-role-20211031
identity = gcp-metadata
role_session_name = {profile}
duration_seconds = 43200

[billing]
role_arn = arn:aws:iam::999999999999:role/Billing
source_profile = default
`;

// Reads the file as a legacy tool would (the AWS SDK's own profile chain) and asks STS whose keys these are.
const WHO_AM_I = `
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
const client = new STSClient({ region: "eu-central-1" });
const { Arn } = await client.send(new GetCallerIdentityCommand({}));
console.log(Arn);
`;

const home = mkdtempSync(join(tmpdir(), "rolefresh-demo-"));
const sandbox = await startSandbox();
const interrupted = () => process.exit(130);
process.on("SIGINT", interrupted).on("SIGTERM", interrupted);
process.on("exit", () => rmSync(home, { recursive: true, force: true }));

const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: home, ...sandbox.env };
const aws = join(home, ".aws");
const credentials = join(aws, "credentials");
mkdirSync(aws, { mode: 0o700 });
writeFileSync(credentials, CREDENTIALS, { mode: 0o600 });
writeFileSync(join(aws, "rolefresh.ini"), CONFIG, { mode: 0o600 });
const before = join(home, "before");
writeFileSync(before, redact(CREDENTIALS));

try {
  title("the config", "cat ~/.aws/rolefresh.ini");
  console.log(CONFIG);

  title("refresh what is due", "rolefresh refresh --verbose");
  await rolefresh("refresh", "--verbose");
  const calls = sandbox.calls.length;

  title("what changed in somebody's file (secrets redacted)", "diff -u credentials.before credentials");
  const after = join(home, "after");
  writeFileSync(after, redact(readFileSync(credentials, "utf8")));
  console.log(diff(before, after));

  title("refresh again: nothing is due, so no call is made and the file is left alone", "rolefresh refresh");
  await rolefresh("refresh");
  console.log(`(calls to STS and the metadata server: ${sandbox.calls.length - calls})`);

  title("where things stand", "rolefresh status");
  await rolefresh("status");

  title("proof: the AWS SDK reads the file, and STS says whose keys they are", "AWS_PROFILE=… get-caller-identity");
  const probe = join(root, "build", "who-am-i.mjs");
  writeFileSync(probe, WHO_AM_I);
  for (const profile of ["default", "archive.nightly", "billing"]) {
    const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
    const child = await run(process.execPath, [probe], { ...env, ...quiet, AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_PROFILE: profile });
    if (!/^arn:aws:sts::\d{12}:assumed-role\//.test(child)) throw new Error(`the keys of ${profile} do not work: ${child}`);
    console.log(`${profile.padEnd(16)} ${child.trim()}`);
  }
  rmSync(probe);
  console.log("\nThat was all on loopback; the scratch files are gone. README.md says how to do it for real.");
} finally {
  await sandbox.stop();
}

function title(text, command) {
  console.log(`\n--- ${text}\n$ ${command}`);
}

async function rolefresh(...args) {
  process.stdout.write(await run(process.execPath, [bin, ...args], env));
}

function run(command, args, environment) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`${args.join(" ")} ended with ${code}:\n${output}`))));
  });
}

function redact(text) {
  return text.replaceAll(/^(\s*(?:aws_secret_access_key|aws_session_token|aws_security_token)\s*[=:]\s*).*$/gm, "$1[redacted]");
}

function diff(one, other) {
  try {
    execFileSync("git", ["--no-pager", "diff", "--no-index", "--no-color", one, other], { encoding: "utf8" });
    return "";
  } catch (error) {
    return String(error.stdout).split("\n").slice(4).join("\n");
  }
}

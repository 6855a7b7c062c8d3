import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/sandbox.ts";
import { runBin, type RunOptions, type RunResult } from "./run-bin.ts";
import { type TempHome, tempHome } from "./temp-home.ts";

export const GCP_ARN = "arn:aws:iam::123412341234:role/my-gcp-role-20211031";
export const BILLING_ARN = "arn:aws:iam::999999999999:role/Billing";

/** One Google profile, as most people begin. */
export const ONE_ROLE = `[default]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`;

/** Two by web identity, one chained. */
export const THREE_ROLES = `${ONE_ROLE}
[prod.admin]
role_arn = ${GCP_ARN}
identity = gcp-metadata
role_session_name = {profile}

[billing]
role_arn = ${BILLING_ARN}
source_profile = default
`;

/** A machine on Google Cloud with a home directory, and AWS within reach: what an end-to-end test starts from. */
export interface Scene extends AsyncDisposable {
  readonly home: TempHome;
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the built program as cron would, in this home. */
  run(args: readonly string[], options?: Partial<RunOptions>): Promise<RunResult>;
  credentials(): Promise<string>;
}

export async function openScene(config: string | undefined, options: SandboxOptions = {}): Promise<Scene> {
  const home = await tempHome();
  const sandbox = await startSandbox(options);
  if (config !== undefined) await home.write(".aws/rolefresh.ini", config);
  const env = { HOME: home.path, PATH: "/usr/bin:/bin", ...sandbox.env };
  return {
    home,
    sandbox,
    env,
    run: (args, runOptions = {}) => runBin(args, { ...runOptions, env: { ...env, ...runOptions.env } }),
    credentials: () => readFile(home.credentials, "utf8"),
    async [Symbol.asyncDispose]() {
      await sandbox.stop();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** The `key = value` lines of a section, as a plain reader sees them. */
export function valuesOf(file: string, profile: string): Readonly<Record<string, string>> {
  const lines = file.split(/\r?\n/);
  const start = lines.indexOf(`[${profile}]`);
  assert.notEqual(start, -1, `no section [${profile}] in:\n${file}`);
  const values: Record<string, string> = {};
  for (const line of lines.slice(start + 1)) {
    if (line.startsWith("[")) break;
    const equals = line.indexOf("=");
    if (equals > 0) values[line.slice(0, equals).trim()] = line.slice(equals + 1).trim();
  }
  return values;
}

/** Rewrites a profile's expiry in the file: the way to move time for a program in another process. */
export function expiringIn(file: string, profile: string, ms: number): string {
  const expires = new Date(Date.now() + ms).toISOString().replace(/\.\d+Z$/, "Z");
  const start = file.indexOf(`[${profile}]`);
  return (
    file.slice(0, start) +
    file.slice(start).replace(/x_security_token_expires = .*/, `x_security_token_expires = ${expires}`)
  );
}

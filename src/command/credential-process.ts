import { startDeadline } from "../base/deadline.ts";
import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { Secret } from "../base/secret.ts";
import type { CredentialProcessInvocation } from "../command-line/invocation.ts";
import { openReporter, type Reporter } from "../output/report.ts";
import { readConfig } from "../config/read.ts";
import { parseRoleArn, roleArnHint } from "../config/role-arn.ts";
import type { RoleSession } from "../sts/session.ts";
import type { World } from "../base/world.ts";
import { type Loaded, loadIfConfigured, loadProfiles } from "../refresh/load.ts";
import { readyProfile } from "../refresh/ready-profile.ts";
import { openRoleSessions } from "../refresh/role-sessions.ts";

/** What is printed, of a session from the file or from STS. */
interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: Secret;
  readonly expiresAt: Date | undefined;
}

/**
 * Prints the keys of a profile as SDKs expect it of a `credential_process` (AWS CLI User Guide, "Sourcing credentials with
 * an external process"); nothing on standard output when it fails.
 *
 * A configured profile is refreshed in the file when it is due. The ARN of a role that no profile has is served as
 * doitintl/janus serves it (identity of the Google metadata server, audience `gcp`, the same session name): from STS each
 * time, with no file read or written, because no section belongs to it.
 *
 * @returns 0
 * @throws Failure USAGE without a name or for one that is no profile and no role, CONFIG_*, and what getting a session throws
 */
export async function credentialProcess(invocation: CredentialProcessInvocation, world: World): Promise<number> {
  const { global, config } = invocation;
  const reporter = openReporter(world, global);
  const name = invocation.name ?? (world.env["AWS_JANUS_ROLE"] || undefined);
  if (name === undefined) {
    throw new Failure("USAGE", "no profile or role is named", {
      hint: "run rolefresh credential-process PROFILE|ROLE_ARN, or set AWS_JANUS_ROLE",
    });
  }
  // A role's ARN needs no config.
  const loaded = await (name.startsWith("arn:") ? loadIfConfigured : loadProfiles)(config, world);
  const profile = loaded && profileFor(name, loaded);
  const keys =
    loaded && profile !== undefined
      ? await readyProfile(profile, loaded, { global, reporter }, world)
      : await assumeUnconfigured(name, invocation, reporter, world);
  world.interrupted.throwIfAborted();
  world.out.write(`${toJson(keys)}\n`);
  return 0;
}

/** The configured profile for a name, or undefined for a role that no profile has. */
function profileFor(name: string, { config }: Loaded): string | undefined {
  const names = config.profiles.map((spec) => spec.profile);
  if (names.includes(name) || !name.startsWith("arn:")) return name;
  const [first, second] = config.profiles.filter(({ role }) => role?.arn === name).map(({ profile }) => profile);
  if (second === undefined) return first;
  throw new Failure("USAGE", `the profiles '${first}' and '${second}' both have the role ${name}`, {
    hint: "name the profile: rolefresh credential-process PROFILE",
  });
}

async function assumeUnconfigured(
  arn: string,
  { global, config }: CredentialProcessInvocation,
  reporter: Reporter,
  world: World,
): Promise<RoleSession> {
  if (!parseRoleArn(arn)) {
    throw new Failure("USAGE", `'${arn.slice(0, 100)}' is not the ARN of an IAM role`, { hint: roleArnHint(arn) });
  }
  const inline = { profile: "default", values: new Map([["role_arn", arn] as const]) };
  const { profiles } = await readConfig({ ...config, configFile: undefined, inline }, world);
  const [spec] = profiles;
  if (!spec) throw new Error("the config-free form has one profile");
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  const sessions = openRoleSessions({ world, deadline, reporter });
  try {
    reporter.detail(`no configured profile has ${arn}; assuming it without a credentials file`);
    return await sessions.obtain(spec, () => {
      throw new Error("a web identity needs no keys");
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "INTERRUPTED") throw error;
    throw new Failure(error.code, `role ${arn}: ${error.message}`, { hint: error.hint, cause: error });
  } finally {
    sessions.close();
    deadline.clear();
  }
}

function toJson({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: Keys): string {
  return JSON.stringify({
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey.reveal(),
    SessionToken: sessionToken.reveal(),
    ...(expiresAt ? { Expiration: renderInstant(expiresAt) } : {}),
  });
}

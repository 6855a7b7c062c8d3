import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { ExecInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import type { Environment, World } from "../base/world.ts";
import { becomeChild } from "./child.ts";
import { loadProfiles } from "../refresh/load.ts";
import { type ReadyProfile, readyProfile } from "../refresh/ready-profile.ts";

/**
 * Variables that override the profile: keys in every SDK (Java v1 and Go v1 know two more names), a web identity in
 * botocore, Java v2 and PHP, and `AWS_DEFAULT_PROFILE`, which botocore prefers (botocore session.py, SESSION_VARIABLES).
 */
const SHADOWING = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
  "AWS_ACCESS_KEY",
  "AWS_SECRET_KEY",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_DEFAULT_PROFILE",
];

/**
 * Refreshes a profile if it is due, then runs the command in rolefresh's place. The command is not started when the
 * profile has no valid keys.
 *
 * @returns the command's exit status
 * @throws Failure the refresh's; COMMAND_NOT_FOUND (127), COMMAND_NOT_EXECUTABLE (126)
 */
export async function exec(invocation: ExecInvocation, world: World): Promise<number> {
  const { global, config, command } = invocation;
  const reporter = openReporter(world, global);
  const loaded = await loadProfiles(config, world);
  const name = invocation.profile ?? loaded.config.profiles[0]?.profile;
  if (name === undefined) throw new Failure("USAGE", "no profile is configured");
  const ready = await readyProfile(name, loaded, { global, reporter }, world);
  return await becomeChild(command, environmentFor(ready, world.env, invocation.exportKeys), world);
}

/** The parent's environment, pointed at the profile. */
export function environmentFor(ready: ReadyProfile, parent: Environment, exportKeys: boolean): Environment {
  const kept = Object.entries(parent).filter(([name]) => !SHADOWING.includes(name));
  return {
    ...Object.fromEntries(kept),
    AWS_PROFILE: ready.spec.profile,
    AWS_SHARED_CREDENTIALS_FILE: ready.path,
    ...(exportKeys ? keyVariables(ready) : {}),
  };
}

/** For tools that read nothing but the environment. */
function keyVariables(ready: ReadyProfile): Environment {
  const token = ready.sessionToken.reveal();
  const { region, isRegionConfigured } = ready.spec.endpoint;
  return {
    AWS_ACCESS_KEY_ID: ready.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ready.secretAccessKey.reveal(),
    AWS_SESSION_TOKEN: token,
    // boto2 knows only this name.
    AWS_SECURITY_TOKEN: token,
    ...(ready.expiresAt ? { AWS_CREDENTIAL_EXPIRATION: renderInstant(ready.expiresAt) } : {}),
    // botocore reads AWS_DEFAULT_REGION alone, most others AWS_REGION first.
    ...(isRegionConfigured ? { AWS_REGION: region, AWS_DEFAULT_REGION: region } : {}),
  };
}

import { Failure } from "../base/failure.ts";
import { findExposure } from "../safe-file/strict-modes.ts";

/**
 * Refuses a job of the system that would run as root by a config that somebody else can change: whoever can, runs commands
 * as root then. The job would refuse it too, but nobody would see that before the keys expire.
 *
 * @param configFile absolute
 * @throws Failure CONFIG_INVALID
 */
export async function refuseExposedConfig(configFile: string): Promise<void> {
  const exposure = await findExposure(configFile);
  if (!exposure) return;
  throw new Failure("CONFIG_INVALID", `root's job would not use the config ${configFile}: ${exposure.reason}`, {
    hint: "let it run as that user with --run-as USER, or move the config to /etc/rolefresh.ini",
  });
}

import { join } from "node:path";

import type { World } from "../base/world.ts";
import type { InitInvocation } from "../command-line/invocation.ts";
import { composeConfig } from "../init/compose.ts";
import { writeConfigFile } from "../init/config-file.ts";
import { openReporter } from "../output/report.ts";
import { shellWord } from "../base/shell-word.ts";

/**
 * Writes a commented config that `refresh` accepts, and prints what to run next.
 *
 * @returns 0
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED, and what `composeConfig` throws
 */
export async function init(invocation: InitInvocation, world: World): Promise<number> {
  const { global } = invocation;
  const reporter = openReporter(world, global);
  const inform = (message: string) => reporter.info(message);
  const { profile, ...config } = await composeConfig(invocation, { world, timeoutMs: global.timeoutMs, inform });
  if (invocation.dryRun) {
    world.out.write(config.text);
    return 0;
  }
  await writeConfigFile(config, world);
  const next = nextCommands(profile, config.path, world);
  if (global.json) {
    const output = { config_file: config.path, profile, next: next.map(([, command]) => command) };
    world.out.write(`${JSON.stringify(output)}\n`);
    return 0;
  }
  reporter.info(`wrote ${config.path}`);
  for (const [purpose, command] of next) reporter.info(`${purpose}: ${command}`);
  return 0;
}

/** What to run next and why, with `--config` where `refresh` would not look by itself. */
function nextCommands(profile: string, path: string, world: World): readonly (readonly [string, string])[] {
  const usual = world.home === undefined ? undefined : join(world.home, ".aws", "rolefresh.ini");
  const isFound = [world.env["ROLEFRESH_CONFIG"], usual].includes(path);
  const option = isFound ? "" : ` --config ${shellWord(path)}`;
  return [
    ["first let the role trust this identity", `rolefresh trust-policy${option} ${shellWord(profile)}`],
    ["then write the credentials", `rolefresh refresh${option}`],
    ["then keep them fresh", `rolefresh schedule systemd${option}`],
  ];
}

import { CONFIG_KEYS, type ConfigKey } from "../../config/keys.ts";
import { type CommandLine, type Flags, grouped, INLINE_FLAGS, readFlag, readGlobal, readText } from "../options.ts";

const FLAGS: Flags = {
  force: { type: "boolean", alias: "f", describe: "replace a config file that is there already" },
  "dry-run": { type: "boolean", alias: "n", describe: "print the config instead of writing it" },
};

/** `rolefresh init`; every config key is a flag. */
export const initCommandLine: CommandLine = {
  command: "init",
  describe: "write a commented config, asking on a terminal, from flags otherwise",
  build: (command) =>
    command
      .options(grouped(FLAGS, "Options of init:"))
      .options(grouped(INLINE_FLAGS, "What to write, instead of being asked:")),
  read: (parsed) => {
    const values = new Map<ConfigKey, string>();
    for (const { name } of CONFIG_KEYS) {
      const value = readText(parsed, name.replaceAll("_", "-"));
      if (value !== undefined) values.set(name, value);
    }
    return {
      kind: "init",
      global: readGlobal(parsed),
      configFile: readText(parsed, "config"),
      profile: readText(parsed, "profile"),
      values,
      force: readFlag(parsed, "force"),
      dryRun: readFlag(parsed, "dry-run"),
    };
  },
};

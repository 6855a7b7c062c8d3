import {
  type CommandLine,
  EPILOGUE,
  type Flags,
  grouped,
  readConfigOptions,
  readFlag,
  readGlobal,
  readWords,
  usage,
} from "../options.ts";

const FLAGS: Flags = {
  "dry-run": { type: "boolean", alias: "n", describe: "show what would be removed, write nothing" },
};

/** `rolefresh remove PROFILE…`; Failure USAGE without a profile: it never means all. */
export const removeCommandLine: CommandLine = {
  command: "remove [profiles..]",
  describe: "take a profile's keys (and its section, if nothing else is in it) out of the credentials file",
  build: (command) =>
    command
      .usage("$0 remove PROFILE…")
      .positional("profiles", {
        type: "string",
        array: true,
        describe: "profiles to remove; they need not be configured any more",
      })
      .options(grouped(FLAGS, "Options of remove:"))
      .epilogue(EPILOGUE),
  read: (parsed) => {
    const profiles = [...new Set(readWords(parsed, "profiles"))];
    if (profiles.length === 0) throw usage("remove which profile?", "name it: rolefresh remove PROFILE…");
    return {
      kind: "remove",
      global: readGlobal(parsed),
      config: readConfigOptions(parsed),
      profiles,
      dryRun: readFlag(parsed, "dry-run"),
    };
  },
};

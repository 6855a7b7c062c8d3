import { type CommandLine, type Flags, grouped, onProfiles, readFlag, readOnProfiles } from "../options.ts";

const FLAGS: Flags = {
  force: { type: "boolean", alias: "f", describe: "refresh even what is not due" },
  "dry-run": { type: "boolean", alias: "n", describe: "show what would be done: no STS call, no write" },
};

/** `rolefresh [refresh] [PROFILE…]`, also what runs when no command is named. */
export const refreshCommandLine: CommandLine = {
  command: ["$0 [profiles..]", "refresh [profiles..]"],
  describe: "refresh what is due, write, exit (the default)",
  build: (command) => onProfiles(command).options(grouped(FLAGS, "Options of refresh:")),
  read: (parsed) => ({
    kind: "refresh",
    ...readOnProfiles(parsed),
    force: readFlag(parsed, "force"),
    dryRun: readFlag(parsed, "dry-run"),
  }),
};

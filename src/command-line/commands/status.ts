import { type CommandLine, type Flags, grouped, onProfiles, readDuration, readOnProfiles } from "../options.ts";

const FLAGS: Flags = {
  "min-ttl": {
    type: "string",
    requiresArg: true,
    describe: "exit with 1 when a profile has less than this left, for example 10m",
  },
};

/** `rolefresh status [PROFILE…]` */
export const statusCommandLine: CommandLine = {
  command: "status [profiles..]",
  describe: "show each profile's state and time left",
  build: (command) => onProfiles(command).options(grouped(FLAGS, "Options of status:")),
  read: (parsed) => ({ kind: "status", ...readOnProfiles(parsed), minTtlMs: readDuration(parsed, "min-ttl") }),
};

import { type CommandLine, type Flags, grouped, onProfiles, readOnProfiles, readText } from "../options.ts";

const FLAGS: Flags = {
  "health-file": {
    type: "string",
    requiresArg: true,
    describe: "keep this file while every profile has valid credentials, for liveness and readiness probes",
  },
};

/** `rolefresh watch [PROFILE…]` */
export const watchCommandLine: CommandLine = {
  command: "watch [profiles..]",
  describe: "stay, and refresh each profile when it becomes due; SIGHUP reads the config again",
  build: (command) => onProfiles(command).options(grouped(FLAGS, "Options of watch:")),
  read: (parsed) => ({ kind: "watch", ...readOnProfiles(parsed), healthFile: readText(parsed, "health-file") }),
};

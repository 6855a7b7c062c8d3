import { type CommandLine, onProfiles, readOnProfiles } from "../options.ts";

/** `rolefresh check [PROFILE…]` */
export const checkCommandLine: CommandLine = {
  command: "check [profiles..]",
  describe: "exit with 0 when something is due, 1 when nothing is, 255 on error",
  build: onProfiles,
  read: (parsed) => ({ kind: "check", ...readOnProfiles(parsed) }),
};

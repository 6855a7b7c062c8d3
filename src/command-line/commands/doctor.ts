import { type CommandLine, onProfiles, readOnProfiles } from "../options.ts";

/** `rolefresh doctor [PROFILE…]` */
export const doctorCommandLine: CommandLine = {
  command: "doctor [profiles..]",
  describe: "look at everything between here and AWS, say what is wrong and what to type",
  build: onProfiles,
  read: (parsed) => ({ kind: "doctor", ...readOnProfiles(parsed) }),
};

import { type CommandLine, EPILOGUE, readConfigOptions, readGlobal, readText } from "../options.ts";

/** `rolefresh credential-process [PROFILE|ROLE_ARN]` */
export const credentialProcessCommandLine: CommandLine = {
  command: "credential-process [name]",
  describe: "print a profile's keys as the JSON of credential_process, from the file when fresh",
  build: (command) =>
    command
      .usage("$0 credential-process [PROFILE|ROLE_ARN]")
      .positional("name", { type: "string", describe: "a profile or the ARN of a role (default: $AWS_JANUS_ROLE)" })
      .epilogue(EPILOGUE),
  read: (parsed) => ({
    kind: "credential-process",
    global: readGlobal(parsed),
    config: readConfigOptions(parsed),
    name: readText(parsed, "name"),
  }),
};

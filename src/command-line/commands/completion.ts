import { SHELLS } from "../../completion/script.ts";
import { didYouMean } from "../../config/did-you-mean.ts";
import { type CommandLine, readText, usage } from "../options.ts";

/** `rolefresh completion SHELL`; Failure USAGE for a shell that has no script. */
export const completionCommandLine: CommandLine = {
  command: "completion [shell]",
  describe: "print the completion script of a shell: source <(rolefresh completion bash)",
  build: (command) =>
    command
      .usage(`$0 completion ${SHELLS.join("|")}`)
      .positional("shell", { type: "string", describe: SHELLS.join(", ") }),
  read: (parsed) => {
    const name = readText(parsed, "shell");
    const hint = `choose one of ${SHELLS.join(", ")}`;
    if (name === undefined) throw usage("completion for which shell?", hint);
    const shell = SHELLS.find((known) => known === name);
    if (!shell) throw usage(`no shell '${name}' is known`, didYouMean(name.toLowerCase(), SHELLS) ?? hint);
    return { kind: "completion", shell };
  },
};

import type { ExecInvocation } from "../invocation.ts";
import {
  type CommandLine,
  EPILOGUE,
  type Flags,
  grouped,
  INLINE_FLAGS,
  type Parsed,
  readConfigOptions,
  readFlag,
  readGlobal,
  readText,
  readWords,
  usage,
} from "../options.ts";

const FLAGS: Flags = {
  env: { type: "boolean", describe: "export the keys too, for a command that reads only the environment" },
};

const HINT = "write -- before the command: rolefresh exec PROFILE -- COMMAND…";

/** `rolefresh exec PROFILE -- COMMAND…`; Failure USAGE without a command. */
export const execCommandLine: CommandLine = {
  command: "exec [name] [command..]",
  describe: "refresh a profile if it is due, then become the command: exec PROFILE -- COMMAND…",
  hint: HINT,
  build: (command) =>
    command
      .usage("$0 exec PROFILE -- COMMAND…")
      // What follows `--` is the command's, to the letter.
      .parserConfiguration({
        "populate--": true,
        "parse-numbers": false,
        "parse-positional-numbers": false,
        "camel-case-expansion": false,
        "dot-notation": false,
        "boolean-negation": false,
      })
      .positional("name", { type: "string", describe: "the profile to refresh" })
      .positional("command", { type: "string", array: true, describe: "what to run" })
      .options(grouped(FLAGS, "Options of exec:"))
      .options(grouped(INLINE_FLAGS, "One role without a config file:"))
      .epilogue(EPILOGUE),
  read,
};

function read(parsed: Parsed, argv: readonly string[]): ExecInvocation {
  const global = readGlobal(parsed);
  const config = readConfigOptions(parsed);
  const first = readText(parsed, "name");
  const words = [...(first === undefined ? [] : [first]), ...readWords(parsed, "command")];
  const { names, command } = split(words, readWords(parsed, "--"), argv, config.inline !== undefined);
  const [name, extra] = names;
  if (extra !== undefined) throw usage(`'${extra}' stands before --, where only the profile does`, HINT);
  if (config.inline && name !== undefined)
    throw usage(`'${name}' cannot stand next to --role-arn`, "name the section to write with --profile");
  if (!config.inline && name === undefined) throw usage("exec with which profile?", HINT);
  if (command.length === 0) throw usage("there is no command to run", HINT);
  return { kind: "exec", global, config, profile: name, command, exportKeys: readFlag(parsed, "env") };
}

/**
 * The words before and after `--`. Without one, the command is what follows the profile, as long as no option stands
 * among its words: nobody could tell whose that is.
 */
function split(
  words: readonly string[],
  after: readonly string[],
  argv: readonly string[],
  isInline: boolean,
): { readonly names: readonly string[]; readonly command: readonly string[] } {
  if (argv.includes("--")) return { names: words, command: after };
  const names = isInline ? 0 : 1;
  const command = words.slice(names);
  const tail = argv.slice(argv.length - words.length);
  if (command.length > 0 && !tail.every((word, index) => word === words[index]))
    throw usage("there is an option behind the profile, which may be the command's or rolefresh's", HINT);
  return { names: words.slice(0, names), command };
}

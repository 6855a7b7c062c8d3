import yargs, { type Argv, type Options } from "yargs";

import { COMMANDS, DEFAULT_COMMAND, EPILOGUE } from "./commands.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { runsCommand } from "./parse.ts";
import type { CommandSpec, OptionGroup } from "./spec.ts";

/**
 * The help text of the program, or of one command. Nothing else uses or loads yargs.
 *
 * @param columns the terminal's width
 */
export async function renderHelp(command: string | undefined, columns: number | undefined): Promise<string> {
  const text = await helpParser(command === undefined ? [] : [command], columns).getHelp();
  return `${text.trimEnd()}\n`;
}

/** The table as a yargs parser, which also shows what `parse` is compared with in tests. */
export function helpParser(argv: readonly string[], columns: number | undefined): Argv {
  const parser = yargs([...argv])
    // The table has both.
    .help(false)
    .version(false)
    .scriptName("rolefresh")
    // Scripts match the text: it does not follow $LANG.
    .locale("en")
    .parserConfiguration(CONFIGURATION)
    .usage("$0 [command] [PROFILE…]\n\nKeeps AWS role credentials fresh in ~/.aws/credentials.")
    .options(toYargs({ heading: "Options:", options: GLOBAL_OPTIONS }))
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(columns ?? 100, 100))
    .epilogue(EPILOGUE);
  for (const command of COMMANDS) {
    const words = command.positionals.map(({ name, isList }) => (isList ? `[${name}..]` : `[${name}]`));
    const forms = command === DEFAULT_COMMAND ? ["$0", command.name] : [command.name];
    parser.command(
      forms.map((form) => [form, ...words].join(" ")),
      command.describe,
      (own) => buildCommand(own, command, argv[0] === command.name),
      () => undefined,
    );
  }
  return parser;
}

const CONFIGURATION = {
  "parse-numbers": false,
  "parse-positional-numbers": false,
  "camel-case-expansion": false,
  "dot-notation": false,
  "boolean-negation": false,
};

function buildCommand(own: Argv, command: CommandSpec, isNamed: boolean): Argv {
  const { positionals } = command;
  if (isNamed) own.usage(`$0 ${command.synopsis}\n\n${command.describe}`);
  own.epilogue(EPILOGUE);
  own.parserConfiguration({ ...CONFIGURATION, "populate--": runsCommand(command) });
  for (const { name, describe, isList } of positionals)
    own.positional(name, { type: "string", describe, ...(isList && { array: true, default: undefined }) });
  for (const group of command.groups) own.options(toYargs(group));
  return own;
}

function toYargs({ heading, options }: OptionGroup): Record<string, Options> {
  return Object.fromEntries(
    options.map(({ name, letter, describe, value, default: initial }): [string, Options] => [
      name,
      {
        describe: `${describe}${initial === undefined ? "" : ` (default: ${initial})`}${value === undefined ? "" : ` [${value}]`}`,
        group: heading,
        ...(letter !== undefined && { alias: letter }),
        ...(value === undefined ? { type: "boolean" } : { requiresArg: true }),
      },
    ]),
  );
}

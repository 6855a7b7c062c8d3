import yargs, { type Argv } from "yargs";

import { COMMAND_LINES } from "./args.ts";
import type { CommandInfo, OptionInfo } from "../completion/command-info.ts";
import { GLOBAL_FLAGS, grouped } from "./options.ts";

/*
 * The command line as data, for completion and the man page: read out of the very yargs definitions that parse it, so that
 * the three cannot differ. yargs shows what it was told only through objects that its types do not name, hence the care.
 */

/** Every command that the help shows, in its order. */
export function describeCommands(): readonly CommandInfo[] {
  return COMMAND_LINES.map((line) => {
    const forms = typeof line.command === "string" ? [line.command] : line.command;
    const [name = "", ...words] = (forms.find((form) => !form.startsWith("$0")) ?? "").split(" ");
    const built = line.build(yargs([]).scriptName("rolefresh"));
    const descriptions = descriptionsOf(built);
    const positionals = words.map((word) => {
      const [, positional = "", dots] = /^[[<](.*?)(\.\.)?[\]>]$/.exec(word) ?? [];
      return { name: positional, isList: dots !== undefined, describe: descriptions.get(positional) ?? "" };
    });
    return {
      name,
      isDefault: forms.some((form) => form.startsWith("$0")),
      describe: line.describe,
      synopsis: synopsisOf(built) ?? ["rolefresh", name, ...words].join(" ").replace("[profiles..]", "[PROFILE…]"),
      positionals,
      options: optionsOf(built, new Set(positionals.map((positional) => positional.name))),
    };
  });
}

/** The options of every command. */
export function describeGlobalOptions(): readonly OptionInfo[] {
  return optionsOf(
    yargs([])
      .options(grouped(GLOBAL_FLAGS, "Options:"))
      .help("help", "show this help")
      .alias("help", "h")
      .version("version", "show the version", "")
      .alias("version", "V"),
    new Set(),
    new Set(),
  );
}

const BUILT_IN: ReadonlySet<string> = new Set(["help", "version"]);

function optionsOf(
  built: Argv,
  positionals: ReadonlySet<string>,
  leftOut: ReadonlySet<string> = BUILT_IN,
): readonly OptionInfo[] {
  const options = call(built, "getOptions");
  const aliases = new Map(entriesOf(valueOf(options, "alias")).map(([name, names]) => [name, stringsOf(names)]));
  const isAlias = new Set([...aliases.values()].flat());
  const flags = new Set(stringsOf(valueOf(options, "boolean")));
  const choices = valueOf(options, "choices");
  const defaults = valueOf(options, "default");
  const descriptions = descriptionsOf(built);
  const groups = new Map(
    entriesOf(call(built, "getGroups")).flatMap(([group, names]) => stringsOf(names).map((name) => [name, group])),
  );
  return entriesOf(valueOf(options, "key"))
    .map(([name]) => name)
    .filter((name) => !isAlias.has(name) && !positionals.has(name) && !leftOut.has(name))
    .map((name) => {
      const value = valueOf(defaults, name);
      return {
        name,
        alias: aliases.get(name)?.find((alias) => alias.length === 1),
        describe: descriptions.get(name) ?? "",
        group: groups.get(name) ?? "Options:",
        takesValue: !flags.has(name),
        choices: stringsOf(valueOf(choices, name)),
        default: typeof value === "string" ? value : undefined,
      };
    });
}

function descriptionsOf(built: Argv): ReadonlyMap<string, string> {
  const descriptions = entriesOf(call(call(call(built, "getInternalMethods"), "getUsageInstance"), "getDescriptions"));
  return new Map(descriptions.flatMap(([name, text]) => (typeof text === "string" ? [[name, text] as const] : [])));
}

function synopsisOf(built: Argv): string | undefined {
  const usages = call(call(call(built, "getInternalMethods"), "getUsageInstance"), "getUsage");
  const first: unknown = Array.isArray(usages) ? usages[0] : undefined;
  const text: unknown = Array.isArray(first) ? first[0] : undefined;
  return typeof text === "string" ? text.replace("$0", "rolefresh") : undefined;
}

function valueOf(object: unknown, key: string): unknown {
  return (typeof object === "object" && object !== null) || typeof object === "function"
    ? Reflect.get(object, key)
    : undefined;
}

function call(object: unknown, method: string): unknown {
  const found = valueOf(object, method);
  return typeof found === "function" ? Reflect.apply(found, object, []) : undefined;
}

function entriesOf(object: unknown): readonly (readonly [string, unknown])[] {
  return typeof object === "object" && object !== null ? Object.entries(object) : [];
}

function stringsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

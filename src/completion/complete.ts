import type { CommandInfo, OptionInfo, PositionalInfo } from "./command-info.ts";

/** One thing that may stand at the cursor. */
export interface Candidate {
  readonly value: string;
  readonly describe: string;
}

/** What may stand at the cursor. Names that only files know are asked for by kind, so that this stays pure. */
export interface Completion {
  readonly words: readonly Candidate[];
  /** Also: configured profiles, profiles that rolefresh wrote, files, or a command line of its own (after `--`). */
  readonly also: "profiles" | "written" | "files" | "command" | undefined;
  /** Stands before each profile: the `--option=` of the word itself. */
  readonly prefix: string;
}

/** Everything that can be completed, made from the command line's own table. */
export interface CompletionTable {
  readonly commands: readonly CommandInfo[];
  readonly globalOptions: readonly OptionInfo[];
  /** Values of options and positionals that yargs does not know of, by name. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

const NOTHING: Completion = { words: [], also: undefined, prefix: "" };

/**
 * What may stand at the cursor.
 *
 * @param words those after the program's name, the last one half-typed (empty when nothing is typed yet)
 */
export function complete(words: readonly string[], table: CompletionTable): Completion {
  const current = words.at(-1) ?? "";
  const line = readLine(words.slice(0, -1), table);
  if (line.pending) return valuesFor(line.pending, current, "", table);
  if (line.isAfterDashes) {
    if (line.command?.name === "exec") return { ...NOTHING, also: "command" };
    return positionalsFor(line, current, table);
  }
  const assigned = /^(--[^=]+=)(.*)$/s.exec(current);
  if (assigned) {
    const [, prefix = "", typed = ""] = assigned;
    const option = optionsOf(line.command, table).find(({ name }) => prefix === `--${name}=`);
    return option?.takesValue ? valuesFor(option, typed, prefix, table) : NOTHING;
  }
  if (current.startsWith("-")) {
    const options = optionsOf(line.command, table).filter(({ name }) => !line.used.has(name));
    return startingWith(
      current,
      options.map(({ name, describe }) => ({ value: `--${name}`, describe })),
    );
  }
  return positionalsFor(line, current, table);
}

interface Line {
  /** Undefined as long as it is open: the next word may name it. */
  readonly command: CommandInfo | undefined;
  readonly used: ReadonlySet<string>;
  readonly positionals: number;
  /** The option whose value stands at the cursor. */
  readonly pending: OptionInfo | undefined;
  readonly isAfterDashes: boolean;
}

function readLine(before: readonly string[], table: CompletionTable): Line {
  const used = new Set<string>();
  let command: CommandInfo | undefined;
  let positionals = 0;
  let pending: OptionInfo | undefined;
  let isAfterDashes = false;
  for (const word of before) {
    if (pending) pending = undefined;
    else if (isAfterDashes) positionals++;
    else if (word === "--") isAfterDashes = true;
    else if (word.startsWith("-")) {
      const name = /^--?([^=]*)/.exec(word)?.[1] ?? "";
      const option = optionsOf(command, table).find((known) => known.name === name || known.alias === name);
      if (!option) continue;
      used.add(option.name);
      if (option.takesValue && !word.includes("=")) pending = option;
    } else if (command) positionals++;
    else {
      command = table.commands.find(({ name }) => name === word);
      if (command) continue;
      command = table.commands.find(({ isDefault }) => isDefault);
      positionals++;
    }
  }
  return { command, used, positionals, pending, isAfterDashes };
}

/** Before a command is named, the default one's options count. */
function optionsOf(command: CommandInfo | undefined, table: CompletionTable): readonly OptionInfo[] {
  const own = command ?? table.commands.find(({ isDefault }) => isDefault);
  return [...(own?.options ?? []), ...table.globalOptions];
}

function positionalsFor(line: Line, current: string, table: CompletionTable): Completion {
  if (!line.command) {
    const commands = table.commands.map(({ name, describe }) => ({ value: name, describe }));
    return { ...startingWith(current, commands), also: "profiles" };
  }
  const { positionals, name: command } = line.command;
  const last = positionals.at(-1);
  const positional = positionals[line.positionals] ?? (last?.isList ? last : undefined);
  if (!positional) return NOTHING;
  if (command === "exec" && positional.name === "command")
    return startingWith(current, [{ value: "--", describe: "the command follows" }]);
  return valuesOfPositional(positional, command, current, table);
}

function valuesOfPositional(
  positional: PositionalInfo,
  command: string,
  current: string,
  table: CompletionTable,
): Completion {
  const values = table.values.get(positional.name);
  if (values) return startingWith(current, toCandidates(values));
  return { ...NOTHING, also: command === "remove" ? "written" : "profiles" };
}

function valuesFor(option: OptionInfo, typed: string, prefix: string, table: CompletionTable): Completion {
  const values = option.choices.length > 0 ? option.choices : table.values.get(option.name);
  if (values) return { ...startingWith(typed, toCandidates(values), prefix), prefix };
  if (option.name === "profile" || option.name === "source-profile") return { ...NOTHING, also: "profiles", prefix };
  if (/(^|-)file$|^config$|^check$/.test(option.name)) return { ...NOTHING, also: "files", prefix };
  return { ...NOTHING, prefix };
}

function toCandidates(values: readonly string[]): readonly Candidate[] {
  return values.map((value) => ({ value, describe: "" }));
}

function startingWith(typed: string, candidates: readonly Candidate[], prefix = ""): Completion {
  const words = candidates.filter(({ value }) => value.startsWith(typed));
  return { ...NOTHING, words: words.map(({ value, describe }) => ({ value: prefix + value, describe })) };
}

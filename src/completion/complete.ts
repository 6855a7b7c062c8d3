import { COMMANDS, DEFAULT_COMMAND } from "../command-line/commands.ts";
import { optionsOf, runsCommand } from "../command-line/parse.ts";
import type { CommandSpec, OptionSpec, PositionalSpec } from "../command-line/spec.ts";

/** A word that can be typed at the cursor. */
interface Candidate {
  readonly value: string;
  readonly describe: string;
}

/** What can be typed at the cursor. Names from files are requested by kind, so that this stays pure. */
export interface Completion {
  readonly words: readonly Candidate[];
  /** Also: profiles of the config, these and the ones that rolefresh wrote, files, or a command line (after `--`). */
  readonly also: "profiles" | "written" | "files" | "command" | undefined;
  /** Precedes each profile: the `--option=` of the word itself. */
  readonly prefix: string;
}

const NOTHING: Completion = { words: [], also: undefined, prefix: "" };

/**
 * What can be typed at the cursor.
 *
 * @param words the arguments so far; the last one is half-typed, or empty
 */
export function complete(words: readonly string[]): Completion {
  const current = words.at(-1) ?? "";
  const line = readLine(words.slice(0, -1));
  if (line.pending) return valuesFor(line.pending, current, "");
  if (line.isAfterDashes) {
    if (line.command && runsCommand(line.command)) return { ...NOTHING, also: "command" };
    return positionalsFor(line, current);
  }
  const assigned = /^(--[^=]+=)(.*)$/s.exec(current);
  if (assigned) {
    const [, prefix = "", typed = ""] = assigned;
    const option = optionsOf(line.command ?? DEFAULT_COMMAND).find(({ name }) => prefix === `--${name}=`);
    return option?.value !== undefined ? valuesFor(option, typed, prefix) : NOTHING;
  }
  if (current.startsWith("-")) {
    const options = optionsOf(line.command ?? DEFAULT_COMMAND).filter(({ name }) => !line.used.has(name));
    return startingWith(
      current,
      options.map(({ name, describe }) => ({ value: `--${name}`, describe })),
    );
  }
  return positionalsFor(line, current);
}

interface TypedWords {
  /** Undefined until a word names it. */
  readonly command: CommandSpec | undefined;
  readonly used: ReadonlySet<string>;
  readonly positionals: number;
  /** The option whose value is at the cursor. */
  readonly pending: OptionSpec | undefined;
  readonly isAfterDashes: boolean;
}

function readLine(before: readonly string[]): TypedWords {
  const used = new Set<string>();
  let command: CommandSpec | undefined;
  let positionals = 0;
  let pending: OptionSpec | undefined;
  let isAfterDashes = false;
  for (const word of before) {
    if (pending) pending = undefined;
    else if (isAfterDashes) positionals++;
    else if (word === "--") isAfterDashes = true;
    else if (word.startsWith("-")) {
      const name = /^--?([^=]*)/.exec(word)?.[1] ?? "";
      const option = optionsOf(command ?? DEFAULT_COMMAND).find(
        (known) => known.name === name || known.letter === name,
      );
      if (!option) continue;
      used.add(option.name);
      if (option.value !== undefined && !word.includes("=")) pending = option;
    } else if (command) positionals++;
    else {
      command = COMMANDS.find(({ name }) => name === word);
      if (command) continue;
      command = DEFAULT_COMMAND;
      positionals++;
    }
  }
  return { command, used, positionals, pending, isAfterDashes };
}

function positionalsFor({ command, positionals }: TypedWords, current: string): Completion {
  if (!command) {
    const commands = COMMANDS.map(({ name, describe }) => ({ value: name, describe }));
    return { ...startingWith(current, commands), also: "profiles" };
  }
  const last = command.positionals.at(-1);
  const positional = command.positionals[positionals] ?? (last?.isList ? last : undefined);
  return positional ? valuesOf(positional, current) : NOTHING;
}

function valuesOf({ offers }: PositionalSpec, current: string): Completion {
  if (offers === "command") return startingWith(current, [{ value: "--", describe: "the command follows" }]);
  if (offers === "profiles" || offers === "written") return { ...NOTHING, also: offers };
  return startingWith(current, toCandidates(offers));
}

function valuesFor({ value, choices = [] }: OptionSpec, typed: string, prefix: string): Completion {
  if (choices.length > 0) return { ...startingWith(typed, toCandidates(choices), prefix), prefix };
  if (value === "PROFILE") return { ...NOTHING, also: "profiles", prefix };
  if (value === "FILE") return { ...NOTHING, also: "files", prefix };
  return { ...NOTHING, prefix };
}

function toCandidates(values: readonly string[]): readonly Candidate[] {
  return values.map((value) => ({ value, describe: "" }));
}

function startingWith(typed: string, candidates: readonly Candidate[], prefix = ""): Completion {
  const words = candidates.filter(({ value }) => value.startsWith(typed));
  return { ...NOTHING, words: words.map(({ value, describe }) => ({ value: prefix + value, describe })) };
}

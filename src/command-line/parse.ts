import { parseArgs } from "node:util";

import { Failure } from "../base/failure.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { COMMANDS, DEFAULT_COMMAND } from "./commands.ts";
import type { HelpInvocation, VersionInvocation } from "./invocation.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import type { CommandSpec, OptionSpec } from "./spec.ts";

/** A command line, sorted by the table; its values are not validated yet. */
export interface Parsed {
  readonly command: CommandSpec;
  /** By the option's name, in the order of the command line; true or false for a flag. */
  readonly values: ReadonlyMap<string, readonly (string | boolean)[]>;
  /** Without the command's name. */
  readonly words: readonly string[];
  /** What follows `--`, for a command that runs another one; undefined without `--`. */
  readonly commandLine: readonly string[] | undefined;
  /** Whether an option follows the first word. */
  readonly isMixed: boolean;
}

/** A usage error, to be thrown by the caller. */
export function usage(message: string, hint = "see rolefresh --help"): Failure {
  return new Failure("USAGE", message, { hint });
}

/** Every option that a command has. */
export function optionsOf({ groups }: CommandSpec): readonly OptionSpec[] {
  return [...groups.flatMap(({ options }) => options), ...GLOBAL_OPTIONS];
}

/** Whether a command runs another one, whose command line follows `--`. */
export function runsCommand({ positionals }: CommandSpec): boolean {
  return positionals.some(({ offers }) => offers === "command");
}

/** The options of all commands: an option of the same name has the same type everywhere. */
const TYPES = Object.fromEntries(
  COMMANDS.flatMap(optionsOf).map(({ name, letter, value }) => [
    name,
    { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(letter && { short: letter }) },
  ]),
);

interface Token {
  /** In argv. */
  readonly index: number;
  /** An option as typed, `-f` or `--force`; absent for a word. */
  readonly option?: string;
  readonly name: string;
  readonly value: string | boolean;
}

/**
 * Finds the command, and sorts its options and words.
 *
 * @throws Failure USAGE for what the command does not take
 */
export function parse(argv: readonly string[]): Parsed | HelpInvocation | VersionInvocation {
  const { options, words, end } = tokenize(argv);
  const first = words[0]?.name;
  const named = COMMANDS.find(({ name }) => name === first);
  if (options.some(({ name }) => name === "help")) return { kind: "help", command: named?.name };
  if (first === "help") return { kind: "help", command: COMMANDS.find(({ name }) => name === words[1]?.name)?.name };
  if (options.some(({ name }) => name === "version")) return { kind: "version" };
  const command = named ?? DEFAULT_COMMAND;
  const values = readValues(options, command);
  const own = named ? words.slice(1) : words;
  const before = runsCommand(command) ? own.filter(({ index }) => index < end) : own;
  const extra = command.positionals.some(({ isList }) => isList) ? undefined : before[command.positionals.length];
  if (extra) throw usage(`unexpected argument '${extra.name}'`);
  return {
    command,
    values,
    words: before.map(({ name }) => name),
    commandLine: runsCommand(command) && end < argv.length ? argv.slice(end + 1) : undefined,
    isMixed: options.some(({ index }) => index > (before[0]?.index ?? argv.length)),
  };
}

function tokenize(argv: readonly string[]) {
  const { tokens } = parseArgs({
    args: [...argv],
    options: TYPES,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options: Token[] = [];
  const words: Token[] = [];
  let end = argv.length;
  for (const token of tokens) {
    const { index } = token;
    if (token.kind === "option-terminator") end = index;
    else if (token.kind === "option") {
      // A word that begins with a dash is not a value, so that a missing value is noticed.
      const isMissing = token.inlineValue === false && /^-[^\d]/.test(token.value);
      options.push({
        index,
        option: token.rawName,
        name: token.name,
        value: isMissing ? true : (token.value ?? true),
      });
    } else {
      const last = options.at(-1);
      const isOfFlag = last?.value === true && last.index === index - 1 && TYPES[last.name]?.type === "boolean";
      if (isOfFlag && /^(true|false)$/.test(token.value)) options.push({ ...last, value: token.value });
      else words.push({ index, name: token.value, value: token.value });
    }
  }
  return { options, words, end };
}

function readValues(options: readonly Token[], command: CommandSpec): Parsed["values"] {
  const known = new Map(optionsOf(command).map((option) => [option.name, option]));
  const unknown = options.filter(({ name }) => !known.has(name));
  const [first] = unknown;
  if (first) {
    const names = [...new Set(unknown.map(({ option }) => option))].join(", ");
    const near = didYouMean(first.name, [...known.keys()])?.replace(/'(.*)'/, "'--$1'");
    throw usage(`unknown option ${names}`, near ?? command.hint);
  }
  const values = new Map<string, (string | boolean)[]>();
  for (const { name, value } of options)
    values.set(name, [...(values.get(name) ?? []), readValue(name, value, known.get(name)?.value === undefined)]);
  return values;
}

function readValue(name: string, value: string | boolean, isFlag: boolean): string | boolean {
  if (isFlag) {
    if (value === true || value === "true") return true;
    if (value === "false") return false;
    throw usage(`--${name} does not take a value`);
  }
  if (value === true || value === "") throw usage(`--${name} needs a value`);
  return value;
}

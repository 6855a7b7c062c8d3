import type { Invocation } from "./invocation.ts";

/** The command line as plain data: the parser, `--help`, completion and the manual page are made from it. */

/** An option of one command or of all. */
export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  /** Its one-letter form. */
  readonly letter?: string;
  readonly describe: string;
  /** What its value is, as the help shows it: `FILE`, `PROFILE`, `text|json`; absent for a flag. */
  readonly value?: string;
  /** What completion offers, when the values are known. */
  readonly choices?: readonly string[];
  /** For the help text: the reader of the option applies it. */
  readonly default?: string;
}

/** Options under one heading of the help text. */
export interface OptionGroup {
  readonly heading: string;
  readonly options: readonly OptionSpec[];
}

/** An argument without a name, in its place. */
export interface PositionalSpec {
  readonly name: string;
  readonly describe: string;
  /** Takes every word that is left. */
  readonly isList?: boolean;
  /** What completion offers: profiles of the config, those and the ones that rolefresh wrote, a command line, or words. */
  readonly offers: "profiles" | "written" | "command" | readonly string[];
}

/** The word on the command line, and the `kind` of its invocation. */
type CommandName = Exclude<Invocation["kind"], "complete" | "help" | "version">;

/** A command: its words, its help and its options. */
export interface CommandSpec {
  readonly name: CommandName;
  readonly describe: string;
  /** What follows `rolefresh` in its usage line. */
  readonly synopsis: string;
  readonly positionals: readonly PositionalSpec[];
  /** Without the global options. */
  readonly groups: readonly OptionGroup[];
  /** The hint for an unknown option that is near no known one. */
  readonly hint?: string;
}

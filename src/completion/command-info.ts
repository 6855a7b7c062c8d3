/** An option, as help, completion and the manual page need it. */
export interface OptionInfo {
  readonly name: string;
  /** One letter; undefined for none. */
  readonly alias: string | undefined;
  readonly describe: string;
  /** The heading of the help text. */
  readonly group: string;
  readonly takesValue: boolean;
  /** The values that yargs accepts; empty when it takes any. */
  readonly choices: readonly string[];
  readonly default: string | undefined;
}

/** An argument without a name, in its place. */
export interface PositionalInfo {
  readonly name: string;
  readonly isList: boolean;
  readonly describe: string;
}

/** A command, as help, completion and the manual page need it. */
export interface CommandInfo {
  readonly name: string;
  /** Runs when no command is named. */
  readonly isDefault: boolean;
  readonly describe: string;
  /** As in the first line of its help: `rolefresh exec PROFILE -- COMMAND…`. */
  readonly synopsis: string;
  readonly positionals: readonly PositionalInfo[];
  /** Without the global ones. */
  readonly options: readonly OptionInfo[];
}

import type { Argv, Options } from "yargs";

import { parseDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { CONFIG_KEYS, type ConfigKey, REPEATABLE_KEYS } from "../config/keys.ts";
import type { ConfigOptions } from "../config/read.ts";
import { DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT_MS, type Invocation } from "./invocation.ts";
import type { GlobalOptions } from "../base/global-options.ts";

/** Options that several commands share, and the readers that turn what yargs found into checked values. */

/** What yargs found, by option name; nothing about it is believed yet. */
export type Parsed = Readonly<Record<string, unknown>>;

/** One command as the command line knows it: its words, its help, its options, and how it becomes an invocation. */
export interface CommandLine {
  readonly command: string | readonly string[];
  readonly describe: string;
  readonly build: (command: Argv) => Argv;
  /** @param argv the arguments as they were given, for what yargs does not tell: where they stood */
  readonly read: (parsed: Parsed, argv: readonly string[]) => Invocation;
  /** What to type when an option is not known; absent: the nearest option, or the help. */
  readonly hint?: string;
}

/** Options by name, as yargs wants them. */
export type Flags = Readonly<Record<string, Options>>;

/** The exit statuses, below the help text of commands on profiles. */
export const EPILOGUE = `Exit status: 0 done or nothing due, 64 usage, 65 unsafe file or token, 66 token or key missing,
69 no such identity here, 70 bug, 73/74 cannot create/write, 75 try again later, 76 unexpected response,
77 denied, 78 config. 'check': 0 due, 1 nothing due, 255 error.`;

/** The options of every command. */
export const GLOBAL_FLAGS: Flags = {
  config: {
    type: "string",
    requiresArg: true,
    describe: "config file (else $ROLEFRESH_CONFIG, ~/.aws/rolefresh.ini, /etc/rolefresh.ini)",
  },
  "credentials-file": {
    type: "string",
    requiresArg: true,
    describe: "credentials file to write (else $AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials)",
  },
  json: { type: "boolean", describe: "print one JSON object on standard output" },
  quiet: { type: "boolean", alias: "q", describe: "print nothing but errors" },
  verbose: { type: "boolean", alias: "v", describe: "say on standard error what is done, never a secret" },
  "log-format": {
    type: "string",
    requiresArg: true,
    choices: ["text", "json"],
    default: "text",
    describe: "how messages on standard error look; json is one object a line",
  },
  "metrics-file": {
    type: "string",
    requiresArg: true,
    describe: "write metrics for Prometheus' textfile collector here",
  },
  lenient: {
    type: "boolean",
    describe: "a failed refresh is a warning and exit 0 while the old credentials are valid",
  },
  timeout: {
    type: "string",
    requiresArg: true,
    describe: "deadline for the whole run, for example 60s",
    default: `${DEFAULT_TIMEOUT_MS / 1000}s`,
  },
  concurrency: {
    type: "string",
    requiresArg: true,
    describe: "how many roles to assume at a time",
    default: String(DEFAULT_CONCURRENCY),
  },
};

/** Keys whose flag is a global option: it counts for every profile. */
const GLOBAL_KEYS: ReadonlySet<ConfigKey> = new Set(["credentials_file", "lenient"]);

/** Keys that have a flag in the config-free form. */
const INLINE_KEYS = CONFIG_KEYS.filter((key) => !GLOBAL_KEYS.has(key.name));

function flagOf(key: ConfigKey): string {
  return key.replaceAll("_", "-");
}

/** The flags of the config-free form: one for each config key, and `--profile` for the section. */
export const INLINE_FLAGS: Flags = {
  profile: { type: "string", requiresArg: true, describe: "section to write (default: default)" },
  ...Object.fromEntries(
    INLINE_KEYS.map(({ name, value, help }): [string, Options] => {
      const describe = `${help} [${value}]`;
      return [
        flagOf(name),
        name === "overwrite" ? { type: "boolean", describe } : { type: "string", requiresArg: true, describe },
      ];
    }),
  ),
};

/** Puts options under a heading of the help text. */
export function grouped(flags: Flags, group: string): Record<string, Options> {
  return Object.fromEntries(Object.entries(flags).map(([name, option]) => [name, { ...option, group }]));
}

/** `PROFILE…` and the config-free form, for commands that work on profiles. */
export function onProfiles(command: Argv): Argv {
  return command
    .positional("profiles", {
      type: "string",
      array: true,
      describe: "profiles to look at (default: all that are configured)",
    })
    .options(grouped(INLINE_FLAGS, "One role without a config file:"))
    .epilogue(EPILOGUE);
}

/** A mistake on the command line: Failure USAGE, to be thrown by the caller. */
export function usage(message: string, hint = "see rolefresh --help"): Failure {
  return new Failure("USAGE", message, { hint });
}

/** yargs makes an array of an option that is given twice; the last one counts, as everywhere in Unix. */
function last(value: unknown): unknown {
  return Array.isArray(value) ? value.at(-1) : value;
}

/** Whether a flag is given; the last of several counts, so `--quiet --no-quiet` is false. */
export function readFlag(parsed: Parsed, name: string): boolean {
  return last(parsed[name]) === true;
}

/**
 * The value of an option; the last of several counts. Undefined when it is not given.
 *
 * @throws Failure USAGE when it is given without a value
 */
export function readText(parsed: Parsed, name: string): string | undefined {
  const value = last(parsed[name]);
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "") return value;
  if (value === true) return "true";
  throw usage(`--${name} needs a value`);
}

/** An option that may be repeated: each time is one line. */
function readLines(parsed: Parsed, name: string): string | undefined {
  const value = parsed[name];
  if (!Array.isArray(value)) return readText(parsed, name);
  return value.map((one: unknown) => readText({ [name]: one }, name)).join("\n");
}

/** Words of an array positional. */
export function readWords(parsed: Parsed, name: string): readonly string[] {
  const value = parsed[name];
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}

/**
 * Milliseconds; more than 0, at most a day.
 *
 * @throws Failure USAGE
 */
export function readDuration(parsed: Parsed, name: string): number | undefined {
  const value = readText(parsed, name);
  if (value === undefined) return undefined;
  const ms = parseDuration(value);
  if (ms === undefined || ms <= 0 || ms > 86_400_000) {
    throw usage(`--${name} ${value} is not a duration of at most a day`, "write for example 90s or 10m");
  }
  return ms;
}

/**
 * The global options, with their defaults.
 *
 * @throws Failure USAGE for a value that is not one
 */
export function readGlobal(parsed: Parsed): GlobalOptions {
  const concurrency = readText(parsed, "concurrency") ?? String(DEFAULT_CONCURRENCY);
  if (!/^[1-9]\d{0,2}$/.test(concurrency)) throw usage(`--concurrency ${concurrency} is not a number from 1 to 999`);
  return {
    json: readFlag(parsed, "json"),
    quiet: readFlag(parsed, "quiet"),
    verbose: readFlag(parsed, "verbose"),
    logFormat: readText(parsed, "log-format") === "json" ? "json" : "text",
    metricsFile: readText(parsed, "metrics-file"),
    lenient: readFlag(parsed, "lenient"),
    timeoutMs: readDuration(parsed, "timeout") ?? DEFAULT_TIMEOUT_MS,
    concurrency: Number(concurrency),
  };
}

/**
 * Where the configuration comes from: a file, or the flags of the config-free form.
 *
 * @throws Failure USAGE for combinations that mean nothing
 */
export function readConfigOptions(parsed: Parsed): ConfigOptions {
  const values = new Map<ConfigKey, string>();
  for (const { name } of INLINE_KEYS) {
    const value = REPEATABLE_KEYS.has(name) ? readLines(parsed, flagOf(name)) : readText(parsed, flagOf(name));
    if (value !== undefined) values.set(name, value);
  }
  const configFile = readText(parsed, "config");
  const credentialsFile = readText(parsed, "credentials-file");
  const profile = readText(parsed, "profile");
  if (values.has("role_arn")) {
    if (configFile !== undefined) throw usage("--config and --role-arn exclude each other");
    return { configFile: undefined, credentialsFile, inline: { profile: profile ?? "default", values } };
  }
  const [first] = values.keys();
  if (first !== undefined)
    throw usage(`--${flagOf(first)} goes with --role-arn`, "without a config file name the role: --role-arn ARN");
  if (profile !== undefined) {
    throw usage(
      "--profile goes with --role-arn",
      `to choose a configured profile write its name alone: rolefresh ${profile}`,
    );
  }
  return { configFile, credentialsFile, inline: undefined };
}

/**
 * What every command on profiles takes.
 *
 * @throws Failure USAGE
 */
export function readOnProfiles(parsed: Parsed): {
  readonly global: GlobalOptions;
  readonly config: ConfigOptions;
  readonly profiles: readonly string[];
} {
  const global = readGlobal(parsed);
  const config = readConfigOptions(parsed);
  const profiles = readWords(parsed, "profiles");
  if (config.inline && profiles.length > 0) {
    throw usage(`'${profiles[0]}' cannot stand next to --role-arn`, "name the section to write with --profile");
  }
  return { global, config, profiles };
}

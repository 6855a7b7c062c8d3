import { parseDuration } from "../base/duration.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { type ConfigKey, REPEATABLE_KEYS } from "../config/keys.ts";
import type { ConfigOptions } from "../config/read.ts";
import { DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT_MS } from "./invocation.ts";
import { INLINE_KEYS, optionOf } from "./options.ts";
import { type Parsed, usage } from "./parse.ts";

/** What turns the values of a command line into checked ones. Of an option that is given twice the last one counts. */

/** Whether a flag is given. */
export function readFlag({ values }: Parsed, name: string): boolean {
  return values.get(name)?.at(-1) === true;
}

/** The value of an option, also of a flag (`true`, `false`); undefined when it is not given. */
export function readText({ values }: Parsed, name: string): string | undefined {
  return values.get(name)?.at(-1)?.toString();
}

/**
 * One of several words.
 *
 * @param what the noun of the messages
 * @throws Failure USAGE for no word and for another one
 */
export function chooseFrom<T extends string>(what: string, given: string | undefined, words: readonly T[]): T {
  const hint = `choose one of ${words.join(", ")}`;
  if (given === undefined) throw usage(`no ${what} given`, hint);
  const found = words.find((word) => word === given);
  if (found === undefined) throw usage(`unknown ${what} '${given}'`, didYouMean(given.toLowerCase(), words) ?? hint);
  return found;
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
  if (ms === undefined || ms <= 0 || ms > 86_400_000)
    throw usage(`--${name} ${value} is not a duration of at most one day`, "write for example 90s or 10m");
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
    logFormat: chooseFrom("log format", readText(parsed, "log-format") ?? "text", ["text", "json"]),
    metricsFile: readText(parsed, "metrics-file"),
    lenient: readFlag(parsed, "lenient"),
    timeoutMs: readDuration(parsed, "timeout") ?? DEFAULT_TIMEOUT_MS,
    concurrency: Number(concurrency),
  };
}

/** The config keys that are given as options; each time that a repeatable one is given is a line. */
export function readKeys(parsed: Parsed, keys: readonly ConfigKey[]): ReadonlyMap<ConfigKey, string> {
  const found = new Map<ConfigKey, string>();
  for (const key of keys) {
    const values = parsed.values.get(optionOf(key)) ?? [];
    const value = REPEATABLE_KEYS.has(key) ? values.join("\n") : values.at(-1);
    if (values.length > 0) found.set(key, String(value));
  }
  return found;
}

/**
 * Where the configuration comes from: a file, or the options of the config-free form.
 *
 * @throws Failure USAGE for options that do not fit together
 */
export function readConfigOptions(parsed: Parsed): ConfigOptions {
  const values = readKeys(parsed, INLINE_KEYS);
  const configFile = readText(parsed, "config");
  const credentialsFile = readText(parsed, "credentials-file");
  const profile = readText(parsed, "profile");
  if (values.has("role_arn")) {
    if (configFile !== undefined) throw usage("--config and --role-arn cannot be used together");
    return { configFile: undefined, credentialsFile, inline: { profile: profile ?? "default", values } };
  }
  const [first] = values.keys();
  if (first !== undefined)
    throw usage(`--${optionOf(first)} requires --role-arn`, "add --role-arn ARN, or set the key in the config file");
  if (profile !== undefined)
    throw usage("--profile requires --role-arn", `name a configured profile without an option: rolefresh ${profile}`);
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
  const [first] = parsed.words;
  if (config.inline && first !== undefined) throw besideRoleArn(first);
  return { global, config, profiles: parsed.words };
}

/** A profile's name next to `--role-arn`. */
export function besideRoleArn(profile: string): Error {
  return usage(`'${profile}' and --role-arn cannot be used together`, "name the section to write with --profile");
}

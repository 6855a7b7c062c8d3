import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import type { Config, ConfigWorld } from "./config.ts";
import { type IniSection, parseIniFile } from "./ini-file.ts";
import { CONFIG_KEYS, type ConfigKey, isConfigKey, REPEATABLE_KEYS } from "./keys.ts";
import { type ConfigSource, readConfigSource } from "./locate.ts";
import { collectIssues, type IssueSink } from "./config-issues.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { RawConfig, RawValue } from "./section.ts";
import { validateConfig } from "./validate.ts";

/** What the command line says about the configuration. */
export interface ConfigOptions {
  readonly configFile: string | undefined;
  readonly credentialsFile: string | undefined;
  /** The config-free form: one profile from flags; then no file is read. */
  readonly inline: { readonly profile: string; readonly values: ReadonlyMap<ConfigKey, string> } | undefined;
}

/**
 * Reads the configuration from its file, or from the flags of the config-free form.
 *
 * @throws Failure CONFIG_MISSING, CONFIG_UNREADABLE; ConfigIssues (CONFIG_INVALID) with every issue
 */
export async function readConfig(options: ConfigOptions, world: ConfigWorld): Promise<Config> {
  const { env, home, cwd } = world;
  const credentialsFile =
    options.credentialsFile === undefined
      ? undefined
      : pathOrThrow("--credentials-file", expandPath(options.credentialsFile, world, cwd));
  if (options.inline) {
    return validateConfig(inlineConfig(options.inline), {
      env,
      cwd,
      paths: { env, home, directory: cwd },
      credentialsFile,
      untrusted: undefined,
      defaultIdentity: "gcp-metadata",
    });
  }
  const source = await readConfigSource(options.configFile, world);
  return configFromSource(source, world, credentialsFile);
}

/** The configuration from a file's text. Pure. @throws ConfigIssues */
export function configFromSource(
  source: ConfigSource,
  { env, home, cwd }: Pick<ConfigWorld, "env" | "home" | "cwd">,
  credentialsFile: string | undefined,
): Config {
  const issues = collectIssues(source.isHidden);
  const raw = rawConfig(source, issues);
  return validateConfig(
    raw,
    {
      env,
      cwd,
      paths: { env, home, directory: source.directory },
      credentialsFile,
      untrusted: source.untrusted,
      defaultIdentity: undefined,
    },
    issues,
  );
}

const DEFAULTS = "*";

/** A section as it was written. */
interface RawSection {
  readonly name: string;
  readonly where: string;
  readonly values: ReadonlyMap<ConfigKey, RawValue>;
}

function rawConfig(source: ConfigSource, issues: IssueSink): RawConfig {
  const { sections, problems } = parseIniFile(source.text);
  for (const { line, message, hint } of problems) issues.add(`${source.file}:${line}`, message, hint);
  const first = new Map<string, number>();
  const copies = new Map<string, RawSection[]>();
  for (const section of sections) {
    const { name, line } = section;
    const where = `${source.file}:${line}`;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, line);
    else
      issues.add(where, `[${name}] is repeated; the first one is in line ${earlier}`, "put its keys into one section");
    copies.set(name, [...(copies.get(name) ?? []), { name, where, values: readValues(section, source.file, issues) }]);
  }
  const defaults = withFallbacks(copies.get(DEFAULTS) ?? []);
  copies.delete(DEFAULTS);
  const profiles = [...copies.values()].flatMap((same) =>
    same.flatMap(({ name, where, values }) => {
      const others = same.map((copy) => copy.values).filter((map) => map !== values);
      return (defaults.length === 0 ? [new Map()] : defaults).map((inherited) => ({
        profile: name,
        where,
        own: values,
        defaults: merged([...others, inherited]),
      }));
    }),
  );
  if (profiles.length === 0 && problems.length === 0)
    issues.add(source.file, "no profile is configured", "add a section [PROFILE] with a role_arn");
  return { file: source.file, profiles };
}

function readValues(section: IniSection, file: string, issues: IssueSink): ReadonlyMap<ConfigKey, RawValue> {
  const values = new Map<ConfigKey, RawValue>();
  for (const { key: written, value, line } of section.entries) {
    const where = `${file}:${line}`;
    const unbracketed = written.replace(/\[\]$/, "");
    const key = REPEATABLE_KEYS.has(unbracketed) ? unbracketed : written;
    if (!isConfigKey(key)) {
      const names = CONFIG_KEYS.map((known) => known.name);
      const hint = didYouMean(key.toLowerCase(), names) ?? "see the table of keys in the README";
      issues.add(where, `[${section.name}] unknown key '${key}'`, hint);
      continue;
    }
    const earlier = values.get(key);
    if (earlier === undefined) values.set(key, { value, where });
    else if (REPEATABLE_KEYS.has(key)) values.set(key, { value: `${earlier.value}\n${value}`, where: earlier.where });
    else issues.add(where, `[${section.name}] ${key} is repeated`, "keep one of them");
  }
  return values;
}

/** Each copy of a repeated section, completed by the other copies: so each value of each copy is checked. */
function withFallbacks(copies: readonly RawSection[]): readonly ReadonlyMap<ConfigKey, RawValue>[] {
  return copies.map(({ values }) => merged([values, ...copies.map((copy) => copy.values)]));
}

/** The first value of each key. */
function merged(maps: readonly ReadonlyMap<ConfigKey, RawValue>[]): ReadonlyMap<ConfigKey, RawValue> {
  return new Map(maps.toReversed().flatMap((map) => [...map]));
}

function inlineConfig(inline: NonNullable<ConfigOptions["inline"]>): RawConfig {
  const own = new Map<ConfigKey, RawValue>();
  for (const [key, value] of inline.values) own.set(key, { value, where: `--${key.replaceAll("_", "-")}` });
  return {
    file: undefined,
    profiles: [{ profile: inline.profile, where: "the command line", own, defaults: new Map() }],
  };
}

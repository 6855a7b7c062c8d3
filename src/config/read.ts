import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import type { Config, ConfigWorld } from "./config.ts";
import { parseIniFile } from "./ini-file.ts";
import { CONFIG_KEYS, type ConfigKey, isConfigKey, REPEATABLE_KEYS } from "./keys.ts";
import { type ConfigSource, readConfigSource } from "./locate.ts";
import { collectMistakes } from "./config-issues.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { RawConfig, RawProfile, RawValue } from "./section.ts";
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
 * @throws Failure CONFIG_MISSING, CONFIG_UNREADABLE; ConfigMistakes (CONFIG_INVALID) with every mistake
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

/** The configuration from a file's text; apart from its errors' names nothing here touches the disk. */
export function configFromSource(
  source: ConfigSource,
  { env, home, cwd }: Pick<ConfigWorld, "env" | "home" | "cwd">,
  credentialsFile: string | undefined,
): Config {
  const mistakes = collectMistakes(source.isHidden);
  const raw = rawConfig(source, mistakes);
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
    mistakes,
  );
}

const DEFAULTS = "*";

function rawConfig(source: ConfigSource, mistakes: ReturnType<typeof collectMistakes>): RawConfig {
  const { sections, problems } = parseIniFile(source.text);
  const at = (line: number): string => `${source.file}:${line}`;
  for (const problem of problems) mistakes.add(at(problem.line), problem.message, problem.hint);
  const seen = new Map<string, number>();
  const read: { name: string; line: number; values: ReadonlyMap<ConfigKey, RawValue> }[] = [];
  for (const section of sections) {
    const earlier = seen.get(section.name);
    if (earlier !== undefined)
      mistakes.add(
        at(section.line),
        `[${section.name}] stands twice, first in line ${earlier}`,
        "put its keys into one section",
      );
    seen.set(section.name, section.line);
    const values = new Map<ConfigKey, RawValue>();
    for (const { key: written, value, line } of section.entries) {
      const key = REPEATABLE_KEYS.has(written.replace(/\[\]$/, "")) ? written.replace(/\[\]$/, "") : written;
      if (!isConfigKey(key)) {
        const names = CONFIG_KEYS.map((known) => known.name);
        mistakes.add(
          at(line),
          `[${section.name}] unknown key '${key}'`,
          didYouMean(key.toLowerCase(), names) ?? "the README lists the keys",
        );
      } else if (values.has(key) && REPEATABLE_KEYS.has(key)) {
        const first = values.get(key);
        values.set(key, { value: `${first?.value}\n${value}`, where: first?.where ?? at(line) });
      } else if (values.has(key)) mistakes.add(at(line), `[${section.name}] ${key} stands twice`);
      else values.set(key, { value, where: at(line) });
    }
    read.push({ name: section.name, line: section.line, values });
  }
  const defaults = read.find((section) => section.name === DEFAULTS)?.values ?? new Map<ConfigKey, RawValue>();
  const profiles: RawProfile[] = read
    .filter((section) => section.name !== DEFAULTS)
    .map(({ name, line, values }) => ({ profile: name, where: at(line), own: values, defaults }));
  if (profiles.length === 0 && problems.length === 0) {
    mistakes.add(source.file, "no profile is configured", "add a section [PROFILE] with a role_arn");
  }
  return {
    file: source.file,
    profiles: firstOfEach(profiles),
  };
}

/** A section that stands twice is a mistake that was told; only its first copy is judged further. */
function firstOfEach(profiles: readonly RawProfile[]): readonly RawProfile[] {
  const byName = new Map<string, RawProfile>();
  for (const profile of profiles) if (!byName.has(profile.profile)) byName.set(profile.profile, profile);
  return [...byName.values()];
}

function inlineConfig(inline: NonNullable<ConfigOptions["inline"]>): RawConfig {
  const own = new Map<ConfigKey, RawValue>();
  for (const [key, value] of inline.values) own.set(key, { value, where: `--${key.replaceAll("_", "-")}` });
  return {
    file: undefined,
    profiles: [{ profile: inline.profile, where: "the command line", own, defaults: new Map() }],
  };
}

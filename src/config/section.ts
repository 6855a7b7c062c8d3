import { parseDuration } from "../base/duration.ts";
import { expandPath, type PathWorld } from "../base/expand-path.ts";
import { withoutSecrets, withoutSuspects } from "../base/printable.ts";
import type { ConfigKey } from "./keys.ts";
import type { MistakeSink } from "./config-issues.ts";
import { oneOfHint } from "./did-you-mean.ts";

/** One value as it was written, and where: `file:line` or `the command line`. */
export interface RawValue {
  readonly value: string;
  readonly where: string;
}

/** The values that count for one profile: its own section's over those of `[*]`. */
export interface RawProfile {
  readonly profile: string;
  readonly where: string;
  readonly own: ReadonlyMap<ConfigKey, RawValue>;
  readonly defaults: ReadonlyMap<ConfigKey, RawValue>;
}

/** The profiles as they were written, unchecked. */
export interface RawConfig {
  readonly file: string | undefined;
  readonly profiles: readonly RawProfile[];
}

/** What relative paths, `~` and `$NAME` in values mean. */
export interface PathBase extends PathWorld {
  /** Absolute. */
  readonly directory: string | undefined;
}

/** Typed access to the values of one profile; every bad value goes to the sink and reads as absent. */
export class SectionReader {
  readonly #raw: RawProfile;
  readonly #paths: PathBase;
  readonly #mistakes: MistakeSink;

  constructor(raw: RawProfile, paths: PathBase, mistakes: MistakeSink) {
    this.#raw = raw;
    this.#paths = paths;
    this.#mistakes = mistakes;
  }

  /** Whether the profile's own section (not `[*]`) has the key. */
  owns(key: ConfigKey): boolean {
    return this.#raw.own.has(key);
  }

  has(key: ConfigKey): boolean {
    return this.#raw.own.has(key) || this.#raw.defaults.has(key);
  }

  where(key: ConfigKey): string {
    return (this.#raw.own.get(key) ?? this.#raw.defaults.get(key))?.where ?? this.#raw.where;
  }

  mistake(key: ConfigKey | undefined, message: string, hint?: string): void {
    this.#mistakes.add(
      key === undefined ? this.#raw.where : this.where(key),
      `[${this.#raw.profile}] ${message}`,
      hint,
    );
  }

  text(key: ConfigKey): string | undefined {
    const raw = this.#raw.own.get(key) ?? this.#raw.defaults.get(key);
    if (raw === undefined) return undefined;
    if (raw.value === "") {
      this.mistake(key, `${key} has no value`);
      return undefined;
    }
    return raw.value;
  }

  /** A value that must match a pattern. */
  matching(key: ConfigKey, pattern: RegExp, hint: string): string | undefined {
    const value = this.text(key);
    if (value === undefined || pattern.test(value)) return value;
    this.mistake(key, `${key} = ${show(value)} is not valid`, hint);
    return undefined;
  }

  oneOf<T extends string>(key: ConfigKey, allowed: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) {
      this.mistake(key, `${key} = ${show(value)} is not supported`, oneOfHint(value, allowed));
    }
    return found;
  }

  flag(key: ConfigKey): boolean | undefined {
    const value = this.oneOf(key, ["true", "false"]);
    return value === undefined ? undefined : value === "true";
  }

  integer(key: ConfigKey, min: number, max: number): number | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    this.mistake(key, `${key} = ${show(value)} is not a whole number from ${min} to ${max}`);
    return undefined;
  }

  /** Milliseconds, more than 0. */
  duration(key: ConfigKey): number | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const ms = parseDuration(value);
    if (ms !== undefined && ms > 0) return ms;
    this.mistake(key, `${key} = ${show(value)} is not a duration`, "write for example 90s, 25m or 1h30m");
    return undefined;
  }

  /** Comma-separated, blanks around the items dropped; an empty item is a mistake. */
  list(key: ConfigKey): readonly string[] {
    const value = this.text(key);
    if (value === undefined) return [];
    const items = value.split(",").map((item) => item.trim());
    if (items.every((item) => item !== "")) return items;
    this.mistake(key, `${key} has an empty item`, "separate the items by single commas");
    return [];
  }

  /** The lines of a key that may be repeated; none when it is absent. */
  lines(key: ConfigKey): readonly string[] {
    return this.text(key)?.split("\n") ?? [];
  }

  /** An absolute path; `~` and `$NAME` are expanded, relative ones start at the config file's directory. */
  path(key: ConfigKey): string | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    if (withoutSecrets(value) !== value || value.split("/").some((part) => part.length > NAME_MAX)) {
      const cause = `${key} is not the path of a file: it looks like what the file should hold`;
      this.mistake(key, cause, `save it to a file with mode 0600 and set ${key} to the file's path`);
      return undefined;
    }
    const { path, problem, hint } = expandPath(value, this.#paths, this.#paths.directory);
    if (problem !== undefined) this.mistake(key, `${key} = ${show(value)}: ${problem}`, hint);
    return path;
  }
}

/** The longest name of a file (limits.h); a token is longer. */
const NAME_MAX = 255;

/** A value for a message: quoted, without what may be a secret, control characters visible, cut. */
export function show(value: string): string {
  const safe = withoutSuspects(value);
  const text = JSON.stringify(safe.length > 80 ? `${safe.slice(0, 77)}...` : safe);
  return `'${text.slice(1, -1).replaceAll('\\"', '"')}'`;
}

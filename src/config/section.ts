import { parseDuration } from "../base/duration.ts";
import { expandPath, type PathWorld } from "../base/expand-path.ts";
import { withoutSecrets, withoutSuspects } from "../base/printable.ts";
import type { ConfigKey } from "./keys.ts";
import type { IssueSink } from "./config-issues.ts";
import { oneOfHint } from "./did-you-mean.ts";

/** One value as it was written, and where: `file:line` or `the command line`. */
export interface RawValue {
  readonly value: string;
  readonly where: string;
}

/** The values of one profile's section, and those that it takes from `[*]`. */
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

/** What reading a section depends on. */
export interface SectionContext {
  readonly paths: PathBase;
  /** Why commands of this config must not be run, or undefined. */
  readonly untrusted: string | undefined;
}

/** Typed access to the values of one profile; a bad value goes to the sink and reads as absent. */
export class SectionReader {
  readonly #raw: RawProfile;
  readonly #context: SectionContext;
  readonly #issues: IssueSink;

  constructor(raw: RawProfile, context: SectionContext, issues: IssueSink) {
    this.#raw = raw;
    this.#context = context;
    this.#issues = issues;
  }

  /** Whether the profile's own section (not `[*]`) has the key. */
  owns(key: ConfigKey): boolean {
    return this.#raw.own.has(key);
  }

  has(key: ConfigKey): boolean {
    return this.#raw.own.has(key) || this.#raw.defaults.has(key);
  }

  /** @param key where the issue is; undefined: the section as a whole */
  issue(key: ConfigKey | undefined, message: string, hint?: string): void {
    const where = key === undefined ? undefined : this.#find(key)?.where;
    this.#issues.add(where ?? this.#raw.where, `[${this.#raw.profile}] ${message}`, hint);
  }

  #find(key: ConfigKey): RawValue | undefined {
    return this.#raw.own.get(key) ?? this.#raw.defaults.get(key);
  }

  text(key: ConfigKey): string | undefined {
    const raw = this.#find(key);
    if (raw === undefined) return undefined;
    if (raw.value === "") {
      this.issue(key, `${key} has no value`);
      return undefined;
    }
    return raw.value;
  }

  /** The value of a key that the chosen `identity` cannot do without; an absent one is an issue. */
  required<T>(key: ConfigKey, value: T | undefined): T | undefined {
    if (value === undefined && !this.has(key))
      this.issue("identity", `${key} is missing`, `add ${key}: this identity needs it`);
    return value;
  }

  /** A shell command. */
  command(key: ConfigKey): string | undefined {
    this.refuseUntrusted(key);
    return this.text(key);
  }

  /** A command from a file that others may write would run their code as us. */
  refuseUntrusted(key: ConfigKey): void {
    const { untrusted } = this.#context;
    if (untrusted !== undefined && this.has(key))
      this.issue(key, `${key} is refused: ${untrusted}`, "chown the config to yourself and chmod go-w it");
  }

  /** A value that must match a pattern. */
  matching(key: ConfigKey, pattern: RegExp, hint: string): string | undefined {
    const value = this.text(key);
    if (value === undefined || pattern.test(value)) return value;
    this.issue(key, `${key} = ${show(value)} is not valid`, hint);
    return undefined;
  }

  oneOf<T extends string>(key: ConfigKey, allowed: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) {
      this.issue(key, `${key} = ${show(value)} is not supported`, oneOfHint(value, allowed));
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
    this.issue(key, `${key} = ${show(value)} is not an integer from ${min} to ${max}`);
    return undefined;
  }

  /** Milliseconds, more than 0. */
  duration(key: ConfigKey): number | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const ms = parseDuration(value);
    if (ms !== undefined && ms > 0) return ms;
    this.issue(key, `${key} = ${show(value)} is not a duration`, "write for example 90s, 25m or 1h30m");
    return undefined;
  }

  /** Comma-separated, blanks around the items dropped; an empty item is an issue. */
  list(key: ConfigKey): readonly string[] {
    const value = this.text(key);
    if (value === undefined) return [];
    const items = value.split(",").map((item) => item.trim());
    if (items.every((item) => item !== "")) return items;
    this.issue(key, `${key} has an empty item`, "separate items with single commas");
    return [];
  }

  /** The lines of a key that may be repeated; none when it is absent. */
  lines(key: ConfigKey): readonly string[] {
    return this.text(key)?.split("\n") ?? [];
  }

  /** An absolute path; `~` and `$NAME` are expanded, a relative path starts at the config's directory. */
  path(key: ConfigKey): string | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    if (withoutSecrets(value) !== value || value.split("/").some((part) => part.length > NAME_MAX)) {
      const cause = `${key} is not a file path: it looks like the file's content`;
      this.issue(key, cause, `save it to a file with mode 0600 and set ${key} to the file's path`);
      return undefined;
    }
    const { paths } = this.#context;
    const { path, problem, hint } = expandPath(value, paths, paths.directory);
    if (problem !== undefined) this.issue(key, `${key} = ${show(value)}: ${problem}`, hint);
    return path;
  }
}

/** The longest file name (limits.h); a token is longer. */
const NAME_MAX = 255;

/** A value for a message: quoted, suspected secrets removed, control characters escaped, cut at 80 characters. */
export function show(value: string): string {
  const safe = withoutSuspects(value);
  const text = JSON.stringify(safe.length > 80 ? `${safe.slice(0, 77)}...` : safe);
  return `'${text.slice(1, -1).replaceAll('\\"', '"')}'`;
}

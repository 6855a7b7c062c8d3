import ini from "ini";

/**
 * The INI text of the configuration, taken apart into entries that know their line.
 *
 * The package `ini` decides what a value is (quotes, escapes, `;` and `#` comments); it is handed one line at a time
 * because a whole file would lose what we need: it nests `[a.b]` as `{a: {b}}`, drops `__proto__`, merges repeated
 * sections silently and knows no line numbers.
 */

/** One `key = value`, with the line it stands on, from 1. */
export interface IniEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** One section in the order of the file; a key that stands twice is in it twice. */
export interface IniSection {
  /** What stands between the brackets, to the letter. */
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
}

/** A line that says something else than the person who wrote it can have meant. */
export interface IniProblem {
  readonly line: number;
  readonly message: string;
  readonly hint?: string;
}

/**
 * What a config file holds before anything about its keys is known. Reading does not fail: the problems are part of
 * it.
 */
export interface IniFile {
  readonly sections: readonly IniSection[];
  readonly problems: readonly IniProblem[];
}

const HEADER = /^\[(.*)\]$/;
const COMMENT = /^[;#]/;

/** Splits the text into sections; what is no header, key or comment is a problem with its line, never skipped. */
export function parseIniFile(text: string): IniFile {
  const sections: { name: string; line: number; entries: IniEntry[] }[] = [];
  const problems: IniProblem[] = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === "" || COMMENT.test(content)) continue;
    const header = HEADER.exec(content);
    if (header) {
      sections.push({ name: header[1] ?? "", line, entries: [] });
      continue;
    }
    if (content.startsWith("[")) {
      problems.push({ line, message: "a section header must end with ']' and stand alone on its line" });
      continue;
    }
    const section = sections.at(-1);
    const entry = parseEntry(content, line);
    if ("message" in entry) problems.push(entry);
    else if (!section)
      problems.push({
        line,
        message: `'${entry.key}' stands before the first section`,
        hint: "put it under [*] or under [PROFILE]",
      });
    else section.entries.push(entry);
  }
  return { sections, problems };
}

/** Keys are words; anything else before a `=` is a value that has lost its key, such as the second line of a token. */
const KEY = /^[a-z_][a-z_ .-]{0,63}(\[\])?$/i;

/** What stands in such a line may be a secret; of it only a word before a colon is shown, which people write for `=`. */
function notAnEntry(content: string, line: number): IniProblem {
  const key = /^([a-z][a-z_]{1,63})\s*:/i.exec(content)?.[1];
  if (key === undefined)
    return { line, message: "this line is neither a [section] nor 'key = value'", hint: "begin a comment with #" };
  return { line, message: `'${key}' is followed by ':' and not by '='`, hint: `write '${key} = …'` };
}

function parseEntry(content: string, line: number): IniEntry | IniProblem {
  const equals = content.indexOf("=");
  const key = content.slice(0, Math.max(0, equals)).trim();
  if (equals < 0 || !KEY.test(key)) return notAnEntry(content, line);
  const raw = content.slice(equals + 1).trim();
  const parsed: unknown = Object.values(ini.parse(`value = ${raw}`))[0];
  const value =
    typeof parsed === "string" || typeof parsed === "boolean" || typeof parsed === "number"
      ? String(parsed)
      : parsed === null
        ? "null"
        : undefined;
  if (value === undefined)
    return { line, message: `the value of '${key}' cannot be read`, hint: "put it in double quotes" };
  const cut = cutAt(raw, value, isCommand(key));
  if (cut !== undefined) {
    return {
      line,
      message: `the value of '${key}' would be cut at '${cut}'`,
      hint: `put the value in double quotes, or write '\\${cut}'`,
    };
  }
  return { key, value, line };
}

/**
 * `ini` takes an unquoted `;` or `#` anywhere for a comment. After a blank that is what people mean; in the middle of
 * a word (`a;b`) they do not, and for a shell command they never do: both lose the end of the value in silence.
 */
function cutAt(raw: string, value: string, command: boolean): string | undefined {
  if (/^(["']).*\1$/.test(raw)) return undefined;
  const comment = /(^|[^\\])([;#])/.exec(raw);
  if (!comment || value.length >= raw.length) return undefined;
  const meantAsComment = comment[1] === "" || /\s/.test(comment[1] ?? "");
  return meantAsComment && !command ? undefined : comment[2];
}

function isCommand(key: string): boolean {
  return key.endsWith("_command") || key === "on_refresh";
}

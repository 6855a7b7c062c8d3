import ini from "ini";

/**
 * The INI text of the configuration as entries with their lines.
 *
 * The package `ini` decides what a value is (quotes, escapes, `;` and `#` comments). It gets one line at a time: from a whole
 * file it nests `[a.b]` as `{a: {b}}`, drops `__proto__`, merges repeated sections and gives no line numbers.
 */

/** One `key = value`, with its line, from 1. */
export interface IniEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** One section; a repeated key is in it repeatedly. */
export interface IniSection {
  /** The exact text between the brackets. */
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
}

/** A line that cannot mean what its writer meant. */
export interface IniProblem {
  readonly line: number;
  readonly message: string;
  readonly hint?: string;
}

/** A config file before its keys are checked. */
export interface IniFile {
  readonly sections: readonly IniSection[];
  readonly problems: readonly IniProblem[];
}

const HEADER = /^\[(.*)\]$/;
const COMMENT = /^[;#]/;

/** Splits the text into sections; a line that is not a header, a key or a comment is a problem. Never throws. */
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
      problems.push({ line, message: "a section header must end with ']' and have its own line" });
      continue;
    }
    const section = sections.at(-1);
    const entry = parseEntry(content, line);
    if ("message" in entry) problems.push(entry);
    else if (!section)
      problems.push({
        line,
        message: `'${entry.key}' must be inside a [section]`,
        hint: "move it below [*] or below [PROFILE]",
      });
    else section.entries.push(entry);
  }
  return { sections, problems };
}

/** Anything else before a `=` is part of a value, such as the second line of a token. */
const KEY = /^[a-z_][a-z_ .-]{0,63}(\[\])?$/i;

/** The line may hold a secret: only a word before a colon is shown, which people write for `=`. */
function notAnEntry(content: string, line: number): IniProblem {
  const key = /^([a-z][a-z_]{1,63})\s*:/i.exec(content)?.[1];
  if (key === undefined)
    return { line, message: "this line is neither a [section] nor 'key = value'", hint: "start comments with #" };
  return { line, message: `'${key}' is followed by ':' instead of '='`, hint: `write '${key} = …'` };
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
    return { line, message: `the value of '${key}' cannot be read`, hint: "put the value in double quotes" };
  const cut = cutAt(raw, value, isCommand(key));
  if (cut !== undefined) {
    return {
      line,
      message: `'${cut}' starts a comment: quote the value of '${key}'`,
      hint: `put the value in double quotes, or write '\\${cut}'`,
    };
  }
  return { key, value, line };
}

/**
 * The sign where `ini` would silently cut the value: in the middle of a word (`a;b`), and anywhere in a shell command. After
 * a blank a comment is meant.
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

import type { FoundEntry } from "./found-entry.ts";

/**
 * The guard's model of Python's readers: a port of `RawConfigParser._read` (CPython Lib/configparser.py, as it is since
 * 3.10; before, a header ended at the first `]`) as botocore and boto2 use it, with one difference: what it refuses a file
 * for becomes an entry, because such files are kept. Shares no code with the editor: a mistake there must not hide here.
 */
export function readAsConfigparser(text: string): readonly FoundEntry[] {
  const found: FoundEntry[] = [];
  const note = (section: string, key: string, value: string) => found.push({ section, key, value });
  let name: string | undefined;
  let option = "";
  let level = 0;
  let blanks = 0;
  // Text mode reads LF, CRLF and CR as line ends (universal newlines).
  const end = /\r\n|\n|\r/g;
  for (let start = text.codePointAt(0) === 0xfeff ? 1 : 0; start <= text.length;) {
    const lineEnd = end.exec(text);
    const raw = text.slice(start, lineEnd ? lineEnd.index : text.length);
    start = lineEnd ? end.lastIndex : text.length + 1;
    const column = raw.search(NON_SPACE);
    if (column === -1) {
      blanks++;
      continue;
    }
    const line = raw.slice(column).replace(TRAILING_SPACE, "");
    if (line.startsWith("#") || line.startsWith(";")) continue;
    if (name !== undefined && option !== "" && column > level) {
      // A blank line inside a value is a part of it; those after it are stripped off again.
      note(name, `${option}\0`, `${blanks}\0${line}`);
      blanks = 0;
      continue;
    }
    blanks = 0;
    level = column;
    const header = /^\[(.+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      name = header;
      option = "";
      note(name, "[", "");
      continue;
    }
    const parts = name === undefined ? null : /^(.*?)[=:](.*)$/.exec(line);
    if (name === undefined || !parts) {
      note(name ?? "", "?", line);
      continue;
    }
    option = (parts[1] ?? "").replace(TRAILING_SPACE, "").toLowerCase();
    note(name, option, (parts[2] ?? "").replace(LEADING_SPACE, ""));
  }
  return found;
}

// Py_UNICODE_ISSPACE, which both `str.strip` and `\s` go by.
const SPACES = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const NON_SPACE = new RegExp(`[^${SPACES}]`);
const LEADING_SPACE = new RegExp(`^[${SPACES}]+`);
const TRAILING_SPACE = new RegExp(`(?<![${SPACES}])[${SPACES}]+$`);

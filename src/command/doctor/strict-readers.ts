/** What makes a whole file unreadable to a reader that `credentials-file/warnings.ts` does not know of. */
export interface ReaderProblem {
  /** 1-based. */
  readonly line: number;
  readonly reader: string;
  /** Without capital or period; it shows nothing of a value. */
  readonly problem: string;
}

/**
 * The first line that the SDK for Java v1 throws at, by the rules of its `AbstractProfilesConfigFileScanner` and
 * `BasicProfileConfigLoader` (GRAMMAR.md 1): only `#` starts a comment, every other line is `[section]` or holds an `=`,
 * and no key comes twice in a section.
 */
export function javaProblem(text: string): ReaderProblem | undefined {
  const reader = "the SDK for Java v1";
  let keys: Set<string> | undefined;
  // Java's Scanner ends a line at these too.
  for (const [index, raw] of text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).entries()) {
    const line = javaTrim(raw);
    const at = { line: index + 1, reader };
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[") && line.endsWith("]")) {
      keys = new Set();
      continue;
    }
    const equals = line.indexOf("=");
    if (!keys) return { ...at, problem: "the line stands before the first section" };
    if (equals === -1) return { ...at, problem: wordsFor(line) };
    const key = line.slice(0, equals).trim();
    if (keys.has(key)) return { ...at, problem: "the key is there twice in its section" };
    keys.add(key);
  }
  return undefined;
}

/** `String.trim()` of Java takes off everything up to U+0020 and nothing else: a byte order mark stays. */
function javaTrim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (start < end && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end);
}

function wordsFor(line: string): string {
  if (line.startsWith(";")) return "a comment begins with ';' and holds no '='";
  return line.startsWith("[") ? "something stands behind the section header" : "the line has no '='";
}

/** The first line for which PHP's `parse_ini_string` refuses the file: an indented header (GRAMMAR.md 1). */
export function phpProblem(text: string): ReaderProblem | undefined {
  const index = text.split(/\r?\n/).findIndex((line) => /^[\t ]+\[/.test(line));
  if (index === -1) return undefined;
  return { line: index + 1, reader: "the SDK for PHP", problem: "a section header is indented" };
}

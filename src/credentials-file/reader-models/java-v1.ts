import { headerProblem, type ReaderProblem } from "./reader-problem.ts";

/**
 * The first line that the SDK for Java v1 throws at, by the rules of its `AbstractProfilesConfigFileScanner` and
 * `BasicProfileConfigLoader`: only `#` starts a comment, every other line is `[section]` or holds an `=`, and no key comes
 * twice in a section.
 */
export function javaV1Problem(text: string): ReaderProblem | undefined {
  let keys: Set<string> | undefined;
  // Java's Scanner ends a line at these too.
  for (const [index, raw] of text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).entries()) {
    const line = javaTrim(raw);
    const at = { line: index + 1, reader: "Java v1", lost: "file" } as const;
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[") && line.endsWith("]")) {
      keys = new Set();
      continue;
    }
    const equals = line.indexOf("=");
    if (!keys) return { ...at, problem: "the line is before the first section" };
    if (equals === -1) return { ...at, problem: wordsFor(line) };
    const key = line.slice(0, equals).trim();
    if (keys.has(key)) return { ...at, problem: "the key is defined twice in its section" };
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
  if (line.startsWith(";")) return "a ';' comment has no '='";
  return line.startsWith("[") ? headerProblem(line) : "the line has no '='";
}

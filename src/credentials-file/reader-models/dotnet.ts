import { headerProblem, nameInBrackets, type ReaderProblem } from "./reader-problem.ts";

/**
 * Where the SDK for .NET refuses a file or loses a section (`IniFile.cs`): each line is blank, a comment, `[section]` or
 * holds a `=`; a header with a `=` is a key of the section above; a section with a key twice, in any case, is skipped.
 */
export function dotnetProblems(text: string): readonly ReaderProblem[] {
  const found: ReaderProblem[] = [];
  let section: string | undefined;
  let keys = new Set<string>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    const at = { line: index + 1, reader: ".NET" };
    if (line === "" || /^[;#]/.test(line)) continue;
    const isHeader = line.startsWith("[") && line.endsWith("]");
    const equals = line.indexOf("=");
    if (equals === -1 && !isHeader) {
      const problem = line.startsWith("[") ? headerProblem(line) : "the line has no '='";
      return [{ ...at, problem, lost: "file" }];
    }
    if (equals === -1) {
      section = line.slice(1, -1).trim();
      keys = new Set();
      continue;
    }
    const hidden = nameInBrackets(line);
    if (hidden !== undefined)
      found.push({ ...at, problem: "a '=' turns the section header into a key", lost: [hidden] });
    const key = line.slice(0, equals).trim().toLowerCase();
    if (keys.has(key) && section !== undefined)
      found.push({ ...at, problem: "the key is defined twice in its section", lost: [section] });
    keys.add(key);
  }
  return found;
}

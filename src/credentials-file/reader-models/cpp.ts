import { headerProblem, nameInBrackets, type ReaderProblem } from "./reader-problem.ts";

const HEADER = /^[\t ]*\[[^[\]]*\][\t ]*(?:[#;].*)?$/;
const SIGNING_LINE = /^[\t ]*aws_(?:access_key_id|secret_access_key|session_token)[\t ]*=/;

/**
 * Where the SDK for C++ stops or loses a section (`AWSConfigFileProfileConfigLoader.cpp`): at a line without `=` it stops,
 * and what it read of that section is lost as well; a line with both brackets is a header to it, also as part of a value.
 */
export function cppProblems(text: string): readonly ReaderProblem[] {
  const found: ReaderProblem[] = [];
  const lines = text.split(/\r?\n/).map(withoutComment);
  let section: string | undefined;
  let isKnown = false;
  for (const [index, line] of lines.entries()) {
    const at = { line: index + 1, reader: "C++" };
    // The loader skips shorter lines.
    if (line.length < 3 || line.trim() === "") continue;
    if (line.includes("[") && line.includes("]")) {
      isKnown = HEADER.test(line);
      const name = nameInBrackets(line.replace(/^\uFEFF/, ""));
      const rest = lines.slice(index + 1);
      if (name === undefined) {
        const lost = section === undefined || !holdsSigningKey(rest) ? [] : [section];
        if (lost.length > 0) found.push({ ...at, problem: "brackets in a value are taken for a section header", lost });
      } else if (!isKnown) {
        const isMarked = line.startsWith("\uFEFF");
        found.push({
          ...at,
          problem: isMarked ? "the file begins with a byte order mark" : headerProblem(line),
          lost: [name],
        });
      }
      section = name ?? section;
      continue;
    }
    if (section !== undefined && (!isKnown || line.includes("="))) continue;
    if (section === undefined) return [{ ...at, problem: "the line is before the first section", lost: "file" }];
    const below = lines.slice(index).flatMap((other) => nameInBrackets(other) ?? []);
    return [...found, { ...at, problem: "the line has no '='", lost: [section, ...below] }];
  }
  return found;
}

function holdsSigningKey(lines: readonly string[]): boolean {
  const end = lines.findIndex((line) => line.includes("[") && line.includes("]"));
  return lines.slice(0, end === -1 ? lines.length : end).some((line) => SIGNING_LINE.test(line));
}

function withoutComment(line: string): string {
  return /^[#;]/.test(line) ? "" : line.replace(/[\t ][#;].*$/, "");
}

import type { ReaderProblem } from "./reader-problem.ts";

/** The first line for which PHP's `parse_ini_string`, as the SDK for PHP calls it, refuses the file: an indented header. */
export function phpProblem(text: string): ReaderProblem | undefined {
  const index = text.split(/\r?\n/).findIndex((line) => /^[\t ]+\[/.test(line));
  if (index === -1) return undefined;
  return { line: index + 1, reader: "PHP", problem: "a section header is indented", lost: "file" };
}

import { cppProblems } from "./cpp.ts";
import { dotnetProblems } from "./dotnet.ts";
import { javaV1Problem } from "./java-v1.ts";
import { modernStrictProblems } from "./modern-strict.ts";
import type { ReaderProblem } from "./reader-problem.ts";
import { rubyV3Problems } from "./ruby-v3.ts";

export type { ReaderProblem } from "./reader-problem.ts";

/**
 * Every reader that is modelled, by the name that problems and warnings have for it: those of `warnings.ts` and those
 * here. Nothing is known of any other.
 */
export const MODELLED_READERS = [
  "botocore",
  "boto2",
  "C++",
  "the CRT",
  "Go",
  "Java v1",
  "Java v2",
  "JavaScript",
  ".NET",
  "PHP",
  "Ruby v3",
  "Rust",
] as const;

/** What keeps the readers from a file that `warnings.ts` does not know of: in the file's order for each reader. */
export function readerProblems(text: string, isUtf8: boolean): readonly ReaderProblem[] {
  const [java, php] = [javaV1Problem(text), phpProblem(text)];
  return [
    ...(java ? [java] : []),
    ...modernStrictProblems(text, isUtf8),
    ...cppProblems(text),
    ...dotnetProblems(text),
    ...rubyV3Problems(text),
    ...(php ? [php] : []),
  ];
}

/** The first line for which PHP's `parse_ini_string`, as the SDK for PHP calls it, refuses the file: an indented header. */
function phpProblem(text: string): ReaderProblem | undefined {
  const index = text.split(/\r?\n/).findIndex((line) => /^[\t ]+\[/.test(line));
  if (index === -1) return undefined;
  return { line: index + 1, reader: "PHP", problem: "a section header is indented", lost: "file" };
}

import { isUtf8 } from "node:buffer";

import { MODELLED_READERS, type ReaderProblem, readerProblems } from "../../credentials-file/reader-models/problems.ts";
import { expiryWarnings, listed } from "../../credentials-file/warnings.ts";
import type { ExaminedFile } from "../evidence.ts";
import { counted, finding, type Finding } from "../finding.ts";

/** More are only counted. */
const SHOWN = 5;

/**
 * Who cannot read a credentials file as it is, or does not find the keys of its profiles, and keys by which another tool
 * will break or delete a section. Nothing here keeps rolefresh from writing its part.
 */
export function readerFindings({ view: { document }, profiles }: ExaminedFile): readonly Finding[] {
  if (document?.bytes === undefined) return [];
  const { path, warnings, bytes } = document;
  const warned = new Set(warnings.flatMap(({ readers }) => readers));
  const problems = readerProblems(bytes.toString("utf8"), isUtf8(bytes)).filter(
    ({ reader, lost }) => lost !== "file" || !warned.has(reader),
  );
  const found = [
    // botocore, boto2 or Go stop at these, which most tools are made with.
    ...warnings.map(({ line, message }) =>
      finding("warning", `${path}:${line}: ${message}`, {
        hint: `edit ${path}; rolefresh keeps lines that it did not write`,
      }),
    ),
    ...messagesOf(problems, profiles).map(({ line, message }) =>
      finding("warning", `${path}:${line}: ${message}`, { hint: `edit ${path} if one of these tools reads it` }),
    ),
  ];
  const more = found.length - SHOWN;
  return [
    ...(found.length === 0 ? [finding("ok", `${listed(MODELLED_READERS)} can read ${path}`)] : found.slice(0, SHOWN)),
    ...(more > 0
      ? [finding("warning", `${path} has ${counted(more, "more such line")}`, { hint: `edit ${path}` })]
      : []),
    ...expiryWarnings(document, profiles).map(({ line, message }) => finding("warning", `${path}:${line}: ${message}`)),
  ];
}

interface Message {
  readonly line: number;
  readonly message: string;
}

/** One message for all readers to whom a line does the same, as far as these profiles are concerned. */
function messagesOf(problems: readonly ReaderProblem[], profiles: readonly string[]): readonly Message[] {
  const groups = new Map<string, { problem: ReaderProblem; effect: string; readers: Set<string> }>();
  for (const problem of problems) {
    const { lost } = problem;
    const ours = lost === "file" ? [] : profiles.filter((profile) => lost.includes(profile));
    if (lost !== "file" && ours.length === 0) continue;
    const effect = lost === "file" ? "this file at all" : `the keys of ${listed(ours.map((name) => `[${name}]`))}`;
    const key = JSON.stringify([problem.line, problem.problem, effect]);
    const group = groups.get(key) ?? { problem, effect, readers: new Set() };
    groups.set(key, group);
    group.readers.add(problem.reader);
  }
  return [...groups.values()]
    .toSorted((a, b) => a.problem.line - b.problem.line)
    .map(({ problem, effect, readers }) => ({
      line: problem.line,
      message: `${problem.problem}: ${listed([...readers])} cannot read ${effect}`,
    }));
}

import { isUtf8 } from "node:buffer";
import type { CredentialsDocument } from "../credentials-file/document.ts";
import { MODELLED_READERS, readerProblems, type ReaderProblem } from "../credentials-file/reader-models/problems.ts";
import { expiryWarnings, listed } from "../credentials-file/warnings.ts";
import { counted, finding, type Finding } from "./finding.ts";

/** More than these of one kind are counted and not shown. */
const SHOWN = 5;

/**
 * Who cannot read a credentials file as it is, or does not find the keys of these profiles in it. Nothing here keeps
 * rolefresh from writing its part.
 */
export function readerFindings(
  document: CredentialsDocument | undefined,
  profiles: readonly string[],
): readonly Finding[] {
  if (document?.bytes === undefined) return [];
  const { path, warnings } = document;
  const told = new Set(warnings.flatMap((warning) => warning.readers));
  const problems = readerProblems(document.bytes.toString("utf8"), isUtf8(document.bytes));
  const messages = [
    ...warnings.map(({ line, message }) => ({ line, message, isWidespread: true })),
    ...together(
      problems.filter(({ reader, lost }) => lost !== "file" || !told.has(reader)),
      profiles,
    ),
  ];
  if (messages.length === 0) return [finding("readers", "ok", `${listed(MODELLED_READERS)} can read ${path}`)];
  const found = messages.slice(0, SHOWN).map(({ line, message, isWidespread }) =>
    finding("readers", "warning", `${path}:${line}: ${message}`, {
      hint: isWidespread
        ? `it belongs to others, so rolefresh keeps it: edit ${path}`
        : `only if such a tool reads it: edit ${path}`,
    }),
  );
  if (messages.length > SHOWN)
    found.push(
      finding("readers", "warning", `${path} has ${counted(messages.length - SHOWN, "more line")} of this kind`, {
        hint: `edit ${path}`,
      }),
    );
  return found;
}

interface Message {
  readonly line: number;
  readonly message: string;
  /** botocore, boto2 or Go stop at it, which most tools are made with; else only those with the readers that are named. */
  readonly isWidespread: boolean;
}

/** One message for all readers to whom a line does the same, as far as these profiles are concerned. */
function together(problems: readonly ReaderProblem[], profiles: readonly string[]): readonly Message[] {
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
      isWidespread: false,
    }));
}

/** Keys by which another tool will break or delete a section that rolefresh writes. */
export function expiryFindings(
  document: CredentialsDocument | undefined,
  profiles: readonly string[],
): readonly Finding[] {
  if (document?.bytes === undefined) return [];
  return expiryWarnings(document, profiles).map(({ line, message }) =>
    finding("readers", "warning", `${document.path}:${line}: ${message}`),
  );
}

/** Names that some readers do not find (GRAMMAR.md 9). */
export function nameFindings(profile: string): readonly Finding[] {
  const hint = "use letters, digits and - / . % @ _ : + where such a tool reads it";
  if (/\s/.test(profile))
    return [
      finding(
        "profile-name",
        "warning",
        "the name holds a blank: C++, the CRT, Java v2, JavaScript v3 and Rust do not find it",
        { profile, hint },
      ),
    ];
  if (!/^[A-Za-z0-9/.%@_:+-]+$/.test(profile))
    return [
      finding(
        "profile-name",
        "warning",
        "the name holds an unusual character: C++, the CRT, Java v2 and Rust do not find it",
        { profile, hint },
      ),
    ];
  return [];
}

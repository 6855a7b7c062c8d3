import { Failure } from "../base/failure.ts";
import type { CredentialsDocument } from "./document.ts";
import type { Layout } from "./layout.ts";
import { type Line, lineAt } from "./lines.ts";
import { isManagedKey } from "./managed.ts";

/**
 * Why a profile cannot be written so that every reader finds the same in the file (GRAMMAR.md 5 to 8), or undefined when
 * it can. Refusing is always right here: the file stays as it is, and a person decides.
 */
export function refusal(document: CredentialsDocument, profile: string): Failure | undefined {
  const found = document.badByte ?? badHeader(document, profile) ?? badBody(document, profile);
  if (!found) return undefined;
  return new Failure(
    "FILE_UNSAFE",
    `cannot write profile '${profile}' safely: ${document.path}:${found.line}: ${found.problem}`,
    {
      hint: found.hint,
    },
  );
}

/** Something in a line that keeps a profile from being written. */
export interface Problem {
  readonly line: number;
  readonly problem: string;
  readonly hint: string;
}

/** A byte that no profile of the file can be written with (GRAMMAR.md 8). */
export function badByteIn({ bytes, nulAt, loneReturnAt }: Layout): Problem | undefined {
  if (nulAt !== -1) {
    return {
      line: lineAt(bytes, nulAt),
      problem: "the file holds a NUL byte",
      hint: "is it in UTF-16? save it as UTF-8, or delete the byte",
    };
  }
  if (loneReturnAt === -1) return undefined;
  return {
    line: lineAt(bytes, loneReturnAt),
    problem: "a carriage return without a line feed ends a line for Python's readers and not for JavaScript's",
    hint: "end the lines of the file with LF or CRLF",
  };
}

function badHeader(document: CredentialsDocument, profile: string): Problem | undefined {
  const { layout } = document;
  const [lookalike] = layout.lookalikes(profile);
  if (lookalike) {
    return {
      line: lookalike.number,
      problem: `some readers take this line for the section [${profile}], and others do not`,
      hint: `make it a plain [${profile}] at the start of the line, or rename it`,
    };
  }
  const [index, second] = layout.clean(profile);
  if (index === undefined) return undefined;
  const header = layout.boundary(index)?.header;
  const again = second === undefined ? undefined : layout.boundary(second)?.header;
  if (again) {
    return {
      line: again.number,
      problem: `the section [${profile}] is there twice, first in line ${header?.number ?? 0}`,
      hint: "merge the two sections into one",
    };
  }
  const next = layout.boundary(index + 1);
  if (next && (next.strictName === undefined || next.lenientName === undefined)) {
    return {
      line: next.header.number,
      problem: `the section [${profile}] ends here for some readers, and goes on for others`,
      hint: "make it a plain [section] at the start of the line, with nothing after it",
    };
  }
  return undefined;
}

function badBody(document: CredentialsDocument, profile: string): Problem | undefined {
  const body = document.body(profile);
  if (!body) return undefined;
  for (const line of body.lines) {
    const problem = badLine(line);
    if (problem !== undefined) return { line: line.number, problem, hint: "retype the line with plain blanks" };
    if (line.kind === "stray" && line.text[line.indent] === "[") {
      return {
        line: line.number,
        problem: `a section header is not closed, so where the section [${profile}] ends is not clear`,
        hint: "add the missing ']'",
      };
    }
    if (line.kind === "continuation" && isManagedKey(nestedKey(line))) {
      return {
        line: line.number,
        problem: `an indented ${nestedKey(line)} goes on with the value above for some readers, and is a key of its own to others`,
        hint: "move it to the start of the line, or delete it",
      };
    }
  }
  for (const entry of document.profile(profile)?.entries ?? []) {
    if (!isManagedKey(entry.key)) continue;
    const [continuation] = entry.continuations;
    if (continuation) {
      return {
        line: continuation.number,
        problem: `this indented line goes on with the value of ${entry.key} for some readers, and stands alone for others`,
        hint: "move it to the start of the line, or delete it",
      };
    }
    if (entry.nestedUnder !== undefined || opensBlock(body.lines, entry.line)) {
      return {
        line: entry.line.number,
        problem: `JavaScript's readers take indented keys next to ${entry.key} for a nested block, and Python's do not`,
        hint: `move the keys of [${profile}] to the start of the line`,
      };
    }
  }
  return undefined;
}

/** White space that only some readers know as such, where it decides how the line is read. */
function badLine(line: Line): string | undefined {
  if (/[\u0085\u2028\u2029]/.test(line.text))
    return "it holds a Unicode line separator, which ends a line for Java's readers only";
  if (line.kind === "comment" && line.indent === 0) return undefined;
  const indent = line.text.slice(0, line.indent);
  if (/[^\t ]/.test(indent) && line.kind !== "blank")
    return "it is indented with characters that only some readers take for blanks";
  return line.text.startsWith("\ufeff", line.indent) ? "it begins with a byte order mark" : undefined;
}

function nestedKey(line: Line): string {
  return /^\s*(\w+)\s*[=:]/.exec(line.text)?.[1]?.toLowerCase() ?? "";
}

/** Whether a managed key without value, as JavaScript's readers see it, is followed by an indented key. */
function opensBlock(lines: readonly Line[], line: Line): boolean {
  const after = lines.slice(lines.indexOf(line) + 1).find(({ kind }) => kind !== "blank" && kind !== "comment");
  return after !== undefined && after.indent > 0 && /^[^=]+=\s*(?:[;#].*)?$/.test(line.text);
}

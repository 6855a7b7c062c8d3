import { Failure } from "../base/failure.ts";
import type { CredentialsDocument } from "./document.ts";
import type { Problem } from "./file-problem.ts";
import { type Line, pythonStrip, separatorOf } from "./lines.ts";
import { isManagedKey } from "./managed.ts";

/**
 * Why a profile cannot be written so that every reader finds the same in the file (GRAMMAR.md 5 to 8), or undefined when
 * it can. Refusing is always right here: the file stays as it is, and a person decides.
 */
export function refusalOf(document: CredentialsDocument, profile: string): Failure | undefined {
  const found = document.problem ?? badHeader(document, profile) ?? badBody(document, profile);
  if (!found) return undefined;
  return new Failure(
    "FILE_UNSAFE",
    `cannot write profile '${profile}' safely: ${document.path}:${found.line}: ${found.problem}`,
    { hint: found.hint },
  );
}

function badHeader(document: CredentialsDocument, profile: string): Problem | undefined {
  const { layout } = document;
  const [ambiguous] = layout.ambiguousHeaders.get(profile) ?? [];
  if (ambiguous) {
    return {
      line: ambiguous.number,
      problem: `some readers take this line for the header of [${profile}], others do not`,
      hint: `make it a plain [${profile}] at the start of the line, or rename it`,
    };
  }
  const { boundaries } = layout;
  const [index, second] = layout.clean.get(profile) ?? [];
  if (index === undefined) return undefined;
  const header = boundaries[index]?.header;
  const again = second === undefined ? undefined : boundaries[second]?.header;
  if (again) {
    return {
      line: again.number,
      problem: `section [${profile}] is defined twice, first on line ${header?.number ?? 0}`,
      hint: "merge the two sections into one",
    };
  }
  const next = boundaries[index + 1];
  if (next && (next.strictName === undefined || next.lenientName === undefined)) {
    return {
      line: next.header.number,
      problem: `section [${profile}] ends here for some readers but not for others`,
      hint: "make it a plain [section] at the start of the line, with nothing after it",
    };
  }
  return undefined;
}

function badBody(document: CredentialsDocument, profile: string): Problem | undefined {
  const body = document.body(profile);
  if (!body) return undefined;
  for (const line of body.lines) {
    const problem = badLine(line) ?? (line.kind === "stray" ? strayLine(line, profile) : undefined);
    if (problem) return problem;
    if (line.kind === "continuation" && isManagedKey(nestedKey(line))) {
      return {
        line: line.number,
        problem: `some readers take this indented ${nestedKey(line)} for a key, others for a part of the value above`,
        hint: "move it to the start of the line, or delete it",
      };
    }
  }
  const openers = blockOpeners(body.lines);
  for (const entry of body.entries) {
    if (!isManagedKey(entry.key)) continue;
    const [continuation] = entry.continuations;
    if (continuation) {
      return {
        line: continuation.number,
        problem: `some readers take this indented line for a part of ${entry.key}, others do not`,
        hint: "move it to the start of the line, or delete it",
      };
    }
    if (entry.nestedUnder !== undefined || openers.has(entry.line.start)) {
      return {
        line: entry.line.number,
        problem: `JavaScript's readers take the indented keys next to ${entry.key} for a nested block, Python's do not`,
        hint: `move the keys of [${profile}] to the start of the line`,
      };
    }
  }
  return undefined;
}

/** A line that makes the whole file unreadable to Python's readers, in a section that is to be read. */
function strayLine({ number, text, indent }: Line, profile: string): Problem {
  if (text[indent] === "[") {
    return {
      line: number,
      problem: `a section header is not closed, so the end of [${profile}] is unclear`,
      hint: "add the missing ']'",
    };
  }
  if (/^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/.test(text))
    return { line: number, problem: "this line is a merge conflict marker", hint: "resolve the merge conflict" };
  return {
    line: number,
    problem: `this line of [${profile}] is neither 'key = value' nor a comment, so botocore and boto2 cannot read the file`,
    hint: "delete the line, or join it to the value above if that value was wrapped",
  };
}

/** White space that only some readers know as such, where it decides how the line is read. */
function badLine(line: Line): Problem | undefined {
  const retype = (problem: string): Problem => ({
    line: line.number,
    problem,
    hint: "retype the line with plain spaces",
  });
  if (/[\u0085\u2028\u2029]/.test(line.text))
    return retype("the line contains a Unicode line separator, which ends a line for Java's readers only");
  if (line.kind === "comment" && line.indent === 0) return undefined;
  const indent = line.text.slice(0, line.indent);
  if (/[^\t ]/.test(indent) && line.kind !== "blank")
    return retype("the line is indented with characters that only some readers take for spaces");
  if (line.text.startsWith("\ufeff", line.indent)) return retype("the line begins with a byte order mark");
  const separator = separatorOf(line.text);
  const key = separator === -1 ? "" : line.text.slice(0, separator);
  const name = pythonStrip(key.trim()).trim().toLowerCase();
  return isManagedKey(name) && /[^\t -~]/.test(key)
    ? retype(`the key ${name} has characters that only some readers take for spaces or letters`)
    : undefined;
}

function nestedKey(line: Line): string {
  return /^\s*(\w+)\s*[=:]/.exec(line.text)?.[1]?.toLowerCase() ?? "";
}

/** Where the lines begin that hold a key without value to JavaScript's readers, with an indented line below. */
function blockOpeners(lines: readonly Line[]): ReadonlySet<number> {
  const openers = new Set<number>();
  let above: Line | undefined;
  for (const line of lines) {
    if (line.kind === "blank" || line.kind === "comment") continue;
    if (above && line.indent > 0 && /^[^=]+=\s*(?:[;#].*)?$/.test(above.text)) openers.add(above.start);
    above = line;
  }
  return openers;
}

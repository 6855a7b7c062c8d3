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
  const where = `${document.path}:${found.line}`;
  return new Failure("FILE_UNSAFE", `cannot write profile '${profile}' safely: ${where}: ${found.problem}`, {
    hint: found.hint,
  });
}

function problemAt({ number }: Line, problem: string, hint: string): Problem {
  return { line: number, problem, hint };
}

function badHeader({ layout }: CredentialsDocument, profile: string): Problem | undefined {
  const [ambiguous] = layout.ambiguousHeaders.get(profile) ?? [];
  if (ambiguous) {
    const problem = `some readers take this line for the header of [${profile}], others do not`;
    return problemAt(ambiguous, problem, `make it a plain [${profile}] at the start of the line, or rename it`);
  }
  const { boundaries } = layout;
  const [index, second] = layout.clean.get(profile) ?? [];
  if (index === undefined) return undefined;
  const again = second === undefined ? undefined : boundaries[second]?.header;
  if (again) {
    const problem = `section [${profile}] is defined twice, first on line ${boundaries[index]?.header.number ?? 0}`;
    return problemAt(again, problem, "merge the two sections into one");
  }
  const next = boundaries[index + 1];
  if (!next || (next.strictName !== undefined && next.lenientName !== undefined)) return undefined;
  const problem = `section [${profile}] ends here for some readers but not for others`;
  return problemAt(next.header, problem, "make it a plain [section] at the start of the line, with nothing after it");
}

function badBody(document: CredentialsDocument, profile: string): Problem | undefined {
  const body = document.body(profile);
  if (!body) return undefined;
  for (const line of body.lines) {
    const problem = badLine(line) ?? (line.kind === "stray" ? strayLine(line, profile) : nestedLine(line));
    if (problem) return problem;
  }
  const openers = blockOpeners(body.lines);
  for (const { key, line, continuations, nestedUnder } of body.entries) {
    if (!isManagedKey(key)) continue;
    const [continuation] = continuations;
    if (continuation) {
      const problem = `some readers take this indented line for a part of ${key}, others do not`;
      return problemAt(continuation, problem, "move it to the start of the line, or delete it");
    }
    if (nestedUnder !== undefined || openers.has(line.start)) {
      const problem = `JavaScript's readers take the indented keys next to ${key} for a nested block, Python's do not`;
      return problemAt(line, problem, `move the keys of [${profile}] to the start of the line`);
    }
  }
  return undefined;
}

/** A managed key that is a part of the value above for Python's readers. */
function nestedLine(line: Line): Problem | undefined {
  const key = /^\s*(\w+)\s*[=:]/.exec(line.text)?.[1]?.toLowerCase() ?? "";
  if (line.kind !== "continuation" || !isManagedKey(key)) return undefined;
  const problem = `some readers take this indented ${key} for a key, others for a part of the value above`;
  return problemAt(line, problem, "move it to the start of the line, or delete it");
}

/** A line that makes the whole file unreadable to Python's readers. */
function strayLine(line: Line, profile: string): Problem {
  if (line.text[line.indent] === "[") {
    const problem = `a section header is not closed, so the end of [${profile}] is unclear`;
    return problemAt(line, problem, "add the missing ']'");
  }
  if (/^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/.test(line.text))
    return problemAt(line, "this line is a merge conflict marker", "resolve the merge conflict");
  return problemAt(
    line,
    `this line of [${profile}] is neither 'key = value' nor a comment, so botocore and boto2 cannot read the file`,
    "delete the line, or join it to the value above if that value was wrapped",
  );
}

/** White space that only some readers know, where it decides how the line is read. */
function badLine(line: Line): Problem | undefined {
  const retype = (problem: string): Problem => problemAt(line, problem, "retype the line with plain spaces");
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

/** The offsets of lines that have a key without value to JavaScript's readers, with an indented line below. */
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

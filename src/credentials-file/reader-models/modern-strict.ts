import { headerProblem, nameInBrackets, type ReaderProblem, SIGNING_KEYS } from "./reader-problem.ts";

/** How the three differ. */
interface Dialect {
  readonly reader: string;
  readonly lineEnd: RegExp;
  /** A header must end with its bracket; to the CRT it needs to have one. */
  readonly endsWithBracket: boolean;
  /** What becomes of the lines of a section whose name it does not take: unseen, or seen without a place for them. */
  readonly ofOddSection: "skipped" | "homeless" | "kept";
}

/** BufferedReader.lines() */
const JAVA: Dialect = { reader: "Java v2", lineEnd: /\r\n|\n|\r/, endsWithBracket: true, ofOddSection: "skipped" };
const RUST: Dialect = { reader: "Rust", lineEnd: /\r?\n/, endsWithBracket: true, ofOddSection: "kept" };
const CRT: Dialect = { reader: "the CRT", lineEnd: /\r*\n/, endsWithBracket: false, ofOddSection: "homeless" };

const IDENTIFIER = /^[A-Za-z0-9_\-/.%@:+]*$/;

/**
 * Where the readers after AWS's shared specification stop or go wrong: Java v2 (`ProfileFileReader.java`), Rust
 * (`aws-runtime/src/env_config/parse.rs` of smithy-rs) and the CRT (`aws_profile.c` of aws-c-sdkutils). An indented line
 * continues the value above, comments included, and there must be one; every other line is `[section]` or `key = value`.
 *
 * @param isUtf8 whether the file's bytes are; to Rust it is unreadable otherwise
 */
export function modernStrictProblems(text: string, isUtf8: boolean): readonly ReaderProblem[] {
  const encoding: readonly ReaderProblem[] = isUtf8
    ? []
    : [{ line: 1, reader: RUST.reader, problem: "the file contains bytes that are not UTF-8", lost: "file" }];
  return [...readAs(JAVA, text), ...(isUtf8 ? readAs(RUST, text) : encoding), ...readAs(CRT, text)];
}

/** Where in the file the reader is: in which section, and on which key an indented line would go on. */
interface Place {
  readonly section: string | undefined;
  readonly key: string | undefined;
  /** The value above is empty, so that indented lines are keys of their own. */
  readonly isNested: boolean;
  readonly isSkipped: boolean;
}

function readAs(dialect: Dialect, text: string): readonly ReaderProblem[] {
  const found: ReaderProblem[] = [];
  let place: Place = { section: undefined, key: undefined, isNested: false, isSkipped: false };
  for (const [index, line] of text.split(dialect.lineEnd).entries()) {
    if (/^[\t ]*$/.test(line) || /^[#;]/.test(line)) continue;
    const at = { line: index + 1, reader: dialect.reader };
    if (line.startsWith("[")) {
      const next = afterHeader(dialect, line);
      if (typeof next === "string") return [...found, { ...at, problem: next, lost: "file" }];
      place = next;
      continue;
    }
    if (place.isSkipped) continue;
    const isIndented = /^[\t ]/.test(line);
    const problem = isIndented ? indentedProblem(place, line) : lineProblem(place, line);
    if (problem !== undefined) return [...found, { ...at, problem, lost: "file" }];
    if (isIndented) {
      const lost = lostBelow(place, line);
      if (lost.length > 0) found.push({ ...at, problem: "an indented line continues the value above", lost });
    } else place = afterKey(dialect, place, line);
  }
  return found;
}

/** @returns what is wrong, where the whole file is lost for it */
function afterHeader({ endsWithBracket, ofOddSection }: Dialect, line: string): Place | string {
  const cut = line.replace(/[#;].*$/, "").trim();
  if (endsWithBracket ? !cut.endsWith("]") : !cut.includes("]")) return headerProblem(line);
  const name = cut.slice(1, cut.indexOf("]")).trim();
  const isOdd = !IDENTIFIER.test(name);
  return { section: name, key: undefined, isNested: false, isSkipped: isOdd && ofOddSection === "skipped" };
}

function lineProblem(place: Place, line: string): string | undefined {
  if (line.startsWith("\uFEFF")) return "the file begins with a byte order mark";
  if (place.section === undefined) return "the line is before the first section";
  const content = withoutComment(line);
  if (!content.includes("=")) return "the line has no '='";
  return /^\s*=/.test(content) ? "the line has no key" : undefined;
}

function indentedProblem(place: Place, line: string): string | undefined {
  if (place.section === undefined) return "an indented line is before the first section";
  if (place.key === undefined) return "an indented line has no key above it";
  return place.isNested && !line.includes("=") ? "a nested line has no '='" : undefined;
}

/** Where the line is part of a value that matters, or would itself be a key that matters, or a header. */
function lostBelow({ section = "", key = "", isNested }: Place, line: string): readonly string[] {
  const header = nameInBrackets(line);
  if (header !== undefined) return [section, header];
  const own = /^\s*([^=]*?)\s*=/.exec(line)?.[1]?.toLowerCase() ?? "";
  return SIGNING_KEYS.has(key) || (SIGNING_KEYS.has(own) && !isNested) ? [section] : [];
}

function afterKey({ ofOddSection }: Dialect, place: Place, line: string): Place {
  const content = withoutComment(line);
  const equals = content.indexOf("=");
  const key = content.slice(0, equals).trim().toLowerCase();
  const isHomeless = ofOddSection === "homeless" && !(IDENTIFIER.test(key) && IDENTIFIER.test(place.section ?? ""));
  return { ...place, key: isHomeless ? undefined : key, isNested: content.slice(equals + 1).trim() === "" };
}

function withoutComment(line: string): string {
  return line.replace(/[\t ][#;].*$/, "");
}

/**
 * The lines of a credentials file as Python's `configparser` reads them (botocore and boto2 use it), and the header that
 * JavaScript's readers see in a line. Offsets are offsets in the file's bytes, so that no byte is lost.
 */

/** What a line is to `configparser`; it refuses a file for a `stray` one. */
type LineKind = "blank" | "comment" | "header" | "option" | "continuation" | "stray";

/** One line of the file. `start`, `end` and `next` are offsets in bytes. */
export interface Line {
  readonly kind: LineKind;
  /** 1-based. */
  readonly number: number;
  readonly start: number;
  /** Where the text ends and the line end (LF, CRLF or nothing) begins. */
  readonly end: number;
  /** Where the next line begins. */
  readonly next: number;
  /** Decoded as UTF-8, without line end. */
  readonly text: string;
  /** Characters of white space before the text. */
  readonly indent: number;
}

/** The byte that ends a line to every reader. */
export const LF = 0x0a;
/** The byte before it in files with Windows' line ends. */
export const CR = 0x0d;

/** What `str.isspace` and `\s` of Python's `re` take for white space. */
const PYTHON_SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const NON_SPACE = new RegExp(`[^${PYTHON_SPACE}]`);
// Without the look-behind, a long run of blanks inside a line takes quadratic time.
const TRAILING_SPACE = new RegExp(`(?<![${PYTHON_SPACE}])[${PYTHON_SPACE}]+$`);

/** `str.strip()` of Python. JavaScript's `trim` strips U+FEFF as well, but not U+001C to U+001F nor U+0085. */
export function pythonStrip(text: string): string {
  return text.slice(leadingSpace(text)).replace(TRAILING_SPACE, "");
}

function leadingSpace(text: string): number {
  const at = text.search(NON_SPACE);
  return at === -1 ? text.length : at;
}

/**
 * The name of a section header as `configparser` sees it: everything up to the *last* `]` since Python 3.10 (SECTCRE, "very
 * permissive"), up to the first one before.
 */
export function strictHeaderName(stripped: string): string | undefined {
  if (stripped[0] !== "[") return undefined;
  const close = stripped.lastIndexOf("]");
  return close > 1 ? stripped.slice(1, close) : undefined;
}

/** A line as JavaScript's readers see it: without its comment (`parseIni.ts` of smithy and JS v2's `ini.parse` cut alike). */
export function withoutComment(text: string): string {
  if (!text.includes("#") && !text.includes(";")) return text.trim();
  return (text.split(/(^|\s)[;#]/, 1)[0] ?? "").trim();
}

/** The name of a section header as JavaScript's readers see it. */
export function lenientHeaderName(text: string): string | undefined {
  if (!text.includes("[")) return undefined;
  const cut = withoutComment(text);
  return cut[0] === "[" && cut.at(-1) === "]" ? cut.slice(1, -1) : undefined;
}

/** The index of the first `=` or `:` of an option line, or -1. */
export function separatorOf(text: string): number {
  const equals = text.indexOf("=");
  const colon = text.indexOf(":");
  if (equals === -1) return colon;
  return colon === -1 ? equals : Math.min(equals, colon);
}

/** The number of the line that holds an offset, 1-based. */
export function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(LF); at !== -1 && at < offset; at = bytes.indexOf(LF, at + 1)) line++;
  return line;
}

/**
 * The lines from `start` to `end`. Whether an indented line continues the value above depends on the lines before it, so
 * `start` must be the start of the file or of a header that the strict readers see; `number` is its line.
 */
export function* linesFrom(bytes: Buffer, start: number, end: number, number: number): Generator<Line> {
  const classify = openClassifier();
  for (let [at, count] = [start, number]; at < end; count++) {
    const newline = bytes.indexOf(LF, at);
    const isLast = newline === -1 || newline >= end;
    const next = isLast ? end : newline + 1;
    const textEnd = isLast ? end : newline > at && bytes[newline - 1] === CR ? newline - 1 : newline;
    const text = bytes.toString("utf8", at, textEnd);
    const indent = leadingSpace(text);
    yield { kind: classify(text, indent), number: count, start: at, end: textEnd, next, text, indent };
    at = next;
  }
}

/** Tells the kind of each line from the lines before it, in the order of `RawConfigParser._read`, the same in all of Python 3. */
function openClassifier(): (text: string, indent: number) => LineKind {
  let inSection = false;
  let hasOption = false;
  let optionIndent = 0;
  return (text, indent) => {
    if (indent === text.length) return "blank";
    const first = text[indent];
    if (first === "#" || first === ";") return "comment";
    if (inSection && hasOption && indent > optionIndent) return "continuation";
    optionIndent = indent;
    if (first === "[" && strictHeaderName(pythonStrip(text)) !== undefined) {
      inSection = true;
      hasOption = false;
      return "header";
    }
    if (!inSection) return "stray";
    const separator = separatorOf(text);
    // A stray line leaves the option above open: an indented line below it still continues that option's value.
    if (separator === -1) return "stray";
    hasOption = separator > indent;
    return hasOption ? "option" : "stray";
  };
}

/**
 * The lines of a credentials file as Python's `configparser` takes them apart (botocore and boto2 read with it), and
 * the header that JavaScript's readers see in a line. Works on the bytes of the file: offsets are offsets of the file, no
 * byte is lost, and a file of 10 MB is not decoded for the sake of some lines.
 */

/** What `configparser` takes a line for; `stray` is one that it refuses the file for. */
export type LineKind = "blank" | "comment" | "header" | "option" | "continuation" | "stray";

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
// oxlint-disable-next-line no-control-regex -- U+001C to U+001F are white space to Python
const PYTHON_SPACE = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** `str.strip()` of Python. JavaScript's `trim` strips U+FEFF as well, but not U+001C to U+001F nor U+0085. */
export function pythonStrip(text: string): string {
  return text.slice(leadingSpace(text), trailingSpace(text));
}

function leadingSpace(text: string): number {
  let at = 0;
  while (at < text.length && isPythonSpace(text, at)) at++;
  return at;
}

function trailingSpace(text: string): number {
  let at = text.length;
  while (at > 0 && isPythonSpace(text, at - 1)) at--;
  return at;
}

function isPythonSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code > 0x20 && code < 0x80 ? false : PYTHON_SPACE.test(text.charAt(at));
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

/** Where the first `=` or `:` of an option line stands, or -1. */
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
 * Walks over the lines from `start` to `end`. Whether an indented line continues the value above depends on what was
 * before, so a walk has to begin at the start of the file or at a header that the strict readers see.
 */
export class LineScanner {
  readonly #bytes: Buffer;
  readonly #end: number;
  #number: number;
  #at: number;
  #inSection = false;
  #hasOption = false;
  #indent = 0;

  /** @param firstNumber the number of the line at `start`. */
  constructor(bytes: Buffer, start: number, end: number, firstNumber: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#number = firstNumber;
  }

  /** The next line, or undefined at the end. */
  next(): Line | undefined {
    const start = this.#at;
    if (start >= this.#end) return undefined;
    const newline = this.#bytes.indexOf(LF, start);
    const next = newline === -1 ? this.#end : newline + 1;
    let end = newline === -1 ? this.#end : newline;
    if (newline > start && this.#bytes[newline - 1] === CR) end--;
    this.#at = next;
    const text = this.#bytes.toString("utf8", start, end);
    const indent = leadingSpace(text);
    const kind = this.#classify(text, indent);
    return { kind, number: this.#number++, start, end, next, text, indent };
  }

  // The order of the questions is that of `RawConfigParser._read`; it is the same in all of Python 3.
  #classify(text: string, indent: number): LineKind {
    if (indent === text.length) return "blank";
    const first = text[indent];
    if (first === "#" || first === ";") return "comment";
    if (this.#inSection && this.#hasOption && indent > this.#indent) return "continuation";
    this.#indent = indent;
    if (first === "[" && strictHeaderName(pythonStrip(text)) !== undefined) {
      this.#inSection = true;
      this.#hasOption = false;
      return "header";
    }
    if (!this.#inSection) return "stray";
    const separator = separatorOf(text);
    // A stray line leaves the option above open: an indented line below it still goes on with that option's value.
    if (separator === -1) return "stray";
    this.#hasOption = separator > indent;
    return this.#hasOption ? "option" : "stray";
  }
}

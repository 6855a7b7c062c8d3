import { isUtf8 } from "node:buffer";
import { type Line, LineScanner, lenientHeaderName, pythonStrip, strictHeaderName, withoutComment } from "./lines.ts";

/** A line that begins a section for at least one family of readers. The two names are equal for a clean header. */
export interface Boundary {
  readonly header: Line;
  /** The name for Python's readers; undefined when the line is no header to them (it may go on with a value above). */
  readonly strictName: string | undefined;
  /** The name for JavaScript's readers; undefined when the line is no header to them. */
  readonly lenientName: string | undefined;
}

/** Where the sections of a file are: one pass, nothing of a section is looked at before somebody asks for it. */
export interface Layout {
  /** One character per byte. */
  readonly text: string;
  readonly hasBom: boolean;
  readonly isUtf8: boolean;
  readonly boundaries: readonly Boundary[];
  /** Clean headers by name: indexes into `boundaries`. */
  readonly clean: ReadonlyMap<string, readonly number[]>;
  /** Lines that some reader might take for the header of a profile, and others not, by the name in question. */
  readonly lookalikes: ReadonlyMap<string, readonly Line[]>;
  /** The last line of the file, if it has any. */
  readonly lastLine: Line | undefined;
}

const BOM = "\u00ef\u00bb\u00bf";
const JAVA_LINE_END = /[\u0085\u2028\u2029]/;

export function layOut(bytes: Buffer): Layout {
  const text = bytes.toString("latin1");
  const hasBom = text.startsWith(BOM);
  const boundaries: Boundary[] = [];
  const clean = new Map<string, number[]>();
  const lookalikes = new Map<string, Line[]>();
  const scanner = new LineScanner(text, hasBom ? BOM.length : 0, text.length, 1);
  let lastLine: Line | undefined;
  for (let line = scanner.next(); line; line = scanner.next()) {
    lastLine = line;
    if (!line.text.includes("[")) continue;
    const strictName = line.kind === "header" ? strictHeaderName(pythonStrip(line.text)) : undefined;
    const lenientName = lenientHeaderName(line.text);
    const names = namesIn(line.text, strictName, lenientName);
    if (strictName !== undefined && strictName === lenientName) append(clean, strictName, boundaries.length);
    for (const name of names) append(lookalikes, name, line);
    if (strictName !== undefined || lenientName !== undefined)
      boundaries.push({ header: line, strictName, lenientName });
  }
  return { text, hasBom, isUtf8: isUtf8(bytes), boundaries, clean, lookalikes, lastLine };
}

/**
 * The profiles for which a line is dangerous: those that some reader would find in it (GRAMMAR 6: `[ p ]`, `[p] x`, `[p`,
 * `[p]q]`, `[p]; x` and an indented `[p]` under a key) without all of them doing so.
 */
function namesIn(text: string, strictName: string | undefined, lenientName: string | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  // Java v1 ends a line at U+0085, U+2028 and U+2029, so that a header may stand in the middle of what others take for one line.
  for (const part of JAVA_LINE_END.test(text) ? [text, ...text.split(JAVA_LINE_END)] : [text]) {
    const stripped = pythonStrip(part.trim());
    if (stripped[0] !== "[") continue;
    const close = stripped.indexOf("]");
    if (close !== -1) names.add(stripped.slice(1, close).trim());
    else names.add(stripped.slice(1).trim()).add(withoutComment(stripped).slice(1).trim());
    if (part !== text && close !== -1) names.add(stripped.slice(1, close));
  }
  if (strictName !== undefined) names.add(strictName).add(strictName.trim());
  if (lenientName !== undefined) names.add(lenientName).add(lenientName.trim());
  // White space that is not a blank is none to Ruby and Java.
  const isPlain = /^[\t ]*\[.*\](?:[\t ]+[#;].*|[\t ]*)$/.test(text) && !JAVA_LINE_END.test(text);
  if (strictName !== undefined && strictName === lenientName && isPlain) names.delete(strictName);
  return names;
}

function append<T>(map: Map<string, T[]>, name: string, value: T): void {
  const values = map.get(name);
  if (values) values.push(value);
  else map.set(name, [value]);
}

/** The lines of the section that begins at a clean boundary, without its header. */
export function linesOf(layout: Layout, index: number): readonly Line[] {
  const boundary = layout.boundaries[index];
  if (!boundary) return [];
  const end = layout.boundaries[index + 1]?.header.start ?? layout.text.length;
  const scanner = new LineScanner(layout.text, boundary.header.start, end, boundary.header.number);
  scanner.next();
  const lines: Line[] = [];
  for (let line = scanner.next(); line; line = scanner.next()) lines.push(line);
  return lines;
}

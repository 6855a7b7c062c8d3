import { type Line, linesFrom, lenientHeaderName, pythonStrip, strictHeaderName, withoutComment } from "./lines.ts";

/** A line that begins a section for at least one family of readers. The two names are equal for a clean header. */
interface Boundary {
  readonly header: Line;
  /** The name for Python's readers; undefined when they see no header (it may continue a value above). */
  readonly strictName: string | undefined;
  /** The name for JavaScript's readers; undefined when they see no header. */
  readonly lenientName: string | undefined;
}

/** Where the sections of a file are. */
export interface Layout {
  readonly bytes: Buffer;
  readonly hasBom: boolean;
  /** In the order of the file. */
  readonly boundaries: readonly Boundary[];
  /** By name: where its clean headers are among the boundaries. */
  readonly clean: ReadonlyMap<string, readonly number[]>;
  /** By profile: the lines that only some readers take for its header. */
  readonly ambiguousHeaders: ReadonlyMap<string, readonly Line[]>;
  /** The first line that is neither blank nor a comment. */
  readonly firstContent: Line | undefined;
}

const BOM = Buffer.from("\ufeff");

/** Finds a file's boundaries in one pass over its lines. Never throws. */
export function layOut(bytes: Buffer): Layout {
  const hasBom = bytes.subarray(0, BOM.length).equals(BOM);
  const boundaries: Boundary[] = [];
  const clean = new Map<string, number[]>();
  const ambiguousHeaders = new Map<string, Line[]>();
  let firstContent: Line | undefined;
  for (const line of linesFrom(bytes, hasBom ? BOM.length : 0, bytes.length, 1)) {
    if (line.kind !== "blank" && line.kind !== "comment") firstContent ??= line;
    if (!line.text.includes("[")) continue;
    const strictName = line.kind === "header" ? strictHeaderName(pythonStrip(line.text)) : undefined;
    const lenientName = lenientHeaderName(line.text);
    for (const name of ambiguousNames(line.text, strictName, lenientName)) append(ambiguousHeaders, name, line);
    if (strictName === undefined && lenientName === undefined) continue;
    if (strictName !== undefined && strictName === lenientName) append(clean, strictName, boundaries.length);
    boundaries.push({ header: line, strictName, lenientName });
  }
  return { bytes, hasBom, boundaries, clean, ambiguousHeaders, firstContent };
}

const JAVA_LINE_END = /[\u0085\u2028\u2029]/;

/**
 * The profiles for which a line is dangerous: those that some reader would find in it (GRAMMAR 6: `[ p ]`, `[p] x`, `[p`,
 * `[p]q]`, `[p]; x` and an indented `[p]` under a key) without all of them doing so.
 */
function ambiguousNames(
  text: string,
  strictName: string | undefined,
  lenientName: string | undefined,
): ReadonlySet<string> {
  const names = new Set<string>();
  // Java v1 ends a line at U+0085, U+2028 and U+2029, so a header may be in the middle of a line.
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
  // Ruby and Java know no white space but blanks and tabs.
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
export function linesOf({ bytes, boundaries }: Layout, index: number): readonly Line[] {
  const header = boundaries[index]?.header;
  if (!header) return [];
  const end = boundaries[index + 1]?.header.start ?? bytes.length;
  return [...linesFrom(bytes, header.start, end, header.number)].slice(1);
}

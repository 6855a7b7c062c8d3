import { isUtf8 } from "node:buffer";
import { findLandmarks, type Landmarks, Places } from "./landmarks.ts";
import { type Line, LineScanner, lenientHeaderName, pythonStrip, strictHeaderName } from "./lines.ts";
import { mistakableNames } from "./mistakable-names.ts";

/** A line that begins a section for at least one family of readers. The two names are equal for a clean header. */
export interface Boundary {
  readonly header: Line;
  /** The name for Python's readers; undefined when the line is no header to them (it may go on with a value above). */
  readonly strictName: string | undefined;
  /** The name for JavaScript's readers; undefined when the line is no header to them. */
  readonly lenientName: string | undefined;
}

/**
 * Where the sections of a file are. It begins with the file's landmarks: of a plain header at the start of its line only the
 * place is kept, and nothing of a section is looked at before somebody asks for it.
 */
export interface Layout {
  readonly bytes: Buffer;
  readonly hasBom: boolean;
  readonly isUtf8: boolean;
  /** Where the first NUL byte is, and the first carriage return without a line feed; -1 for none. */
  readonly nulAt: number;
  readonly loneReturnAt: number;
  /** The names of all boundaries, in the order of the file. */
  names(): readonly string[];
  /** Where the clean headers of this name are among the boundaries. */
  clean(name: string): readonly number[];
  boundary(index: number): Boundary | undefined;
  /** Lines that some reader might take for the header of this profile, and others not. */
  lookalikes(name: string): readonly Line[];
}

/** From this many different names on, a table of all names is faster than looking for each in turn. */
const FEW_NAMES = 3;

/**
 * Finds a file's boundaries; lines are made when somebody asks for them. Nothing in a file makes it fail.
 *
 * @param landmarks those of `bytes`, where they are known
 */
export function layOut(bytes: Buffer, landmarks: Landmarks = findLandmarks(bytes)): Layout {
  return new FileLayout(bytes, landmarks);
}

class FileLayout implements Layout {
  readonly bytes: Buffer;
  readonly hasBom: boolean;
  readonly nulAt: number;
  readonly loneReturnAt: number;
  /** Where each boundary's line begins. */
  readonly #starts: Places;
  /** The boundaries that are not plain headers. */
  readonly #odd = new Map<number, Boundary>();
  readonly #oddClean = new Map<string, number[]>();
  readonly #lookalikes = new Map<string, Line[]>();
  readonly #found = new Map<string, readonly number[]>();
  /** A number for the many names that are there once. */
  #byName: ReadonlyMap<string, number | readonly number[]> | undefined;
  #isUtf8: boolean | undefined;

  constructor(bytes: Buffer, landmarks: Landmarks) {
    this.bytes = bytes;
    this.hasBom = landmarks.hasBom;
    this.nulAt = landmarks.nulAt;
    this.loneReturnAt = landmarks.loneReturnAt;
    this.#starts = landmarks.oddBrackets.length === 0 ? landmarks.plainHeaders : this.#withOdd(landmarks);
  }

  get isUtf8(): boolean {
    return (this.#isUtf8 ??= isUtf8(this.bytes));
  }

  names(): readonly string[] {
    const text = this.bytes.toString("latin1");
    return Array.from(this.#starts.at.subarray(0, this.#starts.count), (start, index) => {
      const odd = this.#odd.get(index);
      return odd ? (odd.strictName ?? odd.lenientName ?? "") : plainName(text, start);
    });
  }

  clean(name: string): readonly number[] {
    if (!this.#byName && this.#found.size >= FEW_NAMES) this.#byName = this.#indexByName();
    if (this.#byName) {
      const indexes = this.#byName.get(name) ?? [];
      return typeof indexes === "number" ? [indexes] : indexes;
    }
    const known = this.#found.get(name);
    if (known) return known;
    const header = `[${name}]`;
    const first = name.charCodeAt(0);
    const plain: number[] = [];
    const { at, nextByte, count } = this.#starts;
    const firsts = nextByte.subarray(0, count);
    for (let index = firsts.indexOf(first); index !== -1; index = firsts.indexOf(first, index + 1)) {
      if (holdsAt(this.bytes, at[index] ?? 0, header) && !this.#odd.has(index)) plain.push(index);
    }
    const found = [...plain, ...(this.#oddClean.get(name) ?? [])].toSorted((a, b) => a - b);
    this.#found.set(name, found);
    return found;
  }

  boundary(index: number): Boundary | undefined {
    const start = this.#starts.at[index];
    if (start === undefined || index >= this.#starts.count) return undefined;
    const odd = this.#odd.get(index);
    if (odd) return odd;
    const header = new LineScanner(this.bytes, start, this.bytes.length).next();
    const name = header && plainName(header.text, 0);
    return header && { header, strictName: name, lenientName: name };
  }

  lookalikes(name: string): readonly Line[] {
    return this.#lookalikes.get(name) ?? [];
  }

  /** The plain headers and, among them, the other lines that begin a section for some readers. */
  #withOdd({ plainHeaders, oddBrackets }: Landmarks): Places {
    const { bytes } = this;
    const first = this.hasBom ? 3 : 0;
    const starts = new Places(plainHeaders.count + 16);
    let scanner = new LineScanner(bytes, first, bytes.length);
    // Where the last line is that begins anew for every reader, so that an odd line below it can be judged from there.
    let anchor = first;
    let plain = 0;
    const addPlainBefore = (end: number) => {
      for (; plain < plainHeaders.count && (plainHeaders.at[plain] ?? 0) < end; plain++) {
        anchor = plainHeaders.at[plain] ?? 0;
        starts.push(anchor, plainHeaders.nextByte[plain] ?? 0);
      }
    };
    for (const bracket of oddBrackets) {
      addPlainBefore(bracket);
      if (scanner.at < anchor) scanner = new LineScanner(bytes, anchor, bytes.length);
      let line = scanner.next();
      while (line && line.next <= bracket) line = scanner.next();
      if (line) this.#addOdd(line, starts);
    }
    addPlainBefore(bytes.length);
    return starts;
  }

  #addOdd(line: Line, starts: Places): void {
    const strictName = line.kind === "header" ? strictHeaderName(pythonStrip(line.text)) : undefined;
    const lenientName = lenientHeaderName(line.text);
    for (const name of mistakableNames(line.text, strictName, lenientName)) append(this.#lookalikes, name, line);
    if (strictName === undefined && lenientName === undefined) return;
    if (strictName !== undefined && strictName === lenientName) append(this.#oddClean, strictName, starts.count);
    this.#odd.set(starts.count, { header: line, strictName, lenientName });
    starts.push(line.start, this.bytes[line.start + 1] ?? 0);
  }

  #indexByName(): ReadonlyMap<string, number | readonly number[]> {
    const byName = new Map<string, number | number[]>();
    const text = this.bytes.toString("latin1");
    const { at, count } = this.#starts;
    for (let index = 0; index < count; index++) {
      const odd = this.#odd.get(index);
      if (odd && odd.strictName !== odd.lenientName) continue;
      const name = odd ? odd.strictName : plainName(text, at[index] ?? 0);
      if (name === undefined) continue;
      const earlier = byName.get(name);
      if (earlier === undefined) byName.set(name, index);
      else if (typeof earlier === "number") byName.set(name, [earlier, index]);
      else earlier.push(index);
    }
    return byName;
  }
}

/** The name in the plain header that begins at `start`. */
function plainName(text: string, start: number): string {
  return text.slice(start + 1, text.indexOf("]", start));
}

/** Whether this ASCII text stands at `start`. Compared here: most differ in their first bytes, and a native call costs more. */
function holdsAt(bytes: Buffer, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

function append<T>(map: Map<string, T[]>, name: string, value: T): void {
  const values = map.get(name);
  if (values) values.push(value);
  else map.set(name, [value]);
}

/** The lines of the section that begins at a clean boundary, without its header. */
export function linesOf(layout: Layout, index: number): readonly Line[] {
  const boundary = layout.boundary(index);
  if (!boundary) return [];
  const end = layout.boundary(index + 1)?.header.start ?? layout.bytes.length;
  const scanner = new LineScanner(layout.bytes, boundary.header.start, end);
  scanner.next();
  const lines: Line[] = [];
  for (let line = scanner.next(); line; line = scanner.next()) lines.push(line);
  return lines;
}

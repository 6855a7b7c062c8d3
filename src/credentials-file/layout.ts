import { isUtf8 } from "node:buffer";
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
 * Where the sections of a file are. One pass, which looks at nothing but brackets: of a plain header at the start of its
 * line only the place is kept, and nothing of a section is looked at before somebody asks for it.
 */
export interface Layout {
  /** One character per byte. */
  readonly text: string;
  readonly hasBom: boolean;
  readonly isUtf8: boolean;
  /** The names of all boundaries, in the order of the file. */
  names(): readonly string[];
  /** Where the clean headers of this name are among the boundaries. */
  clean(name: string): readonly number[];
  boundary(index: number): Boundary | undefined;
  /** Lines that some reader might take for the header of this profile, and others not. */
  lookalikes(name: string): readonly Line[];
}

const BOM = "\u00ef\u00bb\u00bf";
/** From this many different names on, a table of all names is faster than looking for each in turn. */
const FEW_NAMES = 3;

/**
 * Reads a file's boundaries in one pass; lines are made when somebody asks for them. Nothing in a file makes it fail.
 */
export function layOut(bytes: Buffer): Layout {
  return new FileLayout(bytes);
}

class FileLayout implements Layout {
  readonly text: string;
  readonly hasBom: boolean;
  readonly #bytes: Buffer;
  /** Where each boundary's line begins. */
  readonly #starts: number[] = [];
  /** The boundaries that are not plain headers. */
  readonly #odd = new Map<number, Boundary>();
  readonly #oddClean = new Map<string, number[]>();
  readonly #lookalikes = new Map<string, Line[]>();
  readonly #found = new Map<string, readonly number[]>();
  /** A number for the many names that are there once. */
  #byName: ReadonlyMap<string, number | readonly number[]> | undefined;
  #isUtf8: boolean | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.text = bytes.toString("latin1");
    this.hasBom = this.text.startsWith(BOM);
    this.#scan();
  }

  get isUtf8(): boolean {
    return (this.#isUtf8 ??= isUtf8(this.#bytes));
  }

  names(): readonly string[] {
    return this.#starts.map((start, index) => {
      const odd = this.#odd.get(index);
      return odd ? (odd.strictName ?? odd.lenientName ?? "") : this.#plainName(start);
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
    for (let index = 0; index < this.#starts.length; index++) {
      const start = this.#starts[index] ?? 0;
      // Most names of a large file begin with another letter, which is seen ten times as fast.
      if (this.text.charCodeAt(start + 1) !== first) continue;
      if (this.text.startsWith(header, start) && !this.#odd.has(index)) plain.push(index);
    }
    const found = [...plain, ...(this.#oddClean.get(name) ?? [])].toSorted((a, b) => a - b);
    this.#found.set(name, found);
    return found;
  }

  boundary(index: number): Boundary | undefined {
    const start = this.#starts[index];
    if (start === undefined) return undefined;
    const odd = this.#odd.get(index);
    if (odd) return odd;
    const name = this.#plainName(start);
    const header = new LineScanner(this.text, start, this.text.length).next();
    return header && { header, strictName: name, lenientName: name };
  }

  lookalikes(name: string): readonly Line[] {
    return this.#lookalikes.get(name) ?? [];
  }

  #scan(): void {
    const { text } = this;
    const first = this.hasBom ? BOM.length : 0;
    let scanner = new LineScanner(text, first, text.length);
    // Where the last line is that begins anew for every reader, so that an odd line below it can be judged from there.
    let anchor = first;
    for (let at = text.indexOf("[", first); at !== -1;) {
      const isAtStart = at === first || text.charCodeAt(at - 1) === 0x0a;
      let next = isAtStart ? plainHeaderEnd(text, at) : undefined;
      if (next !== undefined) {
        this.#starts.push(at);
        anchor = at;
      } else {
        if (scanner.at < anchor) scanner = new LineScanner(text, anchor, text.length);
        let line = scanner.next();
        while (line && line.next <= at) line = scanner.next();
        if (line) this.#addOdd(line);
        next = scanner.at;
      }
      at = text.indexOf("[", next);
    }
  }

  #addOdd(line: Line): void {
    const strictName = line.kind === "header" ? strictHeaderName(pythonStrip(line.text)) : undefined;
    const lenientName = lenientHeaderName(line.text);
    for (const name of mistakableNames(line.text, strictName, lenientName)) append(this.#lookalikes, name, line);
    if (strictName === undefined && lenientName === undefined) return;
    if (strictName !== undefined && strictName === lenientName) append(this.#oddClean, strictName, this.#starts.length);
    this.#odd.set(this.#starts.length, { header: line, strictName, lenientName });
    this.#starts.push(line.start);
  }

  #plainName(start: number): string {
    return this.text.slice(start + 1, this.text.indexOf("]", start));
  }

  #indexByName(): ReadonlyMap<string, number | readonly number[]> {
    const byName = new Map<string, number | number[]>();
    for (let index = 0; index < this.#starts.length; index++) {
      const odd = this.#odd.get(index);
      if (odd && odd.strictName !== odd.lenientName) continue;
      const name = odd ? odd.strictName : this.#plainName(this.#starts[index] ?? 0);
      if (name === undefined) continue;
      const earlier = byName.get(name);
      if (earlier === undefined) byName.set(name, index);
      else if (typeof earlier === "number") byName.set(name, [earlier, index]);
      else earlier.push(index);
    }
    return byName;
  }
}

/**
 * Where the line ends when it is nothing but `[name]`, the name of printable ASCII without blanks and brackets: that is
 * the same header to every reader, whatever stands above it. Undefined for any other line.
 */
function plainHeaderEnd(text: string, start: number): number | undefined {
  let at = start + 1;
  let code = text.charCodeAt(at);
  while (code > 0x20 && code < 0x7f && code !== 0x5b && code !== 0x5d) code = text.charCodeAt(++at);
  if (code !== 0x5d || at === start + 1) return undefined;
  const end = at + 1;
  if (end === text.length) return end;
  const isReturn = text.charCodeAt(end) === 0x0d;
  return text.charCodeAt(isReturn ? end + 1 : end) === 0x0a ? end + 1 : undefined;
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
  const end = layout.boundary(index + 1)?.header.start ?? layout.text.length;
  const scanner = new LineScanner(layout.text, boundary.header.start, end);
  scanner.next();
  const lines: Line[] = [];
  for (let line = scanner.next(); line; line = scanner.next()) lines.push(line);
  return lines;
}

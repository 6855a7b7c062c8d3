import { CR, LF } from "./lines.ts";

const BOM = Buffer.from("\ufeff");
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Places in a file, in its order, each with the byte behind it. */
export class Places {
  /** Only the first `count` of these two are filled. */
  at: Uint32Array;
  /** Seen at once, where the file itself would have to be fetched from memory for each place. */
  nextByte: Uint8Array;
  count = 0;

  constructor(room: number) {
    this.at = new Uint32Array(room);
    this.nextByte = new Uint8Array(room);
  }

  push(at: number, nextByte: number): void {
    if (this.count === this.at.length) this.#grow();
    this.at[this.count] = at;
    this.nextByte[this.count++] = nextByte;
  }

  #grow(): void {
    const { at, nextByte } = this;
    this.at = new Uint32Array(at.length * 2);
    this.at.set(at);
    this.nextByte = new Uint8Array(at.length * 2);
    this.nextByte.set(nextByte);
  }
}

/**
 * What a layout begins with, found in one pass over single bytes: where sections may begin, and the bytes that no profile
 * of a file can be written with. It is made while the file is read, of each block as long as the processor's cache holds it.
 */
export class Landmarks {
  hasBom = false;
  /** The lines that are nothing but `[name]`, printable ASCII without blanks and brackets: the same header to every reader. */
  readonly plainHeaders: Places;
  /** The first opening bracket of every other line that has one. */
  readonly oddBrackets: number[] = [];
  /** The first NUL byte; -1 for none. */
  nulAt = -1;
  /** The first carriage return without a line feed; -1 for none. */
  loneReturnAt = -1;
  #end = 0;

  /** @param size of the file, about */
  constructor(size: number) {
    // Most sections are longer than 128 bytes.
    this.plainHeaders = new Places(16 + (size >> 7));
  }

  /** @param end where this look ends: behind a line end, at last at the end of the file. Bytes behind it are not looked at. */
  take(file: Buffer, end: number): void {
    const start = this.#end;
    if (end <= start) return;
    this.#end = end;
    const bytes = file.subarray(0, end);
    if (start === 0) this.hasBom = bytes.subarray(0, BOM.length).equals(BOM);
    this.#findBadBytes(bytes, start);
    const first = this.hasBom ? BOM.length : 0;
    let next = Math.max(start, first);
    for (let at = bytes.indexOf(OPEN, next); at !== -1; at = bytes.indexOf(OPEN, next)) {
      const lineEnd = at === first || bytes[at - 1] === LF ? plainHeaderEnd(bytes, at) : 0;
      if (lineEnd > 0) {
        this.plainHeaders.push(at, bytes[at + 1] ?? 0);
        next = lineEnd;
      } else {
        this.oddBrackets.push(at);
        const newline = bytes.indexOf(LF, at);
        next = newline === -1 ? end : newline;
      }
    }
  }

  #findBadBytes(bytes: Buffer, from: number): void {
    if (this.nulAt === -1) this.nulAt = bytes.indexOf(0, from);
    if (this.loneReturnAt !== -1) return;
    let at = bytes.indexOf(CR, from);
    while (at !== -1 && bytes[at + 1] === LF) at = bytes.indexOf(CR, at + 1);
    this.loneReturnAt = at;
  }
}

/** The landmarks of a file that was read by somebody else. */
export function findLandmarks(bytes: Buffer): Landmarks {
  const landmarks = new Landmarks(bytes.length);
  landmarks.take(bytes, bytes.length);
  return landmarks;
}

const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte > 0x20 && byte < 0x7f && byte !== OPEN && byte !== CLOSE ? 1 : 0,
);

/** Where the line end of the plain header that begins at `start` is, or the end of the file; 0 when there is none. */
function plainHeaderEnd(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (IS_PLAIN[bytes[at] ?? 0] === 1) at++;
  if (bytes[at] !== CLOSE || at === start + 1) return 0;
  const end = at + 1;
  if (end === bytes.length) return end;
  return bytes[bytes[end] === CR ? end + 1 : end] === LF ? end : 0;
}

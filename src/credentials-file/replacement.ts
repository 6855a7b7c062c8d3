/**
 * What an edit makes of a file: bytes `start` to `end` of what was read give way to `bytes`, and all others are the ones
 * that were read. They are neither copied nor compared, which in a file of 10 MB takes as long as writing it.
 */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** To copy less than this is faster than another call of write(2). */
const SMALL = 256 * 1024;

/** The new content in the parts that it is best written in. */
export function partsAfter(before: Buffer, replacement: Replacement): readonly Buffer[] {
  const isSmall = lengthAfter(before, replacement) <= SMALL;
  return isSmall ? [bytesAfter(before, replacement)] : allParts(before, replacement);
}

/** The new content in one piece, a copy. */
export function bytesAfter(before: Buffer, replacement: Replacement): Buffer {
  return Buffer.concat(allParts(before, replacement));
}

function allParts(before: Buffer, { start, end, bytes }: Replacement): readonly Buffer[] {
  return [before.subarray(0, start), bytes, before.subarray(end)];
}

/** How long the new content is. */
export function lengthAfter(before: Buffer, { start, end, bytes }: Replacement): number {
  return before.length - (end - start) + bytes.length;
}

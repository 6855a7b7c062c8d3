/** What an edit makes of a file: bytes `start` to `end` of what was read are replaced by `bytes`, and all others stay. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** The new content. */
export function bytesAfter(before: Buffer, { start, end, bytes }: Replacement): Buffer {
  return Buffer.concat([before.subarray(0, start), bytes, before.subarray(end)]);
}

/** How long the new content is. */
export function lengthAfter(before: Buffer, { start, end, bytes }: Replacement): number {
  return before.length - (end - start) + bytes.length;
}

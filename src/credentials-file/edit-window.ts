/**
 * The part of a file that an edit changed, for the guard, whose models take most of a second for a file of 12 MB.
 *
 * A line at column 0 that is nothing but `[name]`, printable ASCII without blanks and brackets, begins anew for both
 * models: whatever is above, they are in section `name` after it, with no option, block or indentation open, and what
 * they find above it and from it on does not depend on the other. So a file may be cut before such lines into what both
 * versions begin with, what differs, and what both end with; what a model finds in the file is what it finds in the three.
 * When no section of an edited profile is in the first and the last, both versions' entries there belong to others, are the
 * same and in the same order, and the guard passes the middle exactly when it passes the whole (which difference it names
 * may differ). To both models a section is named `p` only where the file holds `[p]`.
 */

/** A file, or a part of it, before and after an edit. */
export interface Versions {
  readonly before: Buffer;
  readonly after: Buffer;
}

/** More profiles are not worth searching the file for. */
const MANY_PROFILES = 8;

/** The two versions without what is certain to be the same for every reader; both whole where nothing is certain. */
export function editWindow(versions: Versions, profiles: readonly string[]): Versions {
  if (profiles.length > MANY_PROFILES) return versions;
  const { before, after } = versions;
  const shorter = Math.min(before.length, after.length);
  const start = sharedLength(shorter, (from, to) => before.subarray(from, to).equals(after.subarray(from, to)));
  const kept = sharedLength(shorter - start, (from, to) => endOf(before, from, to).equals(endOf(after, from, to)));
  const head = lastCut(before, start);
  const tail = firstCut(before, before.length - kept);
  const [above, below] = [before.subarray(0, head), before.subarray(tail)];
  if (profiles.some((profile) => above.includes(`[${profile}]`) || below.includes(`[${profile}]`))) return versions;
  const end = after.length - (before.length - tail);
  return { before: before.subarray(head, tail), after: after.subarray(head, end) };
}

/** How many bytes, of at most `limit`, are the same: found in steps that are halved. */
function sharedLength(limit: number, isSame: (from: number, to: number) => boolean): number {
  let length = 0;
  for (let step = 2 ** 24; step >= 1; step /= 2)
    while (length + step <= limit && isSame(length, length + step)) length += step;
  return length;
}

/** The bytes from `to` to `from` before the end. */
function endOf(bytes: Buffer, from: number, to: number): Buffer {
  return bytes.subarray(bytes.length - to, bytes.length - from);
}

/** The start of the last cutting line that is within the first `length` bytes, its line end included; 0 for none. */
function lastCut(bytes: Buffer, length: number): number {
  for (let at = bytes.lastIndexOf("\n[", length); at !== -1; at = bytes.lastIndexOf("\n[", at - 1)) {
    const end = cutEnd(bytes, at + 1);
    if (end !== undefined && end <= length) return at + 1;
    if (at === 0) break;
  }
  return 0;
}

/** The start of the first cutting line whose line and the line end above it are at or after `from`; the end for none. */
function firstCut(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf("\n[", from); at !== -1; at = bytes.indexOf("\n[", at + 1)) {
    if (cutEnd(bytes, at + 1) !== undefined) return at + 1;
  }
  return bytes.length;
}

/** Where the line after the cutting line at `start` begins; undefined when it is none. */
function cutEnd(bytes: Buffer, start: number): number | undefined {
  const newline = bytes.indexOf("\n", start);
  if (newline === -1) return undefined;
  return /^\[[!-Z\\^-~]+\]\r?$/.test(bytes.toString("latin1", start, newline)) ? newline + 1 : undefined;
}

/**
 * The part of a file that an edit changed, for the guard, whose models take most of a second for a file of 12 MB.
 *
 * A line at column 0 that is nothing but `[name]`, printable ASCII without blanks and brackets, begins anew for both
 * models: whatever stands above, they are in section `name` after it, with no option, block or indentation open, and what
 * they find above it and from it on does not depend on the other. So a file may be cut before such lines into what both
 * versions begin with, what differs, and what both end with; what a model finds in the file is what it finds in the three.
 * When no section of an edited profile is in the first and the last, both versions' entries there belong to others, are the
 * same and in the same order, and the guard passes the middle exactly when it passes the whole (which difference it names
 * may differ). To both models a section is named `p` only where the file holds `[p]`.
 */

/** A file before and after an edit. */
export interface Versions {
  readonly before: Buffer;
  readonly after: Buffer;
  /** `before` in latin1, one character a byte, where somebody has it already. */
  readonly text?: string;
}

/** More names than this are not worth looking for one by one. */
const MANY_PROFILES = 8;

/** The two versions without what is certain to be the same for every reader; both whole where nothing is certain. */
export function changedPart(versions: Versions, profiles: readonly string[]): Versions {
  const { before, after, text = before.toString("latin1") } = versions;
  const whole = { before, after };
  if (profiles.length > MANY_PROFILES) return whole;
  const head = lastCut(before, commonStart(before, after));
  const tail = before.length - firstCut(before, before.length - commonEnd(before, after, head));
  const headers = profiles.map((profile) => Buffer.from(`[${profile}]`).toString("latin1"));
  const { length } = before;
  const isElsewhere = holdsOneOf(text, 0, head, headers) || holdsOneOf(text, length - tail, length, headers);
  if (isElsewhere) return whole;
  return {
    before: before.subarray(head, before.length - tail),
    after: after.subarray(head, after.length - tail),
  };
}

/** Looks at the brackets alone, from `from` to `to`: V8 finds single characters five times as fast as words. */
function holdsOneOf(text: string, from: number, to: number, headers: readonly string[]): boolean {
  for (let at = text.indexOf("[", from); at !== -1 && at < to; at = text.indexOf("[", at + 1)) {
    for (const header of headers) {
      if (text.charCodeAt(at + 1) === header.charCodeAt(1) && text.startsWith(header, at)) return true;
    }
  }
  return false;
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

const BLOCK = 64 * 1024;

function commonStart(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at + BLOCK <= length && a.compare(b, at, at + BLOCK, at, at + BLOCK) === 0) at += BLOCK;
  while (at < length && a[at] === b[at]) at++;
  return at;
}

/** How many bytes both end with, not counting the first `reserved` of each. */
function commonEnd(a: Buffer, b: Buffer, reserved: number): number {
  const length = Math.min(a.length, b.length) - reserved;
  let count = 0;
  const same = (n: number) =>
    a.compare(b, b.length - n, b.length - n + BLOCK, a.length - n, a.length - n + BLOCK) === 0;
  while (count + BLOCK <= length && same(count + BLOCK)) count += BLOCK;
  while (count < length && a[a.length - count - 1] === b[b.length - count - 1]) count++;
  return count;
}

import { wholeFile } from "../../src/credentials-file/edit-window.ts";
import type { CredentialsDocument } from "../../src/credentials-file/document.ts";
import type { Edit } from "../../src/credentials-file/edit.ts";
import { guardSplice as guardReplacement } from "../../src/credentials-file/guard.ts";
import { bytesAfter, type Replacement } from "../../src/base/byte-patch.ts";
import { spliceProfiles as spliceReplacement } from "../../src/credentials-file/splice.ts";

// The editor and its guard for tests that think in whole files.

/** The whole file after the edits; the very bytes of the document when nothing changes. */
export function spliceProfiles(document: CredentialsDocument, edits: ReadonlyMap<string, Edit>): Buffer {
  const before = document.bytes ?? Buffer.alloc(0);
  const replacement = spliceReplacement(document, edits);
  return replacement ? bytesAfter(before, replacement) : before;
}

/** What the guard says of any two files. `isWhole`: it reads them from the first byte to the last. */
export function guardSplice(
  path: string,
  before: Buffer,
  after: Buffer,
  edits: ReadonlyMap<string, Edit>,
  isWhole = false,
): void {
  const replacement = replacementOf(before, after);
  if (isWhole) guardReplacement(path, before, replacement, edits, wholeFile);
  else guardReplacement(path, before, replacement, edits);
}

function replacementOf(before: Buffer, after: Buffer): Replacement {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let kept = 0;
  while (kept < shorter - start && before[before.length - kept - 1] === after[after.length - kept - 1]) kept++;
  return { start, end: before.length - kept, bytes: after.subarray(start, after.length - kept) };
}

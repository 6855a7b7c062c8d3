import { editWindow } from "../../src/credentials-file/edit-window.ts";
import type { CredentialsDocument } from "../../src/credentials-file/document.ts";
import type { Edit } from "../../src/credentials-file/edit.ts";
import { guardRefusal } from "../../src/credentials-file/guard.ts";
import { applyEdits, prepareEdit } from "../../src/credentials-file/splice.ts";

/** The whole file after the edits; the very bytes of the document when nothing changes. */
export function spliceProfiles(document: CredentialsDocument, edits: ReadonlyMap<string, Edit>): Buffer {
  const prepared = [...edits].map(([profile, edit]) => prepareEdit(document, profile, edit));
  return applyEdits(document, prepared) ?? document.bytes ?? Buffer.alloc(0);
}

/** Throws what the guard says of any two files. `isWhole`: it reads them from the first byte to the last. */
export function guardSplice(
  path: string,
  before: Buffer,
  after: Buffer,
  edits: ReadonlyMap<string, Edit>,
  isWhole = false,
): void {
  const refusal = guardRefusal(path, { before, after }, edits, isWhole ? (versions) => versions : editWindow);
  if (refusal) throw refusal;
}

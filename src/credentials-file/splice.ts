import { Failure } from "../base/failure.ts";
import type { CredentialsDocument, SectionBody } from "./document.ts";
import { checkSectionName, type Edit, managedValues } from "./edit.ts";
import { CR, LF, type Line } from "./lines.ts";
import { isManagedKey, type ManagedKey } from "./managed.ts";
import { refusalOf } from "./writability.ts";

/** Bytes `start` to `end` of the file give way to `text`. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One profile's edit, checked against the document and ready to be applied. */
export interface PreparedEdit {
  readonly profile: string;
  readonly edit: Edit;
  /** To the section that it has. */
  readonly changes: readonly Change[];
  /** Of the section that has to be appended. */
  readonly added: ReadonlyMap<ManagedKey, string> | undefined;
}

/**
 * Works out what an edit changes.
 *
 * @throws Failure FILE_UNSAFE when the profile cannot be written safely; STS_INVALID_RESPONSE, CONFIG_INVALID for what is to be written
 */
export function prepareEdit(document: CredentialsDocument, profile: string, edit: Edit): PreparedEdit {
  checkSectionName(profile);
  const values = managedValues(profile, edit);
  const unsafe = refusalOf(document, profile);
  if (unsafe) throw unsafe;
  const body = document.body(profile);
  const isRemoval = edit.kind === "remove";
  return {
    profile,
    edit,
    changes: body ? changesTo(document, body, values, isRemoval) : [],
    added: body || isRemoval ? undefined : values,
  };
}

/**
 * The file with the managed keys of the given profiles set or taken out, and every other byte as it was (DESIGN, "What is
 * written"). Sections that are missing are appended in the order of `edits`.
 *
 * @returns undefined when nothing changes
 */
export function applyEdits(document: CredentialsDocument, edits: readonly PreparedEdit[]): Buffer | undefined {
  const before = document.bytes ?? Buffer.alloc(0);
  const added = edits.flatMap(({ profile, added: values }) => (values ? [{ profile, values }] : []));
  const edited = withChanges(
    before,
    edits.flatMap(({ changes }) => changes),
  );
  const after = added.length > 0 ? Buffer.concat([edited, newSections(edited, added)]) : edited;
  return after.equals(before) ? undefined : after;
}

function withChanges(before: Buffer, changes: readonly Change[]): Buffer {
  // An insertion goes before a removal that begins at the same place.
  const sorted = changes.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of sorted) {
    pieces.push(before.subarray(at, start), Buffer.from(text, "latin1"));
    at = end;
  }
  return Buffer.concat([...pieces, before.subarray(at)]);
}

function changesTo(
  document: CredentialsDocument,
  body: SectionBody,
  values: ReadonlyMap<ManagedKey, string>,
  isRemoval: boolean,
): readonly Change[] {
  const changes: Change[] = [];
  const missing = new Map(values);
  const removed = new Set<Line>();
  for (const { key, line } of body.entries) {
    if (!isManagedKey(key)) continue;
    const value = missing.get(key);
    // The first copy is replaced in place, at its indentation; any other is removed with its line end.
    if (missing.delete(key)) {
      changes.push({ start: line.start, end: line.end, text: `${indentOf(line)}${key} = ${value ?? ""}` });
    } else {
      changes.push({ start: line.start, end: line.next, text: "" });
      removed.add(line);
    }
  }
  checkRemoval(document, body, removed);
  if (isRemoval) return changes.length > 0 ? [...changes, ...headerRemoval(document, body)] : [];
  const lastKey = lastKeyOf(body, removed);
  const indent = newIndent(body);
  const lines = [...missing].map(([key, value]) => `${indent}${key} = ${value}`);
  if (lines.length > 0) changes.push(insertion(document, lastKey, lines));
  return changes;
}

/**
 * To Python 2 (boto2) an indented comment continues the value above it, even across blank lines and other comments.
 * Without that line it would become part of the value before, or, below a header, make the file unreadable.
 */
function checkRemoval(document: CredentialsDocument, { lines }: SectionBody, removed: ReadonlySet<Line>): void {
  let isBelowRemoved = false;
  for (const line of lines) {
    if (line.kind !== "blank" && line.kind !== "comment") isBelowRemoved = removed.has(line);
    else if (isBelowRemoved && line.kind === "comment" && line.indent > 0)
      throw new Failure(
        "FILE_UNSAFE",
        `cannot remove a line safely: ${document.path}:${line.number}: Python 2 would take this indented comment for a part of the value above`,
        { hint: "move the comment to the start of the line" },
      );
  }
}

/**
 * The line after which new keys go: the section's last key with the lines that go on with its value, before the trailing
 * blanks and comments that usually belong to the next section. An indented comment counts with the key above it: to
 * Python 2 (boto2) it *is* part of that key's value, and must not become part of ours.
 */
function lastKeyOf(body: SectionBody, removed: ReadonlySet<Line>): Line {
  const lastKey = body.lines.findLast(
    (line) => line.kind !== "blank" && (line.kind !== "comment" || line.indent > 0) && !removed.has(line),
  );
  return lastKey ?? body.header;
}

/**
 * New keys are as deep as the next header, which is column 0 but for odd files: below a key less indented than itself,
 * Python's readers would take that header for a part of the key's value.
 */
function newIndent({ next }: SectionBody): string {
  return " ".repeat(next?.indent ?? 0);
}

function indentOf(line: Line): string {
  return line.text.slice(0, line.indent);
}

function insertion(document: CredentialsDocument, above: Line, lines: readonly string[]): Change {
  const eol = lineEndAt(document, above);
  // The file's last line may have no end; then the new last line has none either.
  if (above.next === above.end) return { start: above.next, end: above.next, text: eol + lines.join(eol) };
  return { start: above.next, end: above.next, text: lines.map((line) => line + eol).join("") };
}

/** The line end for a new line below `line`: its own, or that of the line above where it has none. */
function lineEndAt(document: CredentialsDocument, line: Line): string {
  const { bytes } = document.layout;
  if (line.next > line.end) return bytes.toString("latin1", line.end, line.next);
  const newline = line.start - 1;
  return newline > 0 && bytes[newline - 1] === CR ? "\r\n" : "\n";
}

/**
 * Removes the header too when the section has no other keys. Comments stay; one after the header keeps it, and so do
 * an indented one and an indented header below, which would become part of the value above. One of two blank lines that would meet goes.
 */
function headerRemoval(document: CredentialsDocument, body: SectionBody): readonly Change[] {
  const { header, lines, entries, next } = body;
  const others = entries.some(({ key }) => !isManagedKey(key));
  const isBare =
    !others &&
    lines.every(({ kind, indent }) => kind === "option" || kind === "blank" || (kind === "comment" && indent === 0));
  if (!isBare || !header.text.trimEnd().endsWith("]") || (next && next.indent > 0)) return [];
  const rest = lines.filter(({ kind }) => kind !== "option");
  const isFollowedByBlank =
    rest[0] === undefined
      ? (lines.at(-1)?.next ?? header.next) === document.layout.bytes.length
      : rest[0].kind === "blank";
  const blank = /(?:^|\n)([\t ]*\r?\n)$/.exec(
    document.layout.bytes.toString("latin1", Math.max(0, header.start - 100), header.start),
  )?.[1];
  const start = isFollowedByBlank && blank !== undefined ? header.start - blank.length : header.start;
  return [{ start, end: header.next, text: "" }];
}

interface NewSection {
  readonly profile: string;
  readonly values: ReadonlyMap<ManagedKey, string>;
}

/** Sections for the end of the file, each after a blank line, with the line end that the last line has. */
function newSections(file: Buffer, added: readonly NewSection[]): Buffer {
  const newline = file.lastIndexOf(LF);
  const eol = newline > 0 && file[newline - 1] === CR ? "\r\n" : "\n";
  const sections = added.map(({ profile, values }) =>
    [`[${profile}]`, ...[...values].map(([key, value]) => `${key} = ${value}`), ""].join(eol),
  );
  const isEmpty = file.length === 0 || (file.length === 3 && file.toString("latin1") === "\u00ef\u00bb\u00bf");
  const isCutOff = newline !== file.length - 1;
  const tail = file.toString("latin1", Math.max(0, file.length - 200)).replace(/\r?\n$/, "");
  const endsBlank = /(?:^|\n)[\t ]*$/.test(tail);
  const lead = isEmpty ? "" : (isCutOff ? eol : "") + (endsBlank ? "" : eol);
  return Buffer.from(lead + sections.join(eol));
}

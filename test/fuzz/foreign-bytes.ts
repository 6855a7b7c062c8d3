import { isManagedKey } from "../../src/credentials-file/managed.ts";

/**
 * What of a file belongs to others, told apart from the editor's own way: line by line, on bytes. A line of the new file is
 * either the next line of the old one, to the byte, or one that an edit may have written; a line of the old file that is
 * not in the new one is a managed key or the header of an edited profile.
 *
 * @returns the first line that breaks this, or undefined
 */
export function foreignChange(before: Buffer, after: Buffer, edited: readonly string[]): string | undefined {
  if (hasBom(before) && !hasBom(after)) return "the byte order mark is gone";
  const was = linesOf(before);
  const is = linesOf(after);
  const headers = new Set(edited.map((name) => `[${Buffer.from(name).toString("latin1")}]`));
  let at = 0;
  // Where a section goes, one of the two blank lines around it that would meet may go with it.
  let blanks = was.filter((line) => headers.has(line.trim())).length;
  const mayGo = (line: string): boolean => isOurs(line, headers) || (line.trim() === "" && blanks-- > 0);
  for (const [number, line] of is.entries()) {
    if (isOurs(line, headers)) {
      // What it stands for is not looked for: a blank line that stays would be taken for one that went.
      if (at < was.length && sameLine(was, at, line)) at++;
      continue;
    }
    while (at < was.length && !sameLine(was, at, line) && mayGo(was[at] ?? "")) at++;
    if (at < was.length && sameLine(was, at, line)) at++;
    else if (line.trim() !== "") return `line ${number + 1} is new: ${JSON.stringify(line)}`;
  }
  while (at < was.length && mayGo(was[at] ?? "")) at++;
  return at < was.length ? `line ${at + 1} is gone: ${JSON.stringify(was[at])}` : undefined;
}

const BOM = "\u00ef\u00bb\u00bf";

function hasBom(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, 3) === BOM;
}

function linesOf(bytes: Buffer): readonly string[] {
  const text = bytes.toString("latin1", hasBom(bytes) ? BOM.length : 0);
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** To the byte; only a last line without line end may have got one. */
function sameLine(was: readonly string[], at: number, line: string): boolean {
  const old = was[at] ?? "";
  return old === line || (at === was.length - 1 && !old.endsWith("\n") && line.replace(/\r?\n$/, "") === old);
}

function isOurs(line: string, headers: ReadonlySet<string>): boolean {
  const key = /^\s*(\w+)\s*[=:]/.exec(Buffer.from(line, "latin1").toString())?.[1]?.toLowerCase();
  return (key !== undefined && isManagedKey(key)) || headers.has(line.trim());
}

import { isUtf8 } from "node:buffer";
import { Failure } from "../base/failure.ts";
import { editWindow, type Versions } from "./edit-window.ts";
import { type Edit, managedValues } from "./edit.ts";
import { readAsParseIni } from "./reader-models/parse-ini-model.ts";
import { isManagedKey } from "./managed.ts";
import type { FoundEntry } from "./reader-models/found-entry.ts";
import { readAsConfigparser } from "./reader-models/configparser-model.ts";

/**
 * The last check before a file is replaced (GRAMMAR.md 12): reads it before and after the edit with two models that share
 * no code with the editor. For each, everything but the managed keys of the edited profiles must be the same, in the same
 * order, and those keys must be exactly what was to be written.
 *
 * @param path for messages
 * @param narrow leaves out what cannot change the verdict
 * @returns FILE_UNSAFE when the edit must not be written
 */
export function guardRefusal(
  path: string,
  versions: Versions,
  edits: ReadonlyMap<string, Edit>,
  narrow = editWindow,
): Failure | undefined {
  const part = narrow(versions, [...edits.keys()]);
  // Decoding makes every odd byte the same U+FFFD, which would hide a change: then each byte is read as a character too.
  const isDecoded = isUtf8(versions.before) && isUtf8(versions.after);
  const encodings = isDecoded ? (["utf8"] as const) : (["latin1", "utf8"] as const);
  let refused: string | undefined;
  for (const encoding of encodings) {
    const wanted = new Map<string, ReadonlyMap<string, string>>();
    for (const [profile, edit] of edits)
      wanted.set(Buffer.from(profile).toString(encoding), managedValues(profile, edit));
    const [was, is] = [part.before.toString(encoding), part.after.toString(encoding)];
    refused ??=
      compare(readAsConfigparser(was), readAsConfigparser(is), wanted, "Python's readers") ??
      compare(readAsParseIni(was), readAsParseIni(is), wanted, "JavaScript's readers");
  }
  if (refused === undefined) return undefined;
  return new Failure("FILE_UNSAFE", `cannot edit ${path} safely: ${refused}`, {
    hint: "look for unusual lines in and around the section, and report this; the file is unchanged",
  });
}

function compare(
  before: readonly FoundEntry[],
  after: readonly FoundEntry[],
  wanted: ReadonlyMap<string, ReadonlyMap<string, string>>,
  readers: string,
): string | undefined {
  const left = new Map<string, Map<string, string>>();
  for (const [profile, values] of wanted) left.set(profile, new Map(values));
  const opened = new Map<string, number>();
  const others = before.filter(({ section, key }) => !wanted.has(section) || (key !== "[" && !isManaged(key)));
  let next = 0;
  for (const { section, key, value } of after) {
    const expected = left.get(section);
    if (expected && key === "[") opened.set(section, (opened.get(section) ?? 0) + 1);
    else if (expected && isManaged(key)) {
      if (expected.get(key) !== value || !expected.delete(key))
        return `${readers} would not find the right ${plainKey(key)} in [${section}]`;
    } else {
      const was = others[next++];
      if (section === was?.section && key === was.key && value === was.value) continue;
      return key === "#"
        ? "a comment would change"
        : `${readers} would see a change in [${section}] outside the managed keys`;
    }
  }
  const missed = others[next];
  if (missed) return `${readers} would miss something of [${missed.section}]`;
  for (const [profile, values] of wanted) {
    const count = opened.get(profile) ?? 0;
    if (left.get(profile)?.size !== 0 || (values.size > 0 && count !== 1) || count > 1) {
      return `${readers} would not find all keys in [${profile}]`;
    }
  }
  return undefined;
}

/** A managed key as any reader may name it: in any case, in a block (`key\0block`), or with a `:` that the reader does not know. */
function isManaged(key: string): boolean {
  return isManagedKey(plainKey(key));
}

function plainKey(key: string): string {
  const cut = key.search(/[:\0]/);
  return (cut === -1 ? key : key.slice(0, cut)).trim().toLowerCase();
}

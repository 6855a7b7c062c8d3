import type { FoundEntry } from "./found-entry.ts";

/**
 * The guard's model of the forgiving readers, after `parseIni` of smithy-typescript (JS SDK v3; packages/core,
 * shared-ini-file-loader/parseIni.ts) and `ini.parse` of JS SDK v2, which Ruby's and Rust's follow in the main: only `=`
 * separates, keys keep their case, a comment begins at ` #` or ` ;`, any indented line may be a key, and an empty value
 * opens a nested block. Where v3 puts a key into a block and v2 does not, the entry's key names both. Comments are
 * entries too, under the key `#`, those behind headers included: no edit may lose one.
 */
export function readAsParseIni(text: string): readonly FoundEntry[] {
  const found: FoundEntry[] = [];
  const note = (section: string, key: string, value: string) => found.push({ section, key, value });
  let current = "";
  let block = "";
  for (const raw of text.replace(/^\ufeff/, "").split("\n")) {
    const cut = raw.search(COMMENT);
    const line = (cut === -1 ? raw : raw.slice(0, cut)).trim();
    if (line === "") {
      if (cut !== -1) note("", "#", raw.endsWith("\r") ? raw.slice(0, -1) : raw);
      continue;
    }
    if (line.startsWith("[") && line.endsWith("]")) {
      current = line.slice(1, -1);
      block = "";
      if (cut !== -1) note("", "#", raw.slice(cut).trimEnd());
      note(current, "[", "");
      continue;
    }
    const equals = line.indexOf("=");
    if (equals < 1) {
      // Not a key to these readers; a managed key with a `:` is named like one all the same. Whole, as what is a comment to
      // these readers may be one to no other.
      note(current, line.includes(":") ? line : `?${raw.trim()}`, "");
      continue;
    }
    const key = line.slice(0, equals).trimEnd();
    const value = line.slice(equals + 1).trimStart();
    const isIndented = /^\s/.test(raw);
    if (value !== "" && !isIndented) block = "";
    note(current, block === "" || !isIndented ? key : `${key}\0${block}`, value);
    if (value === "") block = key;
  }
  return found;
}

const COMMENT = /(?:^|\s)[;#]/;

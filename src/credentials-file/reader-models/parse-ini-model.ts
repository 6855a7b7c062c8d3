import type { Reading } from "./reading.ts";

/**
 * The guard's model of the forgiving readers, after `parseIni` of smithy-typescript (JS SDK v3; packages/core,
 * shared-ini-file-loader/parseIni.ts) and `ini.parse` of JS SDK v2, which Ruby's and Rust's follow in the main: only `=`
 * separates, keys keep their case, a comment begins at ` #` or ` ;`, any indented line may be a key, and an empty value
 * opens a nested block. Where v3 puts a key into a block and v2 does not, the entry's key names both. Comments are
 * entries too, under the key `#`, those behind headers included: no edit may lose one.
 */
export function readAsParseIni(text: string): Reading {
  const section: string[] = [];
  const key: string[] = [];
  const value: string[] = [];
  let current = "";
  let block = "";
  for (const raw of text.replace(/^\ufeff/, "").split("\n")) {
    const cut = raw.search(COMMENT);
    const line = (cut === -1 ? raw : raw.slice(0, cut)).trim();
    let k: string;
    let v = "";
    if (line === "") {
      if (cut === -1) continue;
      k = "#";
      v = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    } else if (line.startsWith("[") && line.endsWith("]")) {
      current = line.slice(1, -1);
      block = "";
      k = "[";
      if (cut !== -1) {
        section.push("");
        key.push("#");
        value.push(raw.slice(cut).trimEnd());
      }
    } else {
      const equals = line.indexOf("=");
      if (equals < 1) {
        // No key to these readers; named like one all the same where it is a managed key with a `:`. Whole, as what seems a
        // comment to these readers may be seen by no other.
        k = line.includes(":") ? line : `?${raw.trim()}`;
      } else {
        const own = line.slice(0, equals).trimEnd();
        v = line.slice(equals + 1).trimStart();
        const isIndented = /^\s/.test(raw);
        if (v !== "" && !isIndented) block = "";
        k = block === "" || !isIndented ? own : `${own}\0${block}`;
        if (v === "") block = own;
      }
    }
    section.push(k === "#" ? "" : current);
    key.push(k);
    value.push(v);
  }
  return { section, key, value };
}

const COMMENT = /(?:^|\s)[;#]/;

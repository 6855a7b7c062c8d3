import { nameInBrackets, type ReaderProblem, SIGNING_KEYS } from "./reader-problem.ts";

const HEADER = /^\[([^[\]]+)\]\s*(?:#.+)?$/;

/** What the parser remembers from line to line; it does not forget it at a header. */
interface Memory {
  /** The last line's key and value, if it was one. */
  item: { readonly key: string; readonly value: string } | undefined;
  /** The key that indented lines are nested under. */
  prefix: string | undefined;
}

/**
 * Where the SDK for Ruby v3 stops or does not find keys (`Aws::IniParser`, ini_parser.rb): an indented key is one nested
 * under the key above; where the line above is no key it fails, and with it whatever reads the file.
 */
export function rubyV3Problems(text: string): readonly ReaderProblem[] {
  const found: ReaderProblem[] = [];
  const memory: Memory = { item: undefined, prefix: undefined };
  let section: string | undefined;
  let blockOf: string | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const at = { line: index + 1, reader: "Ruby v3" };
    const line = raw.replace(/\s;.*$/, "");
    const name = HEADER.exec(line)?.[1]?.trim();
    if (name !== undefined) {
      section = name;
      continue;
    }
    const hidden = nameInBrackets(line.replace(/^\uFEFF/, ""));
    if (hidden !== undefined && !line.includes("="))
      found.push({ ...at, problem: "the section header is not alone at the start of its line", lost: [hidden] });
    if (section === undefined) continue;
    const { item: above, prefix } = memory;
    memory.item = itemOf(line);
    if (memory.item && /^\s/.test(memory.item.key)) {
      if (prefix === undefined && !above)
        return [...found, { ...at, problem: "an indented key has no key right above it", lost: "file" }];
      if (prefix === undefined && above?.value.trim() === "") [memory.prefix, blockOf] = [above.key, section];
      const isNested = memory.prefix !== undefined && blockOf === section;
      if (!isNested && SIGNING_KEYS.has(memory.item.key.trim()))
        found.push({ ...at, problem: "an indented key is taken for a nested one", lost: [section] });
    } else if (memory.item) memory.prefix = undefined;
    else {
      const opened = /^(.+?)\s*=\s*$/.exec(line)?.[1];
      if (opened !== undefined) [memory.prefix, blockOf] = [opened, section];
    }
  }
  return found;
}

function itemOf(line: string): Memory["item"] {
  const [, key, value] = /^(.+?)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
  return key === undefined || value === undefined ? undefined : { key, value };
}

import { isUtf8 } from "node:buffer";
import type { Layout } from "./layout.ts";
import type { ProfileSection } from "./section.ts";
import { LF, lenientHeaderName, type Line, LineScanner, pythonStrip, separatorOf } from "./lines.ts";

/** Something in the file that belongs to others, is kept, and makes the whole file unreadable to some reader. */
export interface FileWarning {
  /** 1-based. */
  readonly line: number;
  /** Who cannot read the file because of it. */
  readonly readers: readonly string[];
  /** A sentence without capital or period. */
  readonly message: string;
}

/** More are not told: one is enough to make the file unreadable, and cron mail should stay short. */
const MAX_WARNINGS = 20;

/**
 * Finds what `configparser` refuses a whole file for (GRAMMAR.md 1, 7): a duplicate section or option, a BOM, a line
 * without separator, a key before the first section, bytes that are not UTF-8, a nested line without `=`.
 */
export function warningsOf(layout: Layout): readonly FileWarning[] {
  const warnings: FileWarning[] = [];
  const python = ["botocore", "boto2"];
  const warn = (line: number, problem: string, readers: readonly string[] = python) => {
    if (warnings.length < MAX_WARNINGS)
      warnings.push({ line, readers, message: `${problem}: ${listed(readers)} cannot read this file at all` });
  };
  if (layout.hasBom)
    warn(1, "the file begins with a byte order mark", [
      "botocore",
      "boto2",
      "Go",
      "Java v1",
      "Java v2",
      "Rust",
      "the CRT",
    ]);
  if (!isUtf8(layout.bytes)) warn(firstOddLine(layout.bytes), "it holds bytes that are not UTF-8");
  const sections = new Map<string, number>();
  const scanner = new LineScanner(layout.bytes, layout.hasBom ? 3 : 0, layout.bytes.length, 1);
  const defaults = new Map<string, number>();
  let options = defaults;
  let inSection = false;
  let option: Line | undefined;
  const badNested = (line: number) => warn(line, "a nested line has no '='", ["botocore"]);
  /** botocore looks at what stands in `[DEFAULT]` when it reads another section, where `configparser` shows it too. */
  const badDefaults: number[] = [];
  for (let line = scanner.next(); line && warnings.length < MAX_WARNINGS; line = scanner.next()) {
    switch (line.kind) {
      case "blank":
      case "comment":
        break;
      case "header": {
        const stripped = pythonStrip(line.text);
        const name = stripped.slice(1, stripped.lastIndexOf("]"));
        const first = sections.get(name);
        // `[DEFAULT]` may come twice, but none of its keys.
        if (first !== undefined && name !== "DEFAULT")
          warn(line.number, `the section [${name}] is there twice, first in line ${first}`);
        sections.set(name, first ?? line.number);
        // `parseIni` of smithy throws for it (profileNameBlockList), and its caller makes of that an empty file.
        if (/^(profile )?__proto__$/.test(lenientHeaderName(line.text) ?? ""))
          warn(line.number, `a section is named [${name}]`, ["JavaScript v3"]);
        options = name === "DEFAULT" ? defaults : new Map();
        inSection = true;
        option = undefined;
        break;
      }
      case "option": {
        const key = pythonStrip(line.text.slice(0, separatorOf(line.text))).toLowerCase();
        const first = options.get(key);
        if (first !== undefined)
          warn(line.number, `the key ${key} is there twice in its section, first in line ${first}`);
        options.set(key, first ?? line.number);
        if (key.includes("[")) warn(line.number, "a key holds a bracket", ["Go"]);
        option = line;
        break;
      }
      case "continuation":
        // botocore's `_parse_nested`: a value that begins on the next line is a nested block, each line with its `=`.
        if (option && separatorOf(option.text) === option.text.trimEnd().length - 1 && isBadNested(line.text)) {
          if (options === defaults) badDefaults.push(line.number);
          else badNested(line.number);
        }
        break;
      case "stray":
        if (line.text.trimStart().startsWith("["))
          warn(line.number, "a section header is not closed", ["botocore", "boto2", "Go", "PHP"]);
        else warn(line.number, inSection ? "the line has no '='" : "the line stands before the first section");
        break;
    }
  }
  if ([...sections.keys()].some((name) => name !== "DEFAULT")) badDefaults.forEach(badNested);
  return warnings.toSorted((a, b) => a.line - b.line);
}

/**
 * Keys of other tools that make a tool act on a section, where rolefresh has never written them: HTSlib reads a file with
 * `expiry_time` again at that time and crashes on keys that it does not know (hfile_s3.c); awsume and clisso remove
 * sections by theirs.
 */
const ACTED_ON: Readonly<Record<string, string>> = {
  expiry_time: "HTSlib (samtools) crashes on a section with it",
  expiration: "awsume deletes sections by it",
  aws_expiration: "clisso deletes sections by it",
};

/** Where one of these sections, which rolefresh writes, holds a key of another tool that will break or delete it. */
export function expiryWarnings(
  document: { profile(name: string): Pick<ProfileSection, "entries"> | undefined },
  profiles: readonly string[],
): readonly FileWarning[] {
  return profiles.flatMap((name) =>
    (document.profile(name)?.entries ?? []).flatMap(({ key, line, nestedUnder }) => {
      const why = nestedUnder === undefined && Object.hasOwn(ACTED_ON, key) ? ACTED_ON[key] : undefined;
      if (why === undefined) return [];
      return [{ line: line.number, readers: [], message: `[${name}] has ${key}: ${why}: delete this line` }];
    }),
  );
}

/** Whether one of the lines that Python's `str.splitlines` makes of a line holds no `=`. */
function isBadNested(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- they end lines to `splitlines`
  const parts = text.split(/[\u000a-\u000d\u001c-\u001e\u0085\u2028\u2029]/);
  return parts.some((part) => !part.includes("=") && pythonStrip(part) !== "");
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")}${names.length > 1 ? " and " : ""}${names.at(-1) ?? ""}`;
}

function firstOddLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(LF, start);
    const end = newline === -1 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
  return 1;
}

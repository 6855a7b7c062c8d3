import { isUtf8 } from "node:buffer";
import type { Layout } from "./layout.ts";
import type { ProfileSection } from "./section.ts";
import { LF, lenientHeaderName, type Line, linesFrom, pythonStrip, separatorOf } from "./lines.ts";

/** Something in the file that rolefresh keeps although some reader cannot read the file because of it. */
export interface FileWarning {
  /** 1-based. */
  readonly line: number;
  /** Who cannot read the file because of it. */
  readonly readers: readonly string[];
  /** A sentence without capital or period. */
  readonly message: string;
}

/** One is enough to make the file unreadable, and cron mail should stay short. */
const MAX_WARNINGS = 20;

const PYTHON = ["botocore", "boto2"];

/**
 * Finds what `configparser` refuses a whole file for (GRAMMAR.md 1, 7): a duplicate section or option, a BOM, a line
 * without separator, a key before the first section, bytes that are not UTF-8, a nested line without `=`.
 */
export function warningsOf({ bytes, hasBom }: Layout): readonly FileWarning[] {
  const scan = new WarningScan();
  if (hasBom) {
    const readers = [...PYTHON, "Go", "Java v1", "Java v2", "Rust", "the CRT"];
    scan.warn(1, "the file begins with a byte order mark", readers);
  }
  if (!isUtf8(bytes)) scan.warn(firstOddLine(bytes), "the file contains bytes that are not UTF-8");
  for (const line of linesFrom(bytes, hasBom ? 3 : 0, bytes.length, 1)) {
    if (scan.found.length === MAX_WARNINGS) break;
    if (line.kind === "header") scan.header(line);
    else if (line.kind === "option") scan.option(line);
    else if (line.kind === "continuation") scan.continuation(line);
    else if (line.kind === "stray") scan.stray(line);
  }
  scan.end();
  return scan.found.toSorted((a, b) => a.line - b.line);
}

class WarningScan {
  readonly found: FileWarning[] = [];
  /** By name: the line of the first header. */
  readonly #sections = new Map<string, number>();
  /** By key: its first line in `[DEFAULT]`. */
  readonly #defaults = new Map<string, number>();
  #options = this.#defaults;
  #option: Line | undefined;
  /** botocore reads `[DEFAULT]` with every other section, where `configparser` shows its keys too. */
  readonly #badDefaults: number[] = [];

  warn(line: number, problem: string, readers: readonly string[] = PYTHON): void {
    const message = `${problem}: ${listed(readers)} cannot read this file at all`;
    if (this.found.length < MAX_WARNINGS) this.found.push({ line, readers, message });
  }

  header({ text, number }: Line): void {
    const stripped = pythonStrip(text);
    const name = stripped.slice(1, stripped.lastIndexOf("]"));
    const first = this.#sections.get(name);
    // `[DEFAULT]` may come twice, but none of its keys.
    if (first !== undefined && name !== "DEFAULT")
      this.warn(number, `section [${name}] is defined twice, first on line ${first}`);
    this.#sections.set(name, first ?? number);
    // `parseIni` of smithy throws for it (profileNameBlockList), and its caller makes of that an empty file.
    if (/^(profile )?__proto__$/.test(lenientHeaderName(text) ?? ""))
      this.warn(number, `a section is named [${name}]`, ["JavaScript v3"]);
    this.#options = name === "DEFAULT" ? this.#defaults : new Map();
    this.#option = undefined;
  }

  option(line: Line): void {
    const key = pythonStrip(line.text.slice(0, separatorOf(line.text))).toLowerCase();
    const first = this.#options.get(key);
    if (first !== undefined)
      this.warn(line.number, `key ${key} is defined twice in its section, first on line ${first}`);
    this.#options.set(key, first ?? line.number);
    if (key.includes("[")) this.warn(line.number, "a key contains a bracket", ["Go"]);
    this.#option = line;
  }

  /** botocore's `_parse_nested`: a value that begins on the next line is a nested block, each line with its `=`. */
  continuation({ text, number }: Line): void {
    const above = this.#option?.text ?? "";
    if (!this.#option || separatorOf(above) !== above.trimEnd().length - 1 || !isBadNested(text)) return;
    if (this.#options === this.#defaults) this.#badDefaults.push(number);
    else this.#badNested(number);
  }

  stray({ text, number }: Line): void {
    if (text.trimStart().startsWith("[")) this.warn(number, "a section header is not closed", [...PYTHON, "Go", "PHP"]);
    else if (this.#sections.size > 0) this.warn(number, "the line has no '='");
    else this.warn(number, "the line is before the first section");
  }

  end(): void {
    if ([...this.#sections.keys()].some((name) => name !== "DEFAULT"))
      for (const line of this.#badDefaults) this.#badNested(line);
  }

  #badNested(line: number): void {
    this.warn(line, "a nested line has no '='", ["botocore"]);
  }
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

/** Where one of these sections, which rolefresh writes, has a key of another tool that will break or delete it. */
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

/** Whether one of the lines that Python's `str.splitlines` makes of a line has no `=`. */
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

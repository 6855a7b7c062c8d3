import {
  type Line,
  LineScanner,
  lenientHeaderName,
  pythonStrip,
  strictHeaderName,
} from "../../src/credentials-file/lines.ts";
import { mistakableNames } from "../../src/credentials-file/mistakable-names.ts";

/** The layout of a file as a walk over every one of its lines finds it: what the fast one is held against. */
export interface SlowLayout {
  readonly boundaries: readonly {
    readonly header: Line;
    readonly strictName: string | undefined;
    readonly lenientName: string | undefined;
  }[];
  readonly clean: ReadonlyMap<string, readonly number[]>;
  readonly lookalikes: ReadonlyMap<string, readonly Line[]>;
}

export function layOutSlowly(bytes: Buffer): SlowLayout {
  const hasBom = bytes.subarray(0, 3).equals(Buffer.from("\ufeff"));
  const boundaries: SlowLayout["boundaries"][number][] = [];
  const clean = new Map<string, number[]>();
  const lookalikes = new Map<string, Line[]>();
  const scanner = new LineScanner(bytes, hasBom ? 3 : 0, bytes.length, 1);
  for (let line = scanner.next(); line; line = scanner.next()) {
    if (!line.text.includes("[")) continue;
    const strictName = line.kind === "header" ? strictHeaderName(pythonStrip(line.text)) : undefined;
    const lenientName = lenientHeaderName(line.text);
    if (strictName !== undefined && strictName === lenientName) append(clean, strictName, boundaries.length);
    for (const name of mistakableNames(line.text, strictName, lenientName)) append(lookalikes, name, line);
    if (strictName !== undefined || lenientName !== undefined)
      boundaries.push({ header: line, strictName, lenientName });
  }
  return { boundaries, clean, lookalikes };
}

function append<T>(map: Map<string, T[]>, name: string, value: T): void {
  const values = map.get(name);
  if (values) values.push(value);
  else map.set(name, [value]);
}

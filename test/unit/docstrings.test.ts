import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { relative } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../../../src/", import.meta.url));

interface Exported {
  /** `src/FILE:LINE NAME` */
  readonly where: string;
  /** The comment that stands right above it, without its signs; undefined when none does. */
  readonly docstring: string | undefined;
  /** A function to its end; empty for everything else. */
  readonly code: string;
}

const DECLARATION = /^export (?:abstract )?(?:async )?(?:function\*?|const|class|interface|type|enum) (\w+)/;

/** Everything that a file exports by a declaration of its own; what is handed on (`export … from`) is documented there. */
function exportedIn(file: string, text: string): readonly Exported[] {
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    const name = DECLARATION.exec(line)?.[1];
    if (name === undefined) return [];
    const code = / function/.test(line) ? lines.slice(at, lines.indexOf("}", at)).join("\n") : "";
    return [{ where: `src/${file}:${at + 1} ${name}`, docstring: docstringAbove(lines, at), code }];
  });
}

function docstringAbove(lines: readonly string[], at: number): string | undefined {
  if (lines[at - 1]?.trimEnd().endsWith("*/") !== true) return undefined;
  const start = lines.slice(0, at).findLastIndex((line) => line.startsWith("/*"));
  if (lines[start]?.startsWith("/**") !== true) return undefined;
  return lines
    .slice(start, at)
    .map((line) =>
      line
        .replace(/^\s*\/?\*+\/?/, "")
        .replace(/\*\/$/, "")
        .trim(),
    )
    .join(" ")
    .trim();
}

async function everythingExported(): Promise<readonly Exported[]> {
  const found: Exported[] = [];
  for (const entry of await readdir(src, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    found.push(...exportedIn(relative(src, path), await readFile(path, "utf8")));
  }
  return found;
}

suite("docstrings", () => {
  test("everything that src exports says what it promises", async () => {
    const all = await everythingExported();
    const silent = all.filter(({ docstring }) => docstring === undefined || docstring.length < 15);
    assert.deepEqual(
      silent.map(({ where }) => where),
      [],
    );
  });

  test("a function that throws a failure of its own names it", async () => {
    const all = await everythingExported();
    const silent = all.filter(
      ({ docstring = "", code }) => /\bthrow (?:new Failure|usage)\(/.test(code) && !/@throws|Failure/.test(docstring),
    );
    assert.deepEqual(
      silent.map(({ where }) => where),
      [],
    );
  });
});

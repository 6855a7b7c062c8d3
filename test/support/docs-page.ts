/** A fenced block of a guide in `docs/`. What each language means to the test stands in docs/README.md. */
export interface DocsBlock {
  readonly language: string;
  /** The line of the file, from 1, on which the block's text starts. */
  readonly line: number;
  readonly text: string;
}

/** The fenced blocks of a page, in order, without the indentation of their fences. */
export function blocksOf(markdown: string): readonly DocsBlock[] {
  const blocks: DocsBlock[] = [];
  let open: { readonly indent: number; readonly language: string; readonly line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^( *)```(\S*)$/.exec(line);
    if (open === undefined) {
      if (fence) open = { indent: fence[1]?.length ?? 0, language: fence[2] ?? "", line: index + 2, lines: [] };
      continue;
    }
    if (fence && fence[2] === "") {
      blocks.push({ language: open.language, line: open.line, text: open.lines.map((text) => `${text}\n`).join("") });
      open = undefined;
    } else open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
  }
  if (open) throw new TypeError(`the block on line ${open.line - 1} has no end`);
  return blocks;
}

/** The commands of a `console` block: what stands behind `$ `, with its continuation lines, and the line each is on. */
export function commandsOf(block: DocsBlock): readonly { readonly line: number; readonly command: string }[] {
  const commands: { line: number; command: string }[] = [];
  let isContinued = false;
  for (const [index, line] of block.text.split("\n").entries()) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ line: block.line + index, command: line.slice(2) });
    else if (isContinued && last) last.command += `\n${line}`;
    else continue;
    isContinued = line.endsWith("\\");
  }
  return commands;
}

/** The first line of `expected` that `output` does not have in its place; `…` stands for anything. Undefined: all are there. */
export function firstMissing(expected: string, output: string): string | undefined {
  const lines = output.split("\n").map((line) => line.trim().replaceAll(/\s+/g, " "));
  let from = 0;
  for (const wanted of expected.split("\n").map((line) => line.trim().replaceAll(/\s+/g, " "))) {
    if (wanted === "") continue;
    const pattern = wanted.split("…").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
    const found = lines.findIndex((line, at) => at >= from && new RegExp(`^${pattern.join(".*")}$`).test(line));
    if (found === -1) return wanted;
    from = found + 1;
  }
  return undefined;
}

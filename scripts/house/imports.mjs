import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Every file of `src/` with the files of ours that it imports, types and dynamic imports included. Paths are relative to `src/`. */
export function readImports() {
  const src = join(root, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).map((name) => name.split(sep).join("/")).filter((name) => name.endsWith(".ts")).toSorted();
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(src, file), "utf8");
      const specifiers = [...text.matchAll(/\bfrom\s*"(\.{1,2}\/[^"]+)"|\bimport\(\s*"(\.{1,2}\/[^"]+)"/g)].map(([, a, b]) => a ?? b);
      return [file, { lines: text.split("\n").length - 1, imports: [...new Set(specifiers.map((one) => posix.normalize(posix.join(posix.dirname(file), one))))] }];
    }),
  );
}

/** The room of a file: its folder in `src/`, or the file itself where it is directly in there. */
export const roomOf = (file) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file);

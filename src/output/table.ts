import stringWidth from "string-width";

/** Columns side by side, two blanks between them, as `kubectl get` prints; easy to read and to cut with awk. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => stringWidth(row[column] ?? ""))));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - stringWidth(cell)))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** The columns of a terminal that the widest line of a text takes; colours take none. */
export function widthOf(text: string): number {
  return Math.max(...text.split("\n").map((line) => stringWidth(line)));
}

import { printable } from "../identity/printable.ts";
import type { Output } from "../world.ts";

/** Writes what a person should know (`info`) or type next (`hint`), a line each; nothing with `--quiet`. */
export function writeNotes(
  err: Output,
  options: { readonly quiet: boolean },
  kind: "info" | "hint",
  notes: readonly string[],
): void {
  if (options.quiet) return;
  for (const note of notes) err.write(`rolefresh: ${kind}: ${printable(note, 2000)}\n`);
}

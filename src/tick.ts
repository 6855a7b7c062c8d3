import { parseQuickArgs } from "./cli/quick-args.ts";
import { CHECK_NOTHING_DUE } from "./cli/exit-code.ts";
import { isKnownFresh, type NoteWorld } from "./command/run/fresh-note.ts";
import type { Output } from "./world.ts";

/** What the fast path may know of the process. */
export interface TickWorld extends NoteWorld {
  readonly argv: readonly string[];
  readonly out: Pick<Output, "isTTY">;
}

/**
 * Ends a run of cron's or systemd's that is known to have nothing to do, before anything else of the program is loaded
 * (`command/run/fresh-note.ts`).
 *
 * @returns the exit status, which is that of `main` for the same arguments; undefined when `main` must be asked
 */
export function tick(world: TickWorld): number | undefined {
  const invocation = parseQuickArgs(world.argv);
  if (!invocation) return undefined;
  const { kind, global } = invocation;
  // Metrics are written at each run, and a person at a terminal gets a table.
  const isSilent = kind === "check" || (global.metricsFile === undefined && (global.quiet || !world.out.isTTY));
  if (!isSilent || !isKnownFresh(invocation, world)) return undefined;
  return kind === "check" ? CHECK_NOTHING_DUE : 0;
}

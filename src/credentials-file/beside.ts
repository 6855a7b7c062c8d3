import { basename, dirname, join } from "node:path";
import type { ResolvedFile } from "./locate.ts";

/** Names of what rolefresh keeps beside a credentials file. None holds anything secret. */

export function directoryOf(file: ResolvedFile): string {
  return dirname(file.target);
}

/** Where the old and the new content stand while a file is written in place. */
export function journalOf(file: ResolvedFile): string {
  return beside(file, "rolefresh-journal");
}

/** The name of a backup: `credentials.bak-20261123T100000Z`, with a counter from the second on. */
export function backupName(file: ResolvedFile, now: Date, count: number): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${file.target}.bak-${stamp}${count === 0 ? "" : `-${count}`}`;
}

export function beside(file: ResolvedFile, suffix: string): string {
  return join(dirname(file.target), `.${basename(file.target)}.${suffix}`);
}

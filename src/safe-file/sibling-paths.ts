import { basename, dirname, join } from "node:path";
import { heldAnchor } from "./directory-handle.ts";
import type { ResolvedFile } from "./resolve-file.ts";

/** Names of what rolefresh keeps beside a credentials file. None holds anything secret. */

/** The directory of the file itself, behind all symbolic links: temp files, locks and backups stand there. */
export function directoryOf(file: ResolvedFile): string {
  return dirname(file.target);
}

/** The path by which the file is read and written; for messages there is `target`. */
export function reachOf(file: ResolvedFile): string {
  const anchor = file.isContested === true ? heldAnchor(directoryOf(file)) : file.anchor;
  return anchor === undefined ? file.target : join(anchor, basename(file.target));
}

/** A path of the file's directory as people know it. */
export function shownPath(file: ResolvedFile, path: string): string {
  return join(directoryOf(file), basename(path));
}

/** Where the old and the new content stand while a file is written in place. */
export function journalOf(file: ResolvedFile): string {
  return beside(file, "rolefresh-journal");
}

/** The name of a backup: `credentials.bak-20261123T100000Z`, with a counter from the second on. */
export function backupName(file: ResolvedFile, now: Date, count: number): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${reachOf(file)}.bak-${stamp}${count === 0 ? "" : `-${count}`}`;
}

/** The path of one of our files there: `.credentials.SUFFIX`. */
export function beside(file: ResolvedFile, suffix: string): string {
  return join(dirname(reachOf(file)), `.${basename(file.target)}.${suffix}`);
}

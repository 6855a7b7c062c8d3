import { basename, dirname, join } from "node:path";
import { heldDirectory } from "./directory-handle.ts";

/** A file that is locked, read and replaced. */
export interface ResolvedFile {
  /** As configured, absolute: for messages. */
  readonly path: string;
  /** With all symbolic links resolved: what is read and replaced, and where temp file and locks stand beside. */
  readonly target: string;
  /** By what root reaches the target's directory where another user could swap it (directory-handle.ts); absent: by its path. */
  readonly heldPath?: string;
  /** The directory is missing, and another user could put a link in its place before root makes and holds it. */
  readonly isContested?: boolean;
}

/** The directory of the file itself, behind all symbolic links: temp files, locks and backups stand there. */
export function directoryOf(file: ResolvedFile): string {
  return dirname(file.target);
}

/** The path by which the file is read and written; for messages there is `target`. */
export function reachOf(file: ResolvedFile): string {
  const heldPath = file.isContested === true ? heldDirectory(directoryOf(file)) : file.heldPath;
  return heldPath === undefined ? file.target : join(heldPath, basename(file.target));
}

/** A path of the file's directory as people know it. */
export function shownPath(file: ResolvedFile, path: string): string {
  return join(directoryOf(file), basename(path));
}

/** Where the old and the new content stand while a file is written in place. */
export function journalOf(file: ResolvedFile): string {
  return siblingPath(file, "rolefresh-journal");
}

/** The name of a backup: `credentials.bak-20261123T100000Z`, with a counter from the second on. */
export function backupName(file: ResolvedFile, now: Date, count: number): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${reachOf(file)}.bak-${stamp}${count === 0 ? "" : `-${count}`}`;
}

/** The path of one of our files there: `.credentials.SUFFIX`. */
export function siblingPath(file: ResolvedFile, suffix: string): string {
  return join(dirname(reachOf(file)), `.${basename(file.target)}.${suffix}`);
}

/** The lock for reading, editing and writing the file: proper-lockfile's own name for it, so that others who use it see ours. */
export function fileLockOf(file: ResolvedFile): string {
  return `${reachOf(file)}.lock`;
}

/** Used where the usual name is taken by a file: aws-runas keeps one there for good (config/ini_loader.go). */
export function secondFileLockOf(file: ResolvedFile): string {
  return siblingPath(file, "rolefresh.lock");
}

/** Whether a name in the file's directory is a temp file's. */
export function isTemporaryName(file: ResolvedFile, name: string): boolean {
  const prefix = `.${basename(file.target)}.rolefresh-`;
  return name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length));
}

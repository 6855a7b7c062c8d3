import { createHash, randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { ResolvedFile } from "./locate.ts";

/** Everything that rolefresh keeps beside a credentials file. No name holds anything secret. */

export function directoryOf(file: ResolvedFile): string {
  return dirname(file.target);
}

/** A new temp file's name: `.credentials.rolefresh-0123456789abcdef`. */
export function temporaryName(file: ResolvedFile): string {
  return beside(file, `rolefresh-${randomBytes(8).toString("hex")}`);
}

/** Whether a name in the file's directory is a temp file's. */
export function isTemporaryName(file: ResolvedFile, name: string): boolean {
  const prefix = `.${basename(file.target)}.rolefresh-`;
  return name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length));
}

/** Where the old and the new content stand while a file is written in place. */
export function journalOf(file: ResolvedFile): string {
  return beside(file, "rolefresh-journal");
}

/** The lock for reading, editing and writing the file: proper-lockfile's own name for it, so that others who use it see ours. */
export function fileLockOf(file: ResolvedFile): string {
  return `${file.target}.lock`;
}

/** Used where the usual name is taken by a file: aws-runas keeps one there for good (config/ini_loader.go). */
export function secondFileLockOf(file: ResolvedFile): string {
  return beside(file, "rolefresh.lock");
}

/** The lock that is held while a profile's credentials are fetched. A profile's name may hold `/`, hence its hash. */
export function flightLockOf(file: ResolvedFile, profile: string): string {
  return beside(file, `${createHash("sha256").update(profile).digest("hex").slice(0, 16)}.flight.lock`);
}

/** The name of a backup: `credentials.bak-20261123T100000Z`, with a counter from the second on. */
export function backupName(file: ResolvedFile, now: Date, count: number): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${file.target}.bak-${stamp}${count === 0 ? "" : `-${count}`}`;
}

function beside(file: ResolvedFile, suffix: string): string {
  return join(dirname(file.target), `.${basename(file.target)}.${suffix}`);
}

import { createHash } from "node:crypto";
import { beside, reachOf } from "./sibling-paths.ts";
import type { ResolvedFile } from "./resolve-file.ts";

/** The lock for reading, editing and writing the file: proper-lockfile's own name for it, so that others who use it see ours. */
export function fileLockOf(file: ResolvedFile): string {
  return `${reachOf(file)}.lock`;
}

/** Used where the usual name is taken by a file: aws-runas keeps one there for good (config/ini_loader.go). */
export function secondFileLockOf(file: ResolvedFile): string {
  return beside(file, "rolefresh.lock");
}

/** The lock that is held while a profile's credentials are fetched. A profile's name may hold `/`, hence its hash. */
export function flightLockOf(file: ResolvedFile, profile: string): string {
  return beside(file, `${createHash("sha256").update(profile).digest("hex").slice(0, 16)}.flight.lock`);
}

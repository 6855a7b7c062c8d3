import type { BigIntStats } from "node:fs";
import { dirname, join } from "node:path";

import { readLink, statLink } from "./calls.ts";
import { isReadOnlyPlace } from "./read-only-mount.ts";

/** Why a file is not root's alone. */
export interface Exposure {
  /** What another user could change: the file, a directory above it, or a link on the way. */
  readonly path: string;
  /** Subject first: `/home/u belongs to user 1000`. */
  readonly reason: string;
  /** What to do about it: starts with a verb. */
  readonly hint: string;
}

/** As Linux limits it (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Looks for anybody but root who could change what a path leads to: by writing the file, or by putting another one in its
 * place through any directory above it, those that links lead through included (as sshd's StrictModes, misc.c
 * `safe_path`). Group root may write, as sudo has it (`sudo_secure_path`); read-only mounts cannot be written by mode.
 *
 * From `/` down: nobody else can change a name in a directory that passed, so that what this function saw is what is opened
 * afterwards. In a sticky directory (/tmp) only directories of root
 * pass: files and links may have been moved there by others.
 *
 * @param path absolute
 * @returns undefined when nobody else can; what is missing or cannot be searched is left to the open to tell.
 */
export async function findExposure(path: string): Promise<Exposure | undefined> {
  const parts = partsOf(path);
  let at = "/";
  let stats = await statLink(at);
  for (let links = 0; ;) {
    const name = parts.shift();
    const next = name === undefined || name === ".." ? undefined : join(at, name);
    const found = next === undefined ? undefined : await look(next);
    const isKept = isSticky(stats) && found !== undefined && found.isDirectory() && found.uid === 0n;
    const exposure = isKept ? undefined : await exposureOf(at, stats);
    if (exposure || name === undefined) return exposure;
    if (name === "..") {
      at = dirname(at);
      stats = await statLink(at);
    } else if (next === undefined || !found) {
      return undefined;
    } else if (!found.isSymbolicLink()) {
      at = next;
      stats = found;
    } else {
      if (++links > MAX_LINKS) return undefined;
      const target = await readLink(next);
      parts.unshift(...partsOf(target));
      if (!target.startsWith("/")) continue;
      at = "/";
      stats = await statLink(at);
    }
  }
}

/** `..` is kept: after a link it means the directory that the link leads to. */
function partsOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function isSticky(stats: BigIntStats): boolean {
  return stats.isDirectory() && stats.uid === 0n && (stats.mode & 0o1000n) !== 0n;
}

async function look(path: string): Promise<BigIntStats | undefined> {
  try {
    return await statLink(path);
  } catch {
    // Missing, or not to be searched: the open that follows gives the same error.
    return undefined;
  }
}

/** The reason for one file or directory by itself. */
async function exposureOf(path: string, stats: BigIntStats): Promise<Exposure | undefined> {
  // A device or FIFO is refused for what it is.
  const reason = stats.isFile() || stats.isDirectory() ? reasonOf(stats) : undefined;
  if (reason === undefined || (await isReadOnlyPlace(path))) return undefined;
  return { path, reason: `${path} ${reason}`, hint: hintOf(path, stats) };
}

function hintOf(path: string, stats: BigIntStats): string {
  if (stats.uid !== 0n)
    return `run rolefresh as that user, or keep the file where only root can write, or run: chown root ${path}`;
  if (isSticky(stats)) return `keep the file in a directory where only root can write, not in ${path}`;
  return `run: chmod go-w ${path}`;
}

function reasonOf({ uid, gid, mode }: BigIntStats): string | undefined {
  if (uid !== 0n) return `belongs to user ${uid}`;
  if ((mode & 0o002n) !== 0n) return "can be written by every user";
  if ((mode & 0o020n) !== 0n && gid !== 0n) return `can be written by group ${gid}`;
  return undefined;
}

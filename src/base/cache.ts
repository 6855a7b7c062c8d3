import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";

import type { Environment } from "../world.ts";
import { errnoOf } from "./failure.ts";

/** Whose cache it is. */
export interface CacheOwner {
  readonly env: Environment;
  readonly home: string;
  readonly uid: number | undefined;
  readonly pid: number;
}

/** Nothing of ours is larger. */
const MAX_BYTES = 1024 * 1024;

/**
 * The directory of what may be lost at any time: what systemd made for it (systemd.exec(5): `$CACHE_DIRECTORY`), else
 * `$XDG_CACHE_HOME/rolefresh`, else `~/.cache/rolefresh` (XDG Base Directory Specification). `scripts/bundle/launch.cjs`
 * keeps V8's code in the same one, by the same rules. Undefined where files have no owners.
 */
export function cacheDirectory({ env, home, uid }: CacheOwner): string | undefined {
  if (uid === undefined) return undefined;
  const made = env["CACHE_DIRECTORY"];
  if (made?.startsWith("/") && basename(made) === "rolefresh") return made;
  const named = env["XDG_CACHE_HOME"];
  const base = named?.startsWith("/") ? named : `${home}/.cache`;
  return base.startsWith("/") ? `${base}/rolefresh` : undefined;
}

/** A text of the cache, if this user wrote it where nobody else may write; a cache that cannot be read is an empty one. */
export function readCached(name: string, owner: CacheOwner): string | undefined {
  const directory = cacheDirectory(owner);
  if (directory === undefined) return undefined;
  let descriptor: number | undefined;
  try {
    if (!isOwn(lstatSync(directory), owner)) return undefined;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    descriptor = openSync(`${directory}/${name}`, flags);
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || !isOwn(stats, owner) || stats.size > MAX_BYTES) return undefined;
    return readFileSync(descriptor, "utf8");
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Keeps a text in the cache where that is possible; nobody hears of it when it is not, as everything works without. A
 * reader sees the old text or the new one. It is not synced: whoever reads must know a text that a power cut damaged.
 */
export function keepCached(name: string, text: string, owner: CacheOwner): void {
  const directory = cacheDirectory(owner);
  if (directory === undefined) return;
  const temporary = `${directory}/${name}.${owner.pid}`;
  try {
    makeOwn(dirname(directory), owner);
    makeOwn(directory, owner);
    if (!isOwn(lstatSync(directory), owner)) return;
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { flag: "wx", mode: 0o600 });
    renameSync(temporary, `${directory}/${name}`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    removeQuietly(temporary);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

function isOwn(stats: { readonly uid: number; readonly mode: number }, { uid }: CacheOwner): boolean {
  return stats.uid === uid && (stats.mode & 0o022) === 0;
}

/** Nothing of root's is left in the home of a user whose $HOME sudo kept. */
function makeOwn(path: string, { uid }: CacheOwner): void {
  if (statSync(path, { throwIfNoEntry: false }) || statSync(dirname(path)).uid !== uid) return;
  mkdirSync(path, { mode: 0o700 });
}

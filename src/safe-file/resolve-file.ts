import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join, parse, resolve, sep } from "node:path";
import { errnoOf, Failure } from "../base/failure.ts";
import { holdDirectory, isOutOfReach } from "./directory-handle.ts";
import { fileFailure } from "./file-failure.ts";
import type { ResolvedFile } from "./sibling-paths.ts";

/** As Linux limits it (path_resolution(7): "40"). */
const MAX_LINKS = 40;

/** One part of a path still to be walked. */
interface Part {
  readonly name: string;
  /** The symbolic link that this part comes from; undefined for a part of the path as configured. */
  readonly link: string | undefined;
}

/**
 * Follows the links of a path, so that a symlinked file stays a link and the file that it points to is
 * replaced. A file that does not exist yet is fine; a link that points to nothing is not: nobody can tell whether a
 * mount is missing or a file is to be made there.
 *
 * @param uid the effective user. To root, a link that another user could have planted is refused: one that root does not
 * own, or in a directory that others own or may write.
 * @throws Failure FILE_UNSAFE for such a link, a directory that is swapped meanwhile, a dangling link or a loop; FILE_UNREADABLE when a directory may not be searched
 */
export async function resolveFile(path: string, uid: number | undefined): Promise<ResolvedFile> {
  const absolute = resolve(path);
  try {
    return await followLinks(absolute, uid);
  } catch (error) {
    throw fileFailure("FILE_UNREADABLE", `cannot read ${absolute}`, error, "check the directories of its path");
  }
}

async function followLinks(absolute: string, uid: number | undefined): Promise<ResolvedFile> {
  const { root } = parse(absolute);
  const parts = toParts(absolute.slice(root.length), undefined);
  let at = root;
  let links = 0;
  for (let part = parts.shift(); part; part = parts.shift()) {
    if (part.name === "..") {
      at = dirname(at);
      continue;
    }
    const next = join(at, part.name);
    const stats = lookAt(next, absolute);
    if (!stats) {
      if (part.link !== undefined)
        throw unsafe(
          absolute,
          `the symbolic link ${part.link} points to ${next}, which does not exist`,
          "create the file that it points to, or remove the link",
        );
      const target = join(next, ...parts.map(({ name }) => name));
      if (parts.length === 0) return reachable(absolute, target, uid);
      if (uid === 0) checkOwners(at, absolute);
      return { path: absolute, target, isContested: uid === 0 && !isOutOfReach(at) };
    }
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > MAX_LINKS)
      throw unsafe(absolute, `the symbolic link ${next} leads back to itself`, "remove the link");
    if (uid === 0) checkPlanted(next, stats.uid, at, absolute);
    const to = readlinkSync(next);
    const linked = resolve(at, to);
    at = parse(linked).root;
    parts.unshift(...toParts(linked.slice(at.length), next));
  }
  return reachable(absolute, at, uid);
}

function reachable(path: string, target: string, uid: number | undefined): ResolvedFile {
  const directory = dirname(target);
  if (uid === 0) checkOwners(directory, path);
  const reach = holdDirectory(directory, path, uid);
  return reach === directory ? { path, target } : { path, target, heldPath: reach };
}

function toParts(path: string, link: string | undefined): Part[] {
  return path
    .split(sep)
    .filter((name) => name !== "" && name !== ".")
    .map((name) => ({ name, link }));
}

function lookAt(path: string, absolute: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    if (errnoOf(error) === "ENOTDIR") throw unsafe(absolute, `${dirname(path)} is not a directory`, "check the path");
    throw fileFailure("FILE_UNREADABLE", `cannot read ${absolute}`, error, `check the permissions of ${dirname(path)}`);
  }
}

function checkPlanted(link: string, owner: number, directory: string, absolute: string): void {
  const { uid, mode } = lstatSync(directory);
  if (owner === 0 && uid === 0 && (mode & 0o022) === 0) return;
  throw unsafe(
    absolute,
    `the symbolic link ${link} may have been made by another user, and root does not follow it`,
    "name the file that the link points to, or run as the user who owns it",
  );
}

/**
 * For root: every directory of the path is where somebody whom it belongs to put it. In `/tmp` any user can make a
 * directory under the name that root is going to use, and would own what root writes in it.
 */
export function checkOwners(directory: string, path: string): void {
  for (let at = directory; at !== dirname(at); at = dirname(at)) {
    const above = dirname(at);
    if (isPlantable(lstatSync(at), lstatSync(above)))
      throw planted(path, `${at} belongs to another user, in a directory where others may write`);
  }
}

/** Whether a user other than root and the directory's owner may have created what is in it. Group root may write (strict-modes.ts). */
export function isPlantable(child: Owned, directory: Owned & { readonly mode: bigint | number }): boolean {
  const mode = Number(directory.mode);
  const isOpen = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && Number(directory.gid) !== 0);
  return isOpen && Number(child.uid) !== 0 && Number(child.uid) !== Number(directory.uid);
}

interface Owned {
  readonly uid: bigint | number;
  readonly gid: bigint | number;
}

/** What root does not write into, as anybody may have put it there. */
export function planted(path: string, problem: string): Failure {
  return unsafe(path, problem, "run as that user: rolefresh schedule systemd --run-as USER");
}

function unsafe(path: string, problem: string, hint: string): Failure {
  return new Failure("FILE_UNSAFE", `cannot use ${path} safely: ${problem}`, { hint });
}

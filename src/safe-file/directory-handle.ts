import { closeSync, constants, lstatSync, openSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, Failure } from "../base/failure.ts";

/** Directories that root holds open because another user could replace them by path. */
const held = new Map<string, number>();

/** How root reaches a directory of another user. `swapped`: it is not there any more, or a link stands in its place. */
export type DirectoryHandle =
  | { readonly kind: "free" }
  | { readonly kind: "held"; readonly path: string }
  | { readonly kind: "swapped" };

/**
 * Keeps hold of a directory for root. Where another user could rename it and put a link in its place, every later look at
 * its path could lead somewhere else: root would then write for that user where he may not. Node has no openat(2); the
 * same is had by the directory's descriptor in /proc (proc_pid_fd(5)), which goes on naming the directory that was opened.
 * Where the path is out of everybody's reach, or there is no /proc, nothing is held.
 *
 * @param directory a path without symbolic links.
 */
export function openDirectory(directory: string): DirectoryHandle {
  if (isOutOfReach(directory)) return { kind: "free" };
  const known = held.get(directory);
  if (known !== undefined && nameOf(known) === directory) return { kind: "held", path: `/proc/self/fd/${known}` };
  let descriptor: number;
  try {
    descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return { kind: "swapped" };
  }
  const name = nameOf(descriptor);
  if (name !== directory) {
    closeSync(descriptor);
    return name === undefined ? { kind: "free" } : { kind: "swapped" };
  }
  // One that was held before stays open: its number must not come to mean another directory.
  held.set(directory, descriptor);
  return { kind: "held", path: `/proc/self/fd/${descriptor}` };
}

/**
 * By what a directory is reached when something is written in it: its path, or for root the directory that it holds open.
 *
 * @param path the file that is to be written, for the message
 * @throws Failure FILE_UNSAFE when it is not there any more, or a link stands in its place
 */
export function holdDirectory(directory: string, path: string, uid: number | undefined): string {
  const handle = uid === 0 ? openDirectory(directory) : ({ kind: "free" } as const);
  if (handle.kind === "swapped") throw swapped(directory, path);
  return handle.kind === "held" ? handle.path : directory;
}

/** By what a directory is reached that root holds open already; undefined when it holds none of this path. */
export function heldDirectory(directory: string): string | undefined {
  const descriptor = held.get(directory);
  return descriptor === undefined ? undefined : `/proc/self/fd/${descriptor}`;
}

/** What is thrown when something else stands in the place of a directory. */
export function swapped(directory: string, path: string): Failure {
  return new Failure("FILE_UNSAFE", `cannot use ${path} safely: ${directory} was replaced just now by another user`, {
    hint: "run as the user who owns it, or keep the file where only root may write",
  });
}

/** Whether nobody but root can put something else in the place of a directory or of one above it. */
export function isOutOfReach(directory: string): boolean {
  for (let at = directory; ; at = dirname(at)) {
    const { uid, mode } = lstatSync(at);
    // In a sticky directory, such as /tmp, what root owns is nobody else's to rename.
    const isShut = (mode & 0o022) === 0 || (at !== directory && (mode & 0o1000) !== 0);
    if (uid !== 0 || !isShut) return false;
    if (at === dirname(at)) return true;
  }
}

function nameOf(descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

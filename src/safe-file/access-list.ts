import { closeSync, fstatSync, openSync, unlinkSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
// A file's mode tells of a directory's default list only where the umask is known; it is set for one call.
import { umask } from "node:process";
import type { Deadline } from "../base/deadline.ts";
import { type ProgramEnd, runProgram } from "../base/program.ts";

/** The lists of two files. `unknown`: there is no getfacl, or it does not know them. */
export type AccessLists =
  | { readonly kind: "known"; readonly lists: readonly (string | undefined)[] }
  | { readonly kind: "unknown" };

/**
 * The access control lists of open files, in getfacl(1)'s words; undefined for one that has none. They are named by their
 * descriptors, so that nobody can put another file in their place.
 *
 * @throws the deadline's failure
 */
export async function accessListsOf(files: readonly FileHandle[], deadline: Deadline): Promise<AccessLists> {
  const names = files.map((_, at) => `/proc/self/fd/${at + 3}`);
  const args = ["--omit-header", "--numeric", "--absolute-names", "--", ...names];
  const end = await run("getfacl", args, files, deadline);
  if (end.kind !== "exit" || end.status !== 0) return { kind: "unknown" };
  const lists = end.stdout.toString().trim().split(/\n\n+/);
  if (lists.length !== files.length) return { kind: "unknown" };
  return { kind: "known", lists: lists.map((list) => (/^mask:/m.test(list) ? entriesOf(list) : undefined)) };
}

/** Gives an open file this list, or none. @returns false when that is not possible @throws the deadline's failure */
export async function setAccessList(file: FileHandle, list: string | undefined, deadline: Deadline): Promise<boolean> {
  const change = list === undefined ? ["--remove-all"] : [`--set=${list}`];
  const end = await run("setfacl", [...change, "--", "/proc/self/fd/3"], [file], deadline);
  return end.kind === "exit" && end.status === 0;
}

/**
 * Whether new files of a directory inherit a list (its default list, acl(5)), for where there is no getfacl: with such a
 * list the umask does not count. One whose mask is empty is not seen.
 *
 * @param path of an empty file that is made and removed
 * @throws the system's error
 */
export function inheritsList(path: string): boolean {
  const before = umask(0o077);
  let descriptor: number;
  try {
    descriptor = openSync(path, "wx", 0o660);
  } finally {
    umask(before);
  }
  try {
    return (fstatSync(descriptor).mode & 0o070) !== 0;
  } finally {
    closeSync(descriptor);
    unlinkSync(path);
  }
}

/** `user::rw-,user:1001:r--,…`: without the remarks on what the mask leaves of an entry. */
function entriesOf(list: string): string {
  return list
    .split("\n")
    .map((line) => line.replace(/\s.*$/, ""))
    .filter((line) => line !== "")
    .join(",");
}

/** With a PATH of its own: what root starts is the system's. */
function run(
  file: string,
  args: readonly string[],
  files: readonly FileHandle[],
  deadline: Deadline,
): Promise<ProgramEnd> {
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" };
  const program = { file, args, name: `'${file}'`, descriptors: files.map(({ fd }) => fd) };
  return runProgram(program, { env, cwd: "/", deadline, killGroup: undefined });
}

import { closeSync, constants, fstatSync, openSync, unlinkSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Deadline } from "../base/deadline.ts";
import { type ProgramEnd, runProgram } from "../base/program.ts";
import { errnoOf, Failure } from "../base/failure.ts";
import { ignoringErrors, temporaryName } from "./file-ops.ts";
import { reachOf, type ResolvedFile } from "./sibling-paths.ts";
import type { Writing } from "./replace-target.ts";

/** The lists of two files. `unknown`: there is no getfacl, or it does not know them. */
type AccessLists =
  | { readonly kind: "known"; readonly lists: readonly (string | undefined)[] }
  | { readonly kind: "unknown" };

/**
 * The access control lists of open files, in getfacl(1)'s words; undefined for one that has none. They are named by their
 * descriptors, so that nobody can put another file in their place.
 *
 * @throws the deadline's failure
 */
async function accessListsOf(files: readonly FileHandle[], deadline: Deadline): Promise<AccessLists> {
  const names = files.map((_, at) => `/proc/self/fd/${at + 3}`);
  const args = ["--omit-header", "--numeric", "--absolute-names", "--", ...names];
  const end = await run("getfacl", args, files, deadline);
  if (end.kind !== "exit" || end.status !== 0) return { kind: "unknown" };
  const lists = end.stdout.toString().trim().split(/\n\n+/);
  if (lists.length !== files.length) return { kind: "unknown" };
  return { kind: "known", lists: lists.map((list) => (/^mask:/m.test(list) ? entriesOf(list) : undefined)) };
}

/** Gives an open file this list, or none. @returns false when that is not possible @throws the deadline's failure */
async function setAccessList(file: FileHandle, list: string | undefined, deadline: Deadline): Promise<boolean> {
  const change = list === undefined ? ["--remove-all"] : [`--set=${list}`];
  const end = await run("setfacl", [...change, "--", "/proc/self/fd/3"], [file], deadline);
  return end.kind === "exit" && end.status === 0;
}

/**
 * Whether new files of a directory inherit a list (its default list, acl(5)), for where there is no getfacl: with such a
 * list the umask does not count. One whose mask is empty is not seen.
 *
 * @param path of an empty file that is made and removed
 * @param umask set for one call, so that a mode tells of a list
 * @throws the system's error
 */
function inheritsList(path: string, umask: (mask: number) => number): boolean {
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

/**
 * Gives a new file the access control list of the one that it is to replace, or none: not the one that it inherited from
 * its directory, and not the mask of the old list as the rights of its group. Called while the new file is 0600, so
 * that an inherited list lets nobody in.
 *
 * Where there is no getfacl, the old file has no list as far as anybody can tell; an inherited one is refused.
 *
 * @throws Failure FILE_WRITE_FAILED when the list cannot be kept or dropped; the deadline's failure
 */
export async function keepAccessList(
  file: ResolvedFile,
  to: FileHandle,
  { ops, deadline, umask }: Pick<Writing, "ops" | "deadline" | "umask">,
): Promise<void> {
  let from: FileHandle;
  try {
    from = await ops.open(reachOf(file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // Gone, or another one: found out before the rename.
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ELOOP") return;
    throw error;
  }
  try {
    const found = await accessListsOf([from, to], deadline);
    if (found.kind === "unknown") {
      if (!umask || inheritsList(temporaryName(file), umask))
        throw refusal(file, "the default list of its directory cannot be dropped");
      return;
    }
    const [old, inherited] = found.lists;
    if (old === undefined && inherited === undefined) return;
    if (!(await setAccessList(to, old, deadline)))
      throw refusal(file, `the ${old === undefined ? "default list of its directory" : "list"} cannot be changed`);
  } finally {
    await ignoringErrors(from.close());
  }
}

function refusal(file: ResolvedFile, problem: string): Failure {
  return new Failure("FILE_WRITE_FAILED", `cannot keep the access rights of ${file.path}: ${problem}`, {
    hint: "install getfacl and setfacl (package acl), run 'chmod 600' on it, or set write_mode = in-place",
  });
}

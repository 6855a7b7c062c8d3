import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { errnoOf, Failure } from "../base/failure.ts";
import { accessListsOf, inheritsList, setAccessList } from "./access-list.ts";
import { ignoringErrors } from "./file-handle.ts";
import type { ResolvedFile } from "./resolve-file.ts";
import { reachOf } from "./sibling-paths.ts";
import { temporaryName } from "./temporary-name.ts";
import type { Writing } from "./replace-target.ts";

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
  { ops, deadline }: Pick<Writing, "ops" | "deadline">,
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
      if (inheritsList(temporaryName(file))) throw refusal(file, "the default list of its directory cannot be dropped");
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

import type { FileHandle } from "node:fs/promises";
import { errnoOf } from "../base/failure.ts";
import { backupName, shownPath } from "./sibling-paths.ts";
import { fileFailure } from "./file-failure.ts";
import { type FileOps, ignoringErrors, writeAll } from "./file-ops.ts";
import type { Snapshot } from "./read-target.ts";
import { makePrivate } from "./replace-target.ts";

/**
 * Keeps the content as `<file>.bak-<time>`, for the owner of the file alone, never over another file.
 *
 * @returns the backup's path, as people know it.
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED
 */
export async function keepBackup({ file, stamp }: Snapshot, bytes: Buffer, ops: FileOps, now: Date): Promise<string> {
  for (let count = 0; ; count++) {
    const path = backupName(file, now, count);
    let handle: FileHandle;
    try {
      handle = await ops.open(path, "wx", 0o600);
    } catch (error) {
      if (errnoOf(error) === "EEXIST" && count < 1000) continue;
      throw fileFailure("FILE_CANNOT_CREATE", `cannot create the backup ${shownPath(file, path)}`, error);
    }
    try {
      try {
        // Before there is anything in it: in another user's directory root's own file could come to be believed elsewhere.
        if (stamp) await makePrivate(handle, stamp);
        await writeAll(handle, bytes, 0);
        await handle.sync();
      } finally {
        await handle.close();
      }
      return shownPath(file, path);
    } catch (error) {
      await ignoringErrors(ops.unlink(path));
      throw fileFailure("FILE_WRITE_FAILED", `cannot write the backup ${shownPath(file, path)}`, error);
    }
  }
}

import { renderInstant } from "../base/duration.ts";
import { errnoOf, Failure } from "../base/failure.ts";
import { openPlace, removeFile, replaceFile } from "../safe-file/small-file.ts";
import type { World } from "../base/world.ts";

/** For container probes. */
export interface Health {
  /** Every profile has credentials of ours that are valid now. */
  readonly healthy: boolean;
  readonly profiles: number;
  readonly wakesAt: Date;
}

/**
 * Writes the health file, one line of JSON, while healthy, and removes it otherwise: `test -f FILE` is a whole probe. Its
 * mtime is the time of the last look.
 *
 * @throws Failure FILE_CANNOT_CREATE, FILE_UNSAFE
 */
export async function keepHealthFile(
  path: string,
  health: Health,
  world: Pick<World, "now" | "pid" | "uid">,
): Promise<void> {
  if (!health.healthy) {
    await removeHealthFile(path, world.uid);
    return;
  }
  const line = {
    healthy: true,
    profiles: health.profiles,
    checked_at: renderInstant(world.now()),
    wakes_at: renderInstant(health.wakesAt),
  };
  try {
    const text = `${JSON.stringify(line)}\n`;
    await replaceFile(await openPlace(path, world.uid), { text, mode: 0o644, unique: world.pid });
  } catch (error) {
    if (error instanceof Failure || errnoOf(error) === undefined) throw error;
    throw new Failure("FILE_CANNOT_CREATE", `cannot write the health file ${path}: ${errnoOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Removes the file; a missing one is fine.
 *
 * @throws Failure FILE_WRITE_FAILED, FILE_UNSAFE
 */
export async function removeHealthFile(path: string, uid: number | undefined): Promise<void> {
  try {
    await removeFile(path, uid);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      "FILE_WRITE_FAILED",
      `cannot remove the health file ${path}: ${errnoOf(error) ?? "unknown error"}`,
      { cause: error },
    );
  }
}

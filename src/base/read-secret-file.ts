import { constants } from "node:fs";
import { open } from "node:fs/promises";

import { errnoOf, Failure } from "./failure.ts";

/** A file that somebody else writes for rolefresh to read: a token, an assertion. */
export interface SecretFile {
  readonly path: string;
  /** What it is in a message: `token file`. */
  readonly what: string;
  /** The config key that names it, for the hints. */
  readonly key: string;
  readonly maxBytes: number;
  /** The failure for a file of more than `maxBytes`, which is not read at all. */
  readonly tooLong: (bytes: number) => Failure;
}

/**
 * Reads such a file, through symlinks.
 *
 * @throws Failure TOKEN_MISSING when there is no such file, TOKEN_UNREADABLE when it may not be read or is no regular
 *   file, and what `tooLong` gives
 */
export async function readSecretFile({ path, what, key, maxBytes, tooLong }: SecretFile): Promise<Buffer> {
  try {
    // Without O_NONBLOCK a FIFO that nobody writes would hold the run for ever, past its deadline.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const info = await file.stat();
      if (!info.isFile()) {
        throw new Failure("TOKEN_UNREADABLE", `the ${what} ${path} is not a regular file`, {
          hint: `set \`${key}\` to the file that holds it itself`,
        });
      }
      if (info.size > maxBytes) throw tooLong(info.size);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errnoOf(error);
    if (error instanceof Failure || code === undefined) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new Failure("TOKEN_MISSING", `there is no ${what} ${path}`, {
        hint: `look at \`${key}\` and at whatever should write it`,
        cause: error,
      });
    }
    throw new Failure("TOKEN_UNREADABLE", `the ${what} ${path} cannot be read (${code})`, {
      hint: `look at its owner and mode with \`ls -lL ${path}\`; it must be readable by the user that runs rolefresh`,
      cause: error,
    });
  }
}

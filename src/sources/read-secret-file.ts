import { Failure } from "../base/failure.ts";
import { readFileSafely } from "../safe-file/read-file.ts";
import type { TimeLimit } from "../safe-file/time-limit.ts";

/** A file that another program writes for rolefresh to read: a token, an assertion. */
export interface SecretFile {
  readonly path: string;
  /** What it is in a message: `token file`. */
  readonly what: string;
  /** The config key or variable that names it, for the hints. */
  readonly key: string;
  readonly maxBytes: number;
  /** The failure for a file of more than `maxBytes`, which is not read at all. */
  readonly tooLong: (bytes: number) => Failure;
}

/**
 * Reads such a file, through symlinks. Its writer is another program (kubelet, an agent, a login tool), so that its owner
 * is not judged: what is in it is checked and sent, never done.
 *
 * @throws Failure TOKEN_MISSING when there is no such file, TOKEN_UNREADABLE when it may not be read or is no regular
 *   file, what `tooLong` gives, and the limit's reason
 */
export async function readSecretFile(file: SecretFile, limit: TimeLimit): Promise<Buffer> {
  const { path, what, key, maxBytes, tooLong } = file;
  const read = await readFileSafely({ path, maxBytes, trust: "data", uid: undefined }, limit);
  switch (read.kind) {
    case "read":
      return read.bytes;
    case "absent":
      throw new Failure("TOKEN_MISSING", `there is no ${what} ${path}`, {
        hint: `check \`${key}\` and the program that writes the file`,
        cause: read.cause,
      });
    case "too-large":
      throw tooLong(read.bytes);
    case "unreadable":
      throw new Failure("TOKEN_UNREADABLE", `the ${what} ${path} cannot be read (${read.errno})`, {
        hint: `make it readable by the user that runs rolefresh: \`ls -lL ${path}\``,
        cause: read.cause,
      });
    case "directory":
    case "special":
    case "exposed":
      throw new Failure("TOKEN_UNREADABLE", `the ${what} ${path} is not a regular file`, {
        hint: `set \`${key}\` to the file itself`,
      });
  }
}

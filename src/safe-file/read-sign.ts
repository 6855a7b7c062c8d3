import { readFileSafely } from "./read-file.ts";

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The text of a small file that is only looked at for signs (a crontab, a file of /proc or /sys); undefined when it cannot
 * be read, or is none.
 */
export async function readSign(path: string): Promise<string | undefined> {
  const read = await readFileSafely({ path, maxBytes: MAX_BYTES, trust: "data", uid: undefined });
  return read.kind === "read" ? read.bytes.toString("utf8") : undefined;
}

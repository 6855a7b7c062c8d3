import { readFileSafely, refusalOf } from "./read-file.ts";
import type { TimeLimit } from "./time-limit.ts";

/** A file's bytes as text, or why it was not read (as `refusalOf` says it). */
export type TextRead =
  | { readonly text: string }
  | { readonly text?: undefined; readonly why: string; readonly hint: string; readonly isAbsent: boolean };

/**
 * Reads a file that decides what this process does.
 *
 * @param file `uid`: the effective user id; undefined where files have no owners
 */
export async function readTrustedText(
  file: { readonly path: string; readonly maxBytes: number; readonly uid: number | undefined },
  limit: TimeLimit,
): Promise<TextRead> {
  const read = await readFileSafely({ ...file, trust: "commands" }, limit);
  if (read.kind === "read") return { text: read.bytes.toString("utf8") };
  return { ...refusalOf(read, file.path), isAbsent: read.kind === "absent" };
}

import { readFileSafely, refusalOf } from "./read-file.ts";
import type { TimeLimit } from "./time-limit.ts";

/** A file's bytes as text, or why it was not read (as `refusalOf` says it). */
export type TextRead =
  | { readonly text: string }
  | { readonly text?: undefined; readonly why: string; readonly hint: string; readonly isAbsent: boolean };

/** Reads a file that decides what this process does. */
export type ReadText = (path: string, maxBytes: number) => Promise<TextRead>;

/**
 * A reader of files that decide what this process does, for rooms that do not know this one.
 *
 * @param uid the effective user id; undefined where files have no owners
 */
export function textReader(uid: number | undefined, limit: TimeLimit): ReadText {
  return async (path, maxBytes) => {
    const read = await readFileSafely({ path, maxBytes, trust: "commands", uid }, limit);
    if (read.kind === "read") return { text: read.bytes.toString("utf8") };
    return { ...refusalOf(read, path), isAbsent: read.kind === "absent" };
  };
}

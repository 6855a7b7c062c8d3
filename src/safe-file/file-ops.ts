// oxlint-disable-next-line no-restricted-imports -- the calls that write; what they open to read is a journal, judged by its descriptor
import * as fs from "node:fs/promises";

/** The calls with which files are written, as an argument so that tests can make each of them fail. */
export type FileOps = Pick<typeof fs, "open" | "rename" | "unlink" | "lstat" | "readdir">;

/** The real file system; only tests pass another. */
export const systemOps: FileOps = fs;

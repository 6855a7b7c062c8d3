import type { BigIntStats } from "node:fs";

/** What tells one state of a file from another without reading it. */
export type Stamped = Pick<BigIntStats, "dev" | "ino" | "size" | "mtimeNs" | "ctimeNs">;

/** The same text for the same state; ctime changes with every change, of mode and owner too, and nobody can set it. */
export function stampText({ dev, ino, size, mtimeNs, ctimeNs }: Stamped): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

/** How coarse a file system's clock may be: FAT counts in two seconds. */
const COARSEST_NS = 2_000_000_000n;

/**
 * Whether a stamp that was taken at `now` will differ after the next change. Within the same tick of the file system's
 * clock it may not (git calls such files "racily clean": gitformat-index(5), racy-git).
 */
export function isSettled({ mtimeNs, ctimeNs }: Pick<Stamped, "mtimeNs" | "ctimeNs">, now: Date): boolean {
  const latest = BigInt(now.getTime()) * 1_000_000n - COARSEST_NS;
  return mtimeNs < latest && ctimeNs < latest;
}

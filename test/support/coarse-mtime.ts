import fs, { type BigIntStats, type PathLike, type Stats, type StatSyncOptions } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

// For `node --import`: a file system that keeps times in steps of two seconds, as FAT does, in the calls that locks use.
// (A real one with steps of one second is in races-locks.ts.)
const STEP_MS = 2000;
const { lstatSync, utimesSync } = fs;

const floor = (time: Date | number | string): Date =>
  new Date(Math.floor(new Date(typeof time === "number" ? time * 1000 : time).getTime() / STEP_MS) * STEP_MS);

Object.assign(fs, {
  utimesSync: (path: PathLike, accessed: Date | number | string, modified: Date | number | string) =>
    utimesSync(path, floor(accessed), floor(modified)),
  lstatSync: (path: PathLike, options?: StatSyncOptions): Stats | BigIntStats | undefined => {
    const stats = lstatSync(path, options);
    if (stats === undefined) return undefined;
    const ms = Math.floor(Number(stats.mtimeMs) / STEP_MS) * STEP_MS;
    const coarse = typeof stats.mtimeMs === "bigint" ? { mtimeNs: BigInt(ms) * 1_000_000n } : {};
    return Object.assign(stats, { mtime: new Date(ms), ...coarse });
  },
});
syncBuiltinESMExports();

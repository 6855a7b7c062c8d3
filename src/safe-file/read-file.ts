import { type BigIntStats, constants } from "node:fs";

import { errnoOf } from "../base/failure.ts";
import { closeQuietly, openToRead, readUpTo, statOpen, statPath } from "./calls.ts";
import { type Exposure, findExposure } from "./strict-modes.ts";
import { type TimeLimit, withinLimit } from "./time-limit.ts";

/** A file that is to be read. */
export interface FileToRead {
  /** Absolute. */
  readonly path: string;
  readonly maxBytes: number;
  /**
   * `commands`: it decides what this process does, so that root takes it only where nobody else can change it.
   * `data`: it proves or tells something, and another user may be the one to write it.
   */
  readonly trust: "commands" | "data";
  /** The effective user id; undefined where files have no owners. */
  readonly uid: number | undefined;
  /** Symbolic links are followed unless the last part of the path must be none. */
  readonly links?: "refused";
}

/** What became of it. */
export type FileRead =
  | { readonly kind: "read"; readonly bytes: Buffer; readonly stats: BigIntStats }
  | { readonly kind: "absent"; readonly cause: unknown }
  | { readonly kind: "directory" }
  /** A FIFO, a device, a socket; a link where `links` are refused. */
  | { readonly kind: "special" }
  | { readonly kind: "too-large"; readonly bytes: number }
  | { readonly kind: "exposed"; readonly exposure: Exposure }
  | { readonly kind: "unreadable"; readonly errno: string; readonly cause: unknown };

/**
 * The one way to read a file by its path. It never waits for a writer (O_NONBLOCK), takes only a regular file, no more of it
 * than `maxBytes`, and judges and reads the same descriptor. Runs beside the event loop.
 *
 * @throws what `withinLimit` throws
 */
export async function readFileSafely(file: FileToRead, limit: TimeLimit = {}): Promise<FileRead> {
  return withinLimit(file.path, readNow(file), limit);
}

async function readNow(file: FileToRead): Promise<FileRead> {
  let descriptor: number | undefined;
  try {
    if (file.trust === "commands" && file.uid === 0) {
      const exposure = await findExposure(file.path);
      if (exposure) {
        // Where there is no file the next usual place may have one.
        await statPath(file.path);
        return { kind: "exposed", exposure };
      }
    }
    descriptor = await openToRead(file.path, file.links === "refused" ? constants.O_NOFOLLOW : 0);
    const stats = await statOpen(descriptor);
    if (stats.isDirectory()) return { kind: "directory" };
    if (!stats.isFile()) return { kind: "special" };
    if (stats.size > BigInt(file.maxBytes)) return { kind: "too-large", bytes: Number(stats.size) };
    const bytes = await readUpTo(descriptor, Number(stats.size), file.maxBytes);
    return bytes.length > file.maxBytes ? { kind: "too-large", bytes: bytes.length } : { kind: "read", bytes, stats };
  } catch (error) {
    const errno = errnoOf(error);
    switch (errno) {
      case undefined:
        throw error;
      case "ENOENT":
      case "ENOTDIR":
        return { kind: "absent", cause: error };
      case "ENXIO":
        // A socket, or a device without a driver.
        return { kind: "special" };
      case "ELOOP":
        return file.links === "refused" ? { kind: "special" } : { kind: "unreadable", errno, cause: error };
      default:
        return { kind: "unreadable", errno, cause: error };
    }
  } finally {
    if (descriptor !== undefined) closeQuietly(descriptor);
  }
}

/** Why a file was not read, as the end of a sentence whose subject is the file, and what to do about it. */
export interface Refusal {
  readonly why: string;
  readonly hint: string;
}

/** @param path as it was asked for */
export function refusalOf(read: Exclude<FileRead, { kind: "read" }>, path: string): Refusal {
  switch (read.kind) {
    case "absent":
      return { why: "it does not exist", hint: `check the path: ls -l ${path}` };
    case "directory":
      return { why: "it is a directory", hint: "name the file in it" };
    case "special":
      return { why: "it is not a regular file", hint: `check the path: ls -l ${path}` };
    case "too-large":
      return { why: `it is too large: ${read.bytes} bytes`, hint: `check the path: ls -lL ${path}` };
    case "unreadable":
      return { why: `it cannot be read (${read.errno})`, hint: `check its owner and mode: ls -lL ${path}` };
    case "exposed":
      return {
        why: `${read.exposure.reason}, and root trusts only what root alone can change`,
        hint: read.exposure.hint,
      };
  }
}

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

const SIGN_MAX_BYTES = 4 * 1024 * 1024;

/**
 * The text of a small file that is only looked at for signs (a crontab, a file of /proc or /sys); undefined when it cannot
 * be read, or is none.
 */
export async function readSign(path: string): Promise<string | undefined> {
  const read = await readFileSafely({ path, maxBytes: SIGN_MAX_BYTES, trust: "data", uid: undefined });
  return read.kind === "read" ? read.bytes.toString("utf8") : undefined;
}

import { isUtf8 } from "node:buffer";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";

import { errnoOf, Failure } from "../base/failure.ts";
import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import type { ConfigWorld } from "./config.ts";

/** The configuration file as bytes' text, with what tells whether its commands may be trusted. */
export interface ConfigSource {
  readonly file: string;
  readonly directory: string;
  readonly text: string;
  /** Why a command in this file must not be run (others may write to the file), or undefined when it may. */
  readonly untrusted: string | undefined;
}

/** `~` and `~/x` are the user's home; everything else is relative to `base`. */
export function resolvePath(path: string, home: string, base: string): string {
  if (path === "~") return home;
  if (path.startsWith("~/")) return join(home, path.slice(2));
  return isAbsolute(path) ? path : resolve(base, path);
}

/**
 * Reads the first configuration there is: `--config`, `$ROLEFRESH_CONFIG`, `~/.aws/rolefresh.ini`, `/etc/rolefresh.ini`.
 * One that is named must exist; of the two usual places only a true "no such file" goes on to the next.
 *
 * @throws Failure CONFIG_MISSING, CONFIG_UNREADABLE (77), CONFIG_INVALID (a directory, too large, not UTF-8, or a path with
 *   a variable that is not set)
 */
export async function readConfigSource(named: string | undefined, world: ConfigWorld): Promise<ConfigSource> {
  const chosen = named ?? (world.env["ROLEFRESH_CONFIG"] || undefined);
  if (chosen !== undefined) {
    const file = pathOrThrow(
      named === undefined ? "ROLEFRESH_CONFIG" : "--config",
      expandPath(chosen, world, world.cwd),
    );
    const source = await readIfPresent(file, world.uid);
    if (source) return source;
    throw new Failure("CONFIG_MISSING", `there is no config file ${file}`, {
      hint: named === undefined ? "it is named by $ROLEFRESH_CONFIG" : "check the path given with --config",
    });
  }
  const usual = [join(world.home, ".aws", "rolefresh.ini"), "/etc/rolefresh.ini"];
  for (const file of usual) {
    const source = await readIfPresent(file, world.uid);
    if (source) return source;
  }
  throw new Failure("CONFIG_MISSING", `nothing is configured: there is neither ${usual.join(" nor ")}`, {
    hint: "write one with 'rolefresh init', or name one role with --role-arn ARN",
  });
}

const MAX_BYTES = 4 * 1024 * 1024;

async function readIfPresent(file: string, uid: number | undefined): Promise<ConfigSource | undefined> {
  try {
    // Synchronous: loading and starting what `fs/promises` needs takes ten times as long as reading these files.
    const info = statSync(file);
    if (info.isDirectory()) throw new Failure("CONFIG_INVALID", `the config ${file} is a directory`);
    if (!info.isFile()) throw new Failure("CONFIG_INVALID", `the config ${file} is not a regular file`);
    if (info.size > MAX_BYTES) throw new Failure("CONFIG_INVALID", `the config ${file} is larger than 4 MiB`);
    accessSync(file, constants.R_OK);
    const bytes = readFileSync(file);
    if (!isUtf8(bytes)) throw new Failure("CONFIG_INVALID", `the config ${file} is not UTF-8`);
    const text = bytes.toString("utf8");
    return { file, directory: dirname(file), text, untrusted: whyUntrusted(info, uid) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    if (errno === "EACCES" || errno === "EPERM") {
      throw new Failure("CONFIG_UNREADABLE", `the config ${file} cannot be read: permission denied`, {
        hint: `ls -l ${file}`,
        cause: error,
      });
    }
    if (errno === undefined) throw error;
    throw new Failure("CONFIG_INVALID", `the config ${file} cannot be read: ${errno}`, { cause: error });
  }
}

/** Commands in the config run as us: whoever may write the file could run anything (as sudo and ssh judge theirs). */
function whyUntrusted(
  info: { readonly uid: number; readonly mode: number },
  uid: number | undefined,
): string | undefined {
  if (uid === undefined) return undefined;
  if (info.uid !== uid && info.uid !== 0) return `the file belongs to user ${info.uid}`;
  if ((info.mode & 0o022) !== 0) return "the file may be written by others";
  return undefined;
}

import { isUtf8 } from "node:buffer";
import { dirname, join } from "node:path";

import { Failure } from "../base/failure.ts";
import { expandPath, HOME_UNKNOWN, pathOrThrow } from "../base/expand-path.ts";
import { type FileRead, readFileSafely, refusalOf } from "../safe-file/read-file.ts";
import type { ConfigWorld } from "./config.ts";

/** The text of the config file, and whether its commands may be run. */
export interface ConfigSource {
  readonly file: string;
  readonly directory: string;
  readonly text: string;
  /** Why its commands must not be run (others may write to the file), or undefined. */
  readonly untrusted: string | undefined;
  /** Its lines are not shown in issues: it is neither its reader's own file nor world-readable. */
  readonly isHidden?: boolean;
}

/**
 * Reads the first config of: `--config`, `$ROLEFRESH_CONFIG`, `~/.aws/rolefresh.ini`, `/etc/rolefresh.ini`. A named one must
 * exist; of the two usual ones only "no such file" continues with the next.
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
    const source = await readIfPresent(file, world);
    if (source) return source;
    throw new Failure("CONFIG_MISSING", `the config ${file} does not exist`, {
      hint: `check the path in ${named === undefined ? "$ROLEFRESH_CONFIG" : "--config"}`,
    });
  }
  const own = world.home === undefined ? [] : [join(world.home, ".aws", "rolefresh.ini")];
  const usual = [...own, "/etc/rolefresh.ini"];
  for (const file of usual) {
    const source = await readIfPresent(file, world);
    if (source) return source;
  }
  const where = own.length > 0 ? "" : `; ${HOME_UNKNOWN}`;
  throw new Failure(
    "CONFIG_MISSING",
    `no config found: ${usual.join(" and ")} ${own.length > 0 ? "do" : "does"} not exist${where}`,
    {
      hint: "create one with 'rolefresh init', or pass one role with --role-arn ARN",
    },
  );
}

const MAX_BYTES = 4 * 1024 * 1024;

async function readIfPresent(file: string, world: ConfigWorld): Promise<ConfigSource | undefined> {
  const read = await readFileSafely({ path: file, maxBytes: MAX_BYTES, trust: "commands", uid: world.uid }, world);
  if (read.kind === "absent") return undefined;
  if (read.kind !== "read") throw refused(file, read);
  const { bytes, stats } = read;
  if (!isUtf8(bytes)) throw new Failure("CONFIG_INVALID", `the config ${file} is not UTF-8`);
  const text = bytes.toString("utf8");
  const { uid } = world;
  return { file, directory: dirname(file), text, untrusted: whyUntrusted(stats, uid), isHidden: isHidden(stats, uid) };
}

function refused(file: string, read: Exclude<FileRead, { kind: "read" }>): Failure {
  const { why, hint } = refusalOf(read, file);
  switch (read.kind) {
    case "exposed":
      return new Failure("CONFIG_INVALID", `root does not use the config ${file}: ${read.exposure.reason}`, {
        hint: `${hint}; 'sudo -H' and /etc/rolefresh.ini use root's own, 'schedule --run-as USER' runs it as USER`,
      });
    case "too-large":
      return new Failure("CONFIG_INVALID", `the config ${file} is larger than 4 MiB`, { hint });
    case "unreadable":
      if (read.errno === "EACCES" || read.errno === "EPERM")
        return new Failure("CONFIG_UNREADABLE", `the config ${file} cannot be read: permission denied`, {
          hint: `ls -l ${file}`,
          cause: read.cause,
        });
      return new Failure("CONFIG_INVALID", `the config ${file} cannot be used: ${why}`, { hint, cause: read.cause });
    case "absent":
    case "directory":
    case "special":
      return new Failure("CONFIG_INVALID", `the config ${file} cannot be used: ${why}`, { hint });
  }
}

/** Commands in the config run as us, so nobody else may write the file (sudo and ssh check theirs alike). */
function whyUntrusted(
  info: { readonly uid: bigint; readonly mode: bigint },
  uid: number | undefined,
): string | undefined {
  if (uid === undefined) return undefined;
  if (info.uid !== BigInt(uid) && info.uid !== 0n) return `the file belongs to user ${info.uid}`;
  if ((info.mode & 0o022n) !== 0n) return "others can write to the file";
  return undefined;
}

/** Root can read, through a link and for another user (`--run-as`), what that user cannot. */
function isHidden(info: { readonly uid: bigint; readonly mode: bigint }, uid: number | undefined): boolean {
  return uid !== undefined && info.uid !== BigInt(uid) && (info.mode & 0o004n) === 0n;
}

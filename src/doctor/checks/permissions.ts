import { lstat, stat } from "node:fs/promises";

import { shellWord } from "../../base/shell-word.ts";
import { directoryOf } from "../../safe-file/sibling-paths.ts";
import type { Evidence, ExaminedFile } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** Who can read and change a credentials file, and whether a new one can be given to its owner. */
export async function permissionFindings(
  { file, isReplaced }: ExaminedFile,
  { context }: Evidence,
): Promise<readonly Finding[]> {
  const { uid } = context.world;
  if (!file || uid === undefined) return [];
  const { target } = file;
  const stats = await lstat(target).catch(() => undefined);
  if (!stats?.isFile()) return [];
  const octal = octalMode(stats.mode & 0o777);
  const found: Finding[] = [];
  const chmod = { hint: `chmod 600 ${shellWord(target)}` };
  if ((stats.mode & 0o022) !== 0)
    found.push(finding("error", `${target} has mode ${octal}: others can change the credentials`, chmod));
  else if ((stats.mode & 0o044) !== 0)
    found.push(finding("warning", `${target} has mode ${octal}: others can read the credentials`, chmod));
  if (stats.uid !== uid && uid !== 0 && isReplaced)
    found.push(
      finding("error", `${target} belongs to user ${stats.uid}: user ${uid} cannot replace it and keep its owner`, {
        hint: "run as its owner, or set write_mode = in-place",
      }),
    );
  const directory = await stat(directoryOf(file)).catch(() => undefined);
  // As root left it before it gave new files to the owner of their directory.
  if (directory && directory.uid !== stats.uid && directory.uid !== 0)
    found.push(
      finding(
        "error",
        `${target} belongs to user ${stats.uid}, but its directory belongs to user ${directory.uid}, who may be unable to read it`,
        { hint: `chown ${directory.uid}:${directory.gid} ${shellWord(target)}` },
      ),
    );
  return found.length > 0 ? found : [finding("ok", `${target} has mode ${octal} and belongs to user ${stats.uid}`)];
}

/** A mode as chmod(1) takes it: `0600`. */
export function octalMode(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

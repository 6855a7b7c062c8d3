import { access, constants, stat } from "node:fs/promises";

import { errnoOf } from "../../base/failure.ts";
import { shellWord } from "../../base/shell-word.ts";
import { directoryOf } from "../../safe-file/sibling-paths.ts";
import type { Evidence, ExaminedFile } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";
import { octalMode } from "./permissions.ts";

/** Whether locks and temp files can be created beside a credentials file, and who else can replace it. */
export async function directoryFindings({ file }: ExaminedFile, { context }: Evidence): Promise<readonly Finding[]> {
  if (!file) return [];
  const { uid } = context.world;
  const directory = directoryOf(file);
  const quoted = shellWord(directory);
  const stats = await stat(directory).catch((error: unknown) => errnoOf(error) ?? "unknown error");
  if (stats === "ENOENT") return [finding("ok", `${directory} does not exist yet; the first refresh creates it`)];
  if (typeof stats === "string") return [finding("error", `${directory} cannot be inspected: ${stats}`)];
  const found: Finding[] = [];
  try {
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = errnoOf(error) === "EROFS" ? "the file system is read-only" : "permission denied";
    found.push(
      finding("error", `lock and temp files cannot be created in ${directory}: ${why}`, {
        hint: `check its owner, mode and mount: ls -ld ${quoted}; findmnt -T ${quoted}`,
      }),
    );
  }
  const octal = octalMode(stats.mode & 0o1777);
  // In a sticky directory, such as /tmp, nobody can replace what belongs to another.
  if (uid !== undefined && (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0)
    found.push(
      finding("warning", `${directory} has mode ${octal}: others can replace the credentials file`, {
        hint: `chmod go-w ${quoted}`,
      }),
    );
  if (uid !== undefined && stats.uid !== uid && stats.uid !== 0 && uid !== 0)
    found.push(
      finding("warning", `${directory} belongs to user ${stats.uid}, who can replace the credentials file`, {
        hint: "run as its owner, or keep the file in a directory of your own",
      }),
    );
  return found.length > 0 ? found : [finding("ok", `${directory} has mode ${octal} and is writable`)];
}

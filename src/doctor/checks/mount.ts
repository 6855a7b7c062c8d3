import { readSign } from "../../safe-file/read-file.ts";
import type { ExaminedFile } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** Whether a credentials file is a mount point, as `docker run -v FILE:FILE` and Kubernetes' `subPath` make it. */
export async function mountFindings({ file, isReplaced }: ExaminedFile): Promise<readonly Finding[]> {
  if (!file) return [];
  const { target } = file;
  // Not there on macOS: then nothing is known.
  const mount = parseMountinfo((await readSign("/proc/self/mountinfo")) ?? "", target);
  if (!mount) return [finding("ok", `${target} is not a mount point`)];
  if (mount.isDetached)
    return [
      finding("error", `${target} is a mounted file that was replaced at its source: the mount shows the old file`, {
        hint: "mount the directory that holds the file instead, and restart the container",
      }),
    ];
  if (isReplaced)
    return [
      finding("error", `${target} is a mounted file: replacing it fails with EBUSY (rename over a mount point)`, {
        hint: "mount the directory that holds it, or set write_mode = in-place",
      }),
    ];
  return [finding("ok", `${target} is a mounted file, which write_mode = in-place can write`)];
}

/** A mount of one file over another. */
interface FileMount {
  /** The file was unlinked, or replaced by a rename, where it comes from: this mount never shows the new one. */
  readonly isDetached: boolean;
}

/**
 * The mount whose mount point is this path (proc_pid_mountinfo(5): the fifth field; blanks and the like as `\ooo`).
 * rename(2) fails with EBUSY there, so that the file cannot be replaced, only written.
 *
 * @param target with all symbolic links resolved
 */
export function parseMountinfo(text: string, target: string): FileMount | undefined {
  // The last line counts: a later mount on the same path hides the earlier one.
  const fields = text
    .split("\n")
    .map((line) => line.split(" "))
    .findLast(([, , , , point]) => point !== undefined && unescape(point) === target);
  const root = fields?.[3];
  // d_path marks what has no name any more: `/etc/creds//deleted`.
  return root === undefined ? undefined : { isDetached: root.endsWith("//deleted") };
}

function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}

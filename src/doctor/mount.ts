import { readSign } from "../safe-file/read-sign.ts";

/** A mount of one file over another, as `docker run -v FILE:FILE` and Kubernetes' `subPath` make it. */
export interface FileMount {
  /** The file that was unlinked, or replaced by a rename, where it comes from: this mount will never see the new one. */
  readonly isDetached: boolean;
}

/**
 * Whether a path itself is a mount point, by `/proc/self/mountinfo` (proc_pid_mountinfo(5): the fifth field; blanks and
 * the like as `\ooo`). rename(2) answers EBUSY for such a path, so that the file cannot be replaced, only written.
 *
 * @param target with all symbolic links resolved
 * @param mountinfo another file in tests; one that is not there (macOS) means that nothing is known
 */
export async function findFileMount(
  target: string,
  mountinfo = "/proc/self/mountinfo",
): Promise<FileMount | undefined> {
  const text = await readSign(mountinfo);
  return text === undefined ? undefined : parseMountinfo(text, target);
}

/** The last line counts: a later mount on the same path hides the earlier one. */
export function parseMountinfo(text: string, target: string): FileMount | undefined {
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

import { closeQuietly, openToRead, readUpTo } from "./calls.ts";

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  /** `major:minor` of the file system. */
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  readonly point: string;
  readonly isReadOnly: boolean;
}

const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Whether a path lies on a mount that this machine or container can only read, and reaches writably nowhere else. Owner and
 * mode then say nothing about who can write: Kubernetes makes the directories of ConfigMaps and Secrets 0777, a file that
 * `docker run -v FILE:FILE:ro` mounts belongs to a user of the host. Only root can mount.
 *
 * @param path without symbolic links
 */
export async function isReadOnlyPlace(path: string): Promise<boolean> {
  return isReadOnlyAmong(parseMounts(await mountinfo()), path);
}

/** @internal the pure part, for tests */
export function isReadOnlyAmong(mounts: readonly Mount[], path: string): boolean {
  // A later mount hides the earlier one at the same point; a longer point the shorter one.
  let mount: Mount | undefined;
  for (const one of mounts) if (isBelow(path, one.point) && one.point.length >= (mount?.point.length ?? 0)) mount = one;
  if (!mount?.isReadOnly) return false;
  const inside = join(mount.root, path.slice(mount.point === "/" ? 0 : mount.point.length));
  const { device } = mount;
  return !mounts.some(
    (other) =>
      !other.isReadOnly && other.device === device && (isBelow(inside, other.root) || isBelow(other.root, inside)),
  );
}

/** @internal the pure part, for tests */
export function parseMounts(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const [, , device, root, point, options] = line.split(" ");
    if (device === undefined || root === undefined || point === undefined || options === undefined) return [];
    const superOptions = line.split(" - ")[1]?.split(" ")[2] ?? "";
    const isReadOnly = [...options.split(","), ...superOptions.split(",")].includes("ro");
    return [{ device, root: unescape(root), point: unescape(point), isReadOnly }];
  });
}

function isBelow(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

function join(root: string, rest: string): string {
  return `${root === "/" ? "" : root}${rest === "/" ? "" : rest}` || "/";
}

function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}

/** Empty where there is none (macOS): then nothing is read-only. */
async function mountinfo(): Promise<string> {
  let descriptor: number | undefined;
  try {
    descriptor = await openToRead("/proc/self/mountinfo");
    return (await readUpTo(descriptor, 0, MAX_BYTES)).toString("utf8");
  } catch {
    return "";
  } finally {
    if (descriptor !== undefined) closeQuietly(descriptor);
  }
}

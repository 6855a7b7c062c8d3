import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { TempHome } from "./temp-home.ts";

/** Programs of the machine that tests need, and stand-ins for those that would change it. */

const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The reason to skip a test for want of programs, or false when all are there. */
export function unlessThere(...names: readonly string[]): string | false {
  const missing = names.filter((name) => !FOLDERS.some((folder) => isExecutable(join(folder, name))));
  return missing.length > 0 ? `${missing.join(", ")} is not installed (scripts/test-tools installs it as root)` : false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A `systemctl` in the home that notes what it is asked and does to the files what the real one does. */
export async function fakeSystemctl(home: TempHome): Promise<{ readonly path: string; asked(): Promise<string[]> }> {
  const log = join(home.path, "systemctl.log");
  const units = join(home.path, ".config/systemd/user");
  await home.write(
    "bin/systemctl",
    [
      "#!/bin/sh",
      `echo "$*" >> ${log}`,
      'case "$*" in',
      `"--user enable "*) mkdir -p ${units}/timers.target.wants && ln -sf ../rolefresh.timer ${units}/timers.target.wants/rolefresh.timer ;;`,
      `"--user disable "*) rm -f ${units}/timers.target.wants/rolefresh.timer ;;`,
      "esac",
      "",
    ].join("\n"),
    0o755,
  );
  return {
    path: `${join(home.path, "bin")}:/usr/bin:/bin`,
    asked: async () => (await home.read("systemctl.log")).trim().split("\n"),
  };
}

/** A `crontab` in the home that keeps the crontab in the file `crontab` of the home, as cronie's and Debian's do. */
export async function fakeCrontab(home: TempHome): Promise<string> {
  await home.write(
    "bin/crontab",
    [
      "#!/bin/sh",
      `cd ${home.path} || exit 9`,
      'case "$*" in',
      '-l) if [ -f crontab ]; then exec cat crontab; else echo "no crontab for test" >&2; exit 1; fi ;;',
      "-) exec cat > crontab ;;",
      "*) exit 9 ;;",
      "esac",
      "",
    ].join("\n"),
    0o755,
  );
  return `${join(home.path, "bin")}:/usr/bin:/bin`;
}

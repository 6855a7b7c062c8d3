import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { mustRun } from "./release.ts";
import type { TempHome } from "./temp-home.ts";

/** A root directory with a database of dpkg's own, so that a package is installed for real and the machine stays as it is. */
export interface PackageRoot {
  readonly path: string;
  readonly dpkg: (...args: readonly string[]) => Promise<string>;
  /** Every file but those of dpkg itself, relative, sorted. */
  readonly files: () => Promise<readonly string[]>;
}

const DATABASE = "var/lib/dpkg";

/** Makes the root below a temporary home; it knows of the packages of this machine that ours may depend on. */
export async function openPackageRoot(home: TempHome, dependencies: readonly string[]): Promise<PackageRoot> {
  const path = join(home.path, "root");
  for (const folder of ["info", "updates", "triggers"]) await mkdir(join(path, DATABASE, folder), { recursive: true });
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: home.path, LC_ALL: "C" };
  const known = await mustRun("dpkg-query", ["--status", ...dependencies], { env });
  await writeFile(join(path, DATABASE, "status"), known);
  for (const name of known.matchAll(/^Package: (.*)\n(?:.*\n)*?Architecture: (.*)$/gm)) {
    for (const list of [`${name[1]}.list`, `${name[1]}:${name[2]}.list`])
      await writeFile(join(path, DATABASE, "info", list), "");
  }
  // The maintainer scripts find $DPKG_ROOT set, as when an image is built (dpkg(1), --force-script-chrootless).
  const options = [`--root=${path}`, "--force-script-chrootless", `--log=${join(home.path, "dpkg.log")}`];
  return {
    path,
    dpkg: (...args) => mustRun("dpkg", [...options, ...args], { env }),
    files: async () => {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
        .filter((name) => !name.startsWith(DATABASE))
        .toSorted();
    },
  };
}

import { lstat, readdir } from "node:fs/promises";
import { basename, join } from "node:path";

import { renderDuration } from "../base/duration.ts";
import { directoryOf, journalOf } from "../safe-file/sibling-paths.ts";
import type { ResolvedFile } from "../safe-file/resolve-file.ts";
import { fileLockOf, secondFileLockOf } from "../safe-file/lock-name.ts";
import { isTemporaryName } from "../safe-file/temporary-name.ts";
import { counted, finding, type Finding } from "./finding.ts";

/** A holder touches its lock every 2 s and is dead after 10 (safe-file/lock-liveness.ts). */
const DEAD_LOCK_MS = 10_000;

/** What a killed run left beside a credentials file, and what a run that goes on right now has there. */
export async function leftoverFindings(file: ResolvedFile, now: Date): Promise<readonly Finding[]> {
  const directory = directoryOf(file);
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch {
    // Why it cannot be read is the directory's finding.
    return [];
  }
  const found: Finding[] = [];
  const locks = names.filter((name) => isLockName(file, name)).toSorted();
  let isBusy = false;
  for (const name of locks) {
    const age = await ageOf(join(directory, name), now);
    if (age === undefined) continue;
    if (age <= DEAD_LOCK_MS) {
      isBusy = true;
      found.push(finding("leftovers", "ok", `a run is going on: it holds ${join(directory, name)}`));
      continue;
    }
    found.push(
      finding(
        "leftovers",
        "warning",
        `the lock ${join(directory, name)} is ${renderDuration(age)} old: the run that held it was killed`,
        { hint: "the next run takes it over by itself; look why the last one was killed: a timeout, or out of memory" },
      ),
    );
  }
  const temporaries = names.filter((name) => isTemporaryName(file, name));
  if (temporaries.length > 0 && !isBusy) {
    found.push(
      finding(
        "leftovers",
        "warning",
        `${counted(temporaries.length, "temp file")} of killed runs in ${directory} may hold credentials: ${temporaries[0] ?? ""}`,
        { hint: "the next run that writes removes them; look why the last one was killed" },
      ),
    );
  }
  if (names.includes(basename(journalOf(file))) && !isBusy) {
    found.push(
      finding("leftovers", "warning", `a write in place did not finish: ${journalOf(file)} holds the file's content`, {
        hint: "the next run that writes puts the file right; do not remove it: rolefresh refresh --force",
      }),
    );
  }
  return found.length > 0 ? found : [finding("leftovers", "ok", `no lock, temp file or journal in ${directory}`)];
}

function isLockName(file: ResolvedFile, name: string): boolean {
  const base = basename(file.target);
  if (name === basename(fileLockOf(file)) || name === basename(secondFileLockOf(file))) return true;
  return name.startsWith(`.${base}.`) && /^[0-9a-f]{16}\.flight\.lock$/.test(name.slice(base.length + 2));
}

/** Undefined for what is gone by now, and for a plain file: aws-runas keeps one under the lock's name for good. */
async function ageOf(path: string, now: Date): Promise<number | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() ? now.getTime() - stats.mtimeMs : undefined;
  } catch {
    return undefined;
  }
}

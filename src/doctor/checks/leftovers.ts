import { lstat, readdir } from "node:fs/promises";
import { basename, join } from "node:path";

import { renderDuration } from "../../base/duration.ts";
import {
  directoryOf,
  fileLockOf,
  isTemporaryName,
  journalOf,
  type ResolvedFile,
  secondFileLockOf,
} from "../../safe-file/sibling-paths.ts";
import { STALE_MS } from "../../safe-file/lock-liveness.ts";
import type { Evidence, ExaminedFile } from "../evidence.ts";
import { counted, finding, type Finding } from "../finding.ts";

/** What a killed run left beside a credentials file, and what a run in progress has there. */
export async function leftoverFindings({ file }: ExaminedFile, { context }: Evidence): Promise<readonly Finding[]> {
  if (!file) return [];
  const directory = directoryOf(file);
  // Why it cannot be read is the directory's finding.
  const names = await readdir(directory).catch(() => undefined);
  if (!names) return [];
  const now = context.world.now();
  const found: Finding[] = [];
  let isBusy = false;
  for (const name of names.filter((each) => isLockName(file, each)).toSorted()) {
    const lock = join(directory, name);
    const age = await ageOf(lock, now);
    if (age === undefined) continue;
    if (age <= STALE_MS) {
      isBusy = true;
      found.push(finding("ok", `a run is in progress: it holds ${lock}`));
    } else
      found.push(
        finding("warning", `the lock ${lock} is ${renderDuration(age)} old: the run that held it was killed`, {
          hint: "find out why it was killed (timeout, out of memory); the next run takes the lock over",
        }),
      );
  }
  if (isBusy) return found;
  const temporaries = names.filter((name) => isTemporaryName(file, name));
  if (temporaries.length > 0)
    found.push(
      finding(
        "warning",
        `killed runs left ${counted(temporaries.length, "temp file")} in ${directory} that may hold credentials: ${temporaries[0] ?? ""}`,
        { hint: "find out why they were killed; the next run that writes removes the files" },
      ),
    );
  if (names.includes(basename(journalOf(file))))
    found.push(
      finding("warning", `an in-place write did not finish: ${journalOf(file)} holds the file's content`, {
        hint: "keep the journal and repair the file: rolefresh refresh --force",
      }),
    );
  return found.length > 0 ? found : [finding("ok", `no lock, temp file or journal in ${directory}`)];
}

function isLockName(file: ResolvedFile, name: string): boolean {
  const base = basename(file.target);
  if (name === basename(fileLockOf(file)) || name === basename(secondFileLockOf(file))) return true;
  return name.startsWith(`.${base}.`) && /^[0-9a-f]{16}\.flight\.lock$/.test(name.slice(base.length + 2));
}

/** Undefined for what is gone by now, and for a plain file: aws-runas keeps one under the lock's name for good. */
async function ageOf(path: string, now: Date): Promise<number | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() ? now.getTime() - stats.mtimeMs : undefined;
}

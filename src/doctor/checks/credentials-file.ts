import { lstat, readlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import type { ExaminedFile } from "../evidence.ts";
import { failureFinding, finding, type Finding } from "../finding.ts";

/** Whether a credentials file can be read, and where its links lead. */
export async function credentialsFileFindings({ view, file }: ExaminedFile): Promise<readonly Finding[]> {
  if (view.failure) return [failureFinding(view.failure)];
  if (!file) return [];
  const chain = (await linkChain(view.path)).join(" → ");
  const described = chain.endsWith(file.target) ? chain : `${chain} → ${file.target}`;
  if (view.document?.bytes !== undefined) return [finding("ok", `${described} is readable`)];
  return [
    finding("warning", `the credentials file ${described} does not exist yet`, {
      hint: "create it: rolefresh refresh",
    }),
  ];
}

/** As Linux limits it (path_resolution(7)). */
const MAX_LINKS = 40;

/** The symbolic links from a path to its file, the path first. Links among the directories above are not part of it. */
async function linkChain(path: string): Promise<readonly string[]> {
  const chain = [path];
  for (let links = 0; links < MAX_LINKS; links++) {
    const current = chain.at(-1) ?? path;
    try {
      if (!(await lstat(current)).isSymbolicLink()) break;
      chain.push(resolve(dirname(current), await readlink(current)));
    } catch {
      // Dangling, or not to be inspected: what reads the file says why.
      break;
    }
  }
  return chain;
}

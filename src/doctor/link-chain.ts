import { lstat, readlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** As Linux limits it (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The symbolic links from a path to its file, for showing: `/home/u/.aws/credentials`, what it points to, and so on. One
 * entry for a file that is no link. Links among the directories above are not part of it.
 */
export async function linkChain(path: string): Promise<readonly string[]> {
  const chain = [path];
  for (let links = 0; links < MAX_LINKS; links++) {
    const current = chain.at(-1) ?? path;
    try {
      if (!(await lstat(current)).isSymbolicLink()) break;
      chain.push(resolve(dirname(current), await readlink(current)));
    } catch {
      // Dangling, or not to be looked at: the chain ends here, and what reads the file says why.
      break;
    }
  }
  return chain;
}

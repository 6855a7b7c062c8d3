import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A home directory that exists for one test: real files, nothing of the developer's. */
export interface TempHome extends AsyncDisposable {
  readonly path: string;
  /** `~/.aws/credentials` in this home. */
  readonly credentials: string;
  /** `~/.aws/rolefresh.ini` in this home. */
  readonly config: string;
  /** Writes a file (relative to the home), creating its directory; returns its absolute path. */
  write(name: string, content: string | Uint8Array, mode?: number): Promise<string>;
  read(name: string): Promise<string>;
  /** The names in `~/.aws`: shows temps and locks that were left behind. */
  awsFiles(): Promise<readonly string[]>;
  inode(name: string): Promise<number>;
}

export async function tempHome(): Promise<TempHome> {
  const path = await mkdtemp(join(tmpdir(), "rolefresh-test-"));
  const at = (name: string) => join(path, name);
  return {
    path,
    credentials: at(".aws/credentials"),
    config: at(".aws/rolefresh.ini"),
    async write(name, content, mode = 0o600) {
      await mkdir(dirname(at(name)), { recursive: true, mode: 0o700 });
      await writeFile(at(name), content, { mode });
      return at(name);
    },
    read: (name) => readFile(at(name), "utf8"),
    awsFiles: async () => (await readdir(at(".aws"))).toSorted(),
    inode: async (name) => (await stat(at(name))).ino,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

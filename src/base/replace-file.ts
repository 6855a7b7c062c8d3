import { open, rename, rm, unlink } from "node:fs/promises";

/**
 * Writes a small file of our own so that a reader sees the old or the new text, never a part: a temporary file beside it,
 * written, synced, renamed. (The credentials file has its own, stricter way: `credentials-file/write.ts`.)
 *
 * @param mode of the file, whatever the umask
 * @param unique what makes the temporary name this process's own; what a killed run left there, or somebody planted, is
 *   removed and never written through
 * @throws the system's error; no temporary file is left
 */
export async function replaceFile(path: string, text: string, mode: number, unique: number | string): Promise<void> {
  const temporary = `${path}.${unique}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, "wx", mode);
  try {
    try {
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

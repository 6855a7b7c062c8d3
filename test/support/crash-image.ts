import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { must } from "./mounts.ts";

/**
 * A file system on a loop device that can lose its power: what has reached the device is copied while the rest is still
 * in memory, and the copy is mounted again, which replays its journal as after a crash.
 */
export class CrashImage implements AsyncDisposable {
  readonly #directory: string;
  readonly #options: string;
  readonly mounted: string;
  #mounts: string[] = [];

  private constructor(directory: string, options: string) {
    this.#directory = directory;
    this.#options = options;
    this.mounted = join(directory, "before");
  }

  /** @param options of the mount, beside `loop`. */
  static async make(options: string): Promise<CrashImage> {
    const image = new CrashImage(await mkdtemp(join(tmpdir(), "rolefresh-crash-")), options);
    const disk = join(image.#directory, "disk");
    must("truncate", ["-s", "8M", disk]);
    must("mkfs.ext4", ["-q", "-F", "-b", "1024", "-O", "has_journal", "-J", "size=1", disk]);
    await image.#mount(disk, image.mounted);
    return image;
  }

  /** Everything so far is on the device. */
  settle(): void {
    must("sync", ["-f", this.mounted]);
  }

  /** Cuts the power; returns where the file system is mounted again. */
  async crash(): Promise<string> {
    const copy = join(this.#directory, "copy");
    await copyFile(join(this.#directory, "disk"), copy);
    const after = join(this.#directory, "after");
    await this.#mount(copy, after);
    return after;
  }

  async #mount(disk: string, at: string): Promise<void> {
    await mkdir(at, { recursive: true });
    must("mount", ["-t", "ext4", "-o", `loop,${this.#options}`, disk, at]);
    this.#mounts.push(at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const at of this.#mounts.toReversed()) must("umount", [at]);
    this.#mounts = [];
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Why no file system can be crashed here, or undefined. */
export async function crashImageMissing(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return "needs root to mount";
  try {
    await using image = await CrashImage.make("data=ordered");
    await image.crash();
    return undefined;
  } catch (error) {
    return `cannot mount a loop device here: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`;
  }
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs a program that must succeed. */
export function must(program: string, args: readonly string[]): void {
  const { error, status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (error) throw error;
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${stderr}`);
}

/** Something mounted at a path until the scope ends. */
export class Mount implements AsyncDisposable {
  readonly at: string;

  private constructor(at: string) {
    this.at = at;
  }

  /** @param args of mount(8), without the mount point. */
  static on(at: string, args: readonly string[]): Mount {
    must("mount", [...args, at]);
    return new Mount(at);
  }

  remount(options: string): void {
    must("mount", ["-o", `remount,${options}`, this.at]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    spawnSync("umount", [this.at]);
    return Promise.resolve();
  }
}

/** Why nothing can be mounted here, or undefined. Containers mostly forbid it. */
export async function mountMissing(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return "needs root to mount";
  const directory = await mkdtemp(join(tmpdir(), "rolefresh-mount-"));
  try {
    await using mount = Mount.on(directory, ["-t", "tmpfs", "-o", "size=64k", "rolefresh-test"]);
    return mount.at === directory ? undefined : "no mount";
  } catch (error) {
    return `cannot mount here: ${error instanceof Error ? error.message.trim().split("\n").at(-1) : String(error)}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

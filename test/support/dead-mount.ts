import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** A mount whose server never responds, as NFS has it when its machine is gone: every call into it blocks in the kernel. */
export interface DeadMount extends AsyncDisposable {
  readonly at: string;
}

/** A FUSE mount by a child that opens /dev/fuse (fuse(4)) and answers nothing. */
const SERVER = `
const { openSync } = require("node:fs");
const { spawnSync } = require("node:child_process");
const [at] = process.argv.slice(1);
const fuse = openSync("/dev/fuse", "r+");
const options = "fd=3,rootmode=40000,user_id=0,group_id=0,allow_other";
const { status, stderr } = spawnSync("mount", ["-i", "-t", "fuse", "-o", options, "rolefresh-test", at], {
  stdio: ["ignore", "ignore", "pipe", fuse],
  encoding: "utf8",
});
process.stdout.write(status === 0 ? "mounted\\n" : "failed: " + stderr.trim() + "\\n");
setInterval(() => {}, 60_000);`;

/**
 * Mounts one.
 *
 * @param at an empty directory
 * @returns why it cannot be had here, as a string
 */
export async function deadMount(at: string): Promise<DeadMount | string> {
  if (process.geteuid?.() !== 0) return "needs root to mount";
  const server = spawn(process.execPath, ["-e", SERVER, at], { stdio: ["ignore", "pipe", "ignore"] });
  const said = await new Promise<string>((resolve) => {
    server.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    server.once("close", () => resolve("failed: no FUSE here"));
  });
  const stop = async (): Promise<void> => {
    spawnSync("umount", ["-l", at]);
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "close");
  };
  if (said !== "mounted") {
    await stop();
    return said;
  }
  return { at, [Symbol.asyncDispose]: stop };
}

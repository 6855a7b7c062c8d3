import { spawnSync } from "node:child_process";

/** A user id that is not root's and that no file of the tests belongs to by itself. */
export const OTHER_USER = 65_534;

/** Why no child of this Node.js can be run as another user here, for a visible skip; undefined when it can. */
export function otherUserMissing(): string | undefined {
  if (process.geteuid?.() !== 0) return "needs root to become another user";
  const { error } = spawnSync(process.execPath, ["-e", "0"], { uid: OTHER_USER, stdio: "ignore" });
  return error ? `another user cannot reach ${process.execPath}` : undefined;
}

/** Why this program cannot be run by a user of this id here, for a visible skip; undefined when it can. */
export function userMissing(uid: number, program: string): string | undefined {
  if (process.geteuid?.() !== 0) return "needs root to become another user";
  const { status } = spawnSync(process.execPath, [program, "--version"], { uid, gid: uid, stdio: "ignore" });
  return status === 0 ? undefined : `another user cannot run ${program}`;
}

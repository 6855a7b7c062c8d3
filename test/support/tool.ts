import { spawnSync } from "node:child_process";

/** Why a program cannot be used here, for a visible skip; undefined when it can. */
export function toolMissing(program: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(program, args, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (error) return `${program} is not installed here (scripts/test-tools installs it where it can)`;
  return status === 0 ? undefined : `${program} does not work here: ${stderr.trim().split("\n").at(-1) ?? ""}`;
}

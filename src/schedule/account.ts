import { Failure } from "../base/failure.ts";
import { runTool, type ToolContext } from "./run-tool.ts";

/** A user of this machine. */
export interface Account {
  readonly uid: number;
  readonly home: string;
}

/**
 * Looks a user up as the machine does (getent(1): local files, LDAP, …).
 *
 * @throws Failure USAGE when there is no such user
 */
export async function accountOf(name: string, context: ToolContext): Promise<Account> {
  const answer = await runTool("getent", ["passwd", name], context);
  const [, , uid = "", , , home = ""] = answer.stdout.toString("utf8").trim().split(":");
  if (answer.status !== 0 || !/^\d+$/.test(uid) || !home.startsWith("/")) {
    throw new Failure("USAGE", `there is no user '${name}' on this machine`, {
      hint: "check --run-as; see getent passwd",
    });
  }
  return { uid: Number(uid), home };
}

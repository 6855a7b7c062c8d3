import { Failure } from "../base/failure.ts";
import { spliceCrontab } from "./crontab.ts";
import { runTool, type ToolContext } from "./run-tool.ts";

/**
 * Puts our block into a user's crontab, or removes it, with crontab(1); every other byte stays.
 *
 * @param user undefined: the user's own
 * @returns whether the crontab was changed
 * @throws Failure SCHEDULER_MISSING, SCHEDULER_DENIED, SCHEDULER_FAILED, SCHEDULE_FOREIGN
 */
export async function changeCrontab(
  block: string | undefined,
  user: string | undefined,
  context: ToolContext,
): Promise<boolean> {
  const old = await readCrontab(user, context);
  const changed = spliceCrontab(old, block === undefined ? undefined : toLatin1(block));
  if (changed === old) return false;
  const answer = await crontab(user, context, "-", Buffer.from(changed, "latin1"));
  if (answer.status !== 0) throw refused("crontab - ", answer);
  return true;
}

/** As Latin-1, so that bytes which are not UTF-8 come out as they went in. */
async function readCrontab(user: string | undefined, context: ToolContext): Promise<string> {
  const answer = await crontab(user, context, "-l");
  if (answer.status === 0) return answer.stdout.toString("latin1");
  // Debian's, cronie's and BusyBox's messages for a user without a crontab. Nothing else may mean "empty".
  if (/^no crontab for /i.test(answer.complaint) || /can't open '[^']+': No such file/.test(answer.complaint))
    return "";
  throw refused("crontab -l", answer);
}

async function crontab(user: string | undefined, context: ToolContext, action: string, input?: Buffer) {
  try {
    return await runTool("crontab", [...(user === undefined ? [] : ["-u", user]), action], context, input);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "SCHEDULER_MISSING") throw error;
    throw new Failure(error.code, "cron is not installed: there is no program 'crontab'", {
      hint: "install it (Debian: apt-get install cron), or use 'rolefresh schedule systemd'",
      cause: error,
    });
  }
}

function refused(command: string, answer: { readonly status: number; readonly complaint: string }): Failure {
  const why = answer.complaint === "" ? `exit status ${answer.status}` : answer.complaint;
  const denied = /not allowed|permission denied|must be privileged/i.test(why);
  return new Failure(denied ? "SCHEDULER_DENIED" : "SCHEDULER_FAILED", `'${command.trim()}' failed: ${why}`, {
    hint: denied
      ? "check /etc/cron.allow and /etc/cron.deny (crontab(1))"
      : "fix this and run it again: the crontab is unchanged",
  });
}

function toLatin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { readSign } from "../safe-file/read-file.ts";
import { cronGapMs } from "./calendar.ts";
import type { DoctorContext } from "./context.ts";
import { finding, type Finding } from "./finding.ts";
import { queryTool } from "./query-tool.ts";
import type { Schedule } from "./systemd-timer.ts";

/** A line of a crontab that starts rolefresh. Its command is not kept: it may hold a secret. */
interface CronLine {
  readonly where: string;
  /** `*\/5 * * * *`, or `@hourly` */
  readonly schedule: string;
}

/** The lines of the user's crontab, /etc/crontab and /etc/cron.d that start rolefresh. */
export async function findCronSchedules(context: DoctorContext): Promise<readonly Schedule[]> {
  const own = await queryTool("crontab", ["-l"], context);
  const lines: CronLine[] = own.kind === "output" ? [...cronLines(own.text, "the user's crontab")] : [];
  for (const path of await systemCrontabs()) {
    const text = (await readSign(path)) ?? "";
    lines.push(...cronLines(text, path));
  }
  if (lines.length === 0) return [];
  const runs = await isCronRunning();
  return lines.map((line) => ({
    findings: [classifyLine(line, runs)],
    intervalMs: runs === false ? undefined : cronGapMs(line.schedule),
  }));
}

/**
 * The lines of a crontab that start rolefresh, without their commands.
 *
 * @param text a crontab of a user or of the system: five fields of time, or `@daily` and its kin (crontab(5))
 * @param where whose crontab it is, for messages
 */
export function cronLines(text: string, where: string): readonly CronLine[] {
  return text.split("\n").flatMap((line) => {
    if (!/rolefresh/.test(line)) return [];
    const schedule = /^\s*(@\w+|(?:[\d*][\d*,/-]*\s+){2}(?:\S+\s+){2}\S+)\s/.exec(line)?.[1];
    return schedule === undefined ? [] : [{ where, schedule: schedule.replaceAll(/\s+/g, " ") }];
  });
}

function classifyLine({ where, schedule }: CronLine, runs: boolean | undefined): Finding {
  const what = `${where} runs rolefresh at '${schedule}'`;
  if (runs === false)
    return finding("error", `${what}, but no cron daemon is running`, { hint: "systemctl enable --now cron" });
  if (schedule === "@reboot")
    return finding("warning", `${what}: only once after each boot`, { hint: "rolefresh schedule cron --install" });
  return finding("ok", `${what}; cron mails failures and keeps no record of the last run`);
}

async function systemCrontabs(): Promise<readonly string[]> {
  const names: readonly string[] = await readdir("/etc/cron.d").catch(() => []);
  return ["/etc/crontab", ...names.toSorted().map((name) => join("/etc/cron.d", name))];
}

/**
 * Whether a cron daemon is among the processes.
 *
 * @param proc another directory in tests
 * @returns undefined when the processes of others cannot be seen (proc(5), hidepid; macOS has no /proc)
 */
export async function isCronRunning(proc = "/proc"): Promise<boolean | undefined> {
  const names: readonly string[] = await readdir(proc).catch(() => []);
  if (!names.includes("1")) return undefined;
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const command = (await readSign(join(proc, name, "comm"))) ?? "";
    if (/^(?:cron|crond|fcron|cronie|supercronic|busybox)$/.test(command.trim())) return true;
  }
  return false;
}

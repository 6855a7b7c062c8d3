import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";
import { profileFindings } from "./profile.ts";

/** What starts rolefresh on this machine. Nothing is a warning only where a profile is stale: then it may be why. */
export async function timerFindings(evidence: Evidence): Promise<readonly Finding[]> {
  const schedules = await evidence.schedules();
  if ("failed" in schedules) return [schedules.failed];
  if (schedules.value.length > 0) return schedules.value.flatMap(({ findings }) => findings);
  const message = "nothing schedules rolefresh; ignore this if you use watch, exec or another scheduler";
  const isStale = (await profileFindings(evidence)).some(({ level }) => level !== "ok");
  if (!isStale) return [finding("ok", message)];
  return [
    finding("warning", message, {
      hint: "run 'rolefresh schedule systemd --install' or 'rolefresh schedule cron --install'",
    }),
  ];
}

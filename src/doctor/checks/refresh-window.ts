import { renderDuration } from "../../base/duration.ts";
import { windowMs } from "../../plan/due.ts";
import { type Evidence, runIntervalMs } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** Whether the timer runs often enough: a profile that becomes due and expires between two runs has a gap. */
export async function windowFindings(evidence: Evidence): Promise<readonly Finding[]> {
  const intervalMs = await runIntervalMs(evidence);
  if (intervalMs === undefined) return [];
  const every = `the timer runs every ${renderDuration(intervalMs)}`;
  const found = evidence.setup.targets.flatMap(({ profile, step }) => {
    if (!step || intervalMs < windowMs(step.spec)) return [];
    return [
      finding(
        "warning",
        `${every}, but the profile is due only ${renderDuration(windowMs(step.spec))} before it expires`,
        {
          profile,
          hint: "run the timer more often: rolefresh schedule systemd --install --interval 5m",
        },
      ),
    ];
  });
  return found.length > 0 ? found : [finding("ok", `${every}, often enough for every profile`)];
}

import { renderDuration, renderInstant } from "../base/duration.ts";
import type { ProfileSection } from "../credentials-file/section.ts";
import { refusalOf } from "../refresh/outcome.ts";
import { isPassThrough, type Reason } from "../plan/profile-state.ts";
import type { Step } from "../plan/plan.ts";
import { failureFinding, finding, type Finding, typed } from "./finding.ts";
import type { Target } from "./setup.ts";

/** How long a profile may have been due when nobody knows how often the timer runs. */
const USUAL_GRACE_MS = 15 * 60_000;

const WHY: Readonly<Record<Reason, string>> = {
  fresh: "it is fresh",
  forced: "it is forced",
  missing: "it has no keys",
  incomplete: "a key is missing, or the two token keys differ",
  "no-expiry": "x_security_token_expires is missing or unreadable",
  "role-changed": "x_principal_arn is not the configured role",
  "session-changed": "x_principal_arn has not the configured session name",
  expiring: "less than refresh_before is left",
  expired: "it is expired",
  foreign: "the section is somebody else's",
};

/**
 * How a profile stands and why.
 *
 * @param intervalMs between two runs of the timer, where it is known: being due for no longer than that is in order.
 */
export function profileFindings(target: Target, now: Date, intervalMs: number | undefined): readonly Finding[] {
  const { profile, step, view } = target;
  const section = view.document?.profile(profile);
  const refresh = { profile, hint: `rolefresh refresh ${typed(profile)}` };
  // The file's own failure is told once, with the file.
  if (view.failure) return [];
  if (!step) return [...withoutConfig(profile, section, now, view.path), ...tokenFindings(profile, section)];
  const refusal = refusalOf(step, view);
  if (refusal) return [failureFinding("profile", refusal, profile)];
  return [stateFinding(step, now, intervalMs, view.path, refresh), ...tokenFindings(profile, section)];
}

function stateFinding(
  step: Step,
  now: Date,
  intervalMs: number | undefined,
  path: string,
  refresh: { readonly profile: string; readonly hint: string },
): Finding {
  const { state, written } = step;
  const { profile } = refresh;
  const left = leftOf(written?.expiresAt, now);
  switch (state.state) {
    case "fresh":
      return finding("profile", "ok", `fresh: ${left}, to be refreshed from ${shown(state.refreshAt)} on`, { profile });
    case "missing":
      return finding("profile", "error", `missing: it has no keys in ${path}`, refresh);
    case "expired":
      return finding("profile", "error", `expired: ${left}`, refresh);
    case "foreign":
      return finding("profile", "error", `foreign: ${WHY.foreign}`, { profile });
    case "due": {
      if (state.reason === "no-expiry" && isPassThrough(step.spec))
        return finding("profile", "ok", "its source returns keys without an expiry; each run asks for newer ones", {
          profile,
        });
      if (state.reason !== "expiring")
        return finding("profile", "warning", `due: ${WHY[state.reason]}; ${left}`, refresh);
      const dueForMs = now.getTime() - (state.refreshAt?.getTime() ?? now.getTime());
      const graceMs = intervalMs === undefined ? USUAL_GRACE_MS : intervalMs * 1.5;
      // A source that caches has nothing newer until shortly before the end.
      if (dueForMs <= graceMs || isPassThrough(step.spec))
        return finding("profile", "ok", `due for ${renderDuration(dueForMs)}, the next run refreshes it: ${left}`, {
          profile,
        });
      return finding("profile", "warning", `due for ${renderDuration(dueForMs)} and not refreshed: ${left}`, {
        profile,
        hint: `rolefresh refresh ${typed(profile)} --verbose`,
      });
    }
  }
}

/** All that can be said of a section whose configuration cannot be read. */
function withoutConfig(
  profile: string,
  section: ProfileSection | undefined,
  now: Date,
  path: string,
): readonly Finding[] {
  const hint = "nothing is refreshed until the config is in order";
  if (section?.accessKeyId === undefined)
    return [finding("profile", "error", `missing: it has no keys in ${path}`, { profile, hint })];
  const left = leftOf(section.expiresAt, now);
  if (section.expiresAt && section.expiresAt <= now)
    return [finding("profile", "error", `expired: ${left}`, { profile, hint })];
  return [finding("profile", "warning", left, { profile, hint })];
}

/** botocore tries `aws_security_token` first and boto2 reads nothing else: a stale one hides a fresh session token. */
function tokenFindings(profile: string, section: ProfileSection | undefined): readonly Finding[] {
  if (!section?.securityToken || !section.sessionToken || section.securityToken.equals(section.sessionToken)) return [];
  return [
    finding(
      "security-token",
      "error",
      "aws_security_token differs from aws_session_token, and botocore and boto2 use it: another tool left it or wrote only one",
      { profile, hint: `rolefresh refresh ${typed(profile)}` },
    ),
  ];
}

function leftOf(expiresAt: Date | undefined, now: Date): string {
  if (!expiresAt) return "its expiry is not known";
  const ms = expiresAt.getTime() - now.getTime();
  const at = renderInstant(expiresAt);
  return ms > 0 ? `${renderDuration(ms)} left, until ${at}` : `${renderDuration(-ms)} ago, at ${at}`;
}

function shown(instant: Date | undefined): string {
  return instant ? renderInstant(instant) : "an unknown time";
}

import { renderDuration, renderInstant } from "../../base/duration.ts";
import { shellWord } from "../../base/shell-word.ts";
import type { Step } from "../../plan/plan.ts";
import { isPassThrough, type Reason } from "../../plan/profile-state.ts";
import { refusalOf } from "../../refresh/outcome.ts";
import { type Evidence, runIntervalMs } from "../evidence.ts";
import { failureFinding, finding, type Finding } from "../finding.ts";
import type { Target } from "../setup.ts";

/** How long a profile may have been due when it is unknown how often the timer runs. */
const USUAL_GRACE_MS = 15 * 60_000;

const WHY: Readonly<Record<Reason, string>> = {
  fresh: "it is fresh",
  forced: "it is forced",
  missing: "it has no keys",
  incomplete: "a key is missing, or the two token keys differ",
  "no-expiry": "x_security_token_expires is missing or unreadable",
  "role-changed": "role_arn changed in the config",
  "session-changed": "role_session_name changed in the config",
  expiring: "less than refresh_before is left",
  expired: "it is expired",
  foreign: "rolefresh did not write the section",
};

/** Each profile's state, and why. Being due for no longer than the timer's interval is ok. */
export async function profileFindings(evidence: Evidence): Promise<readonly Finding[]> {
  const intervalMs = await runIntervalMs(evidence);
  const graceMs = intervalMs === undefined ? USUAL_GRACE_MS : intervalMs * 1.5;
  const now = evidence.context.world.now();
  return evidence.setup.targets.flatMap((target) => {
    const { step, view, profile } = target;
    // The file's own failure is reported once, with the file.
    if (view.failure) return [];
    if (!step) return [findingWithoutConfig(target, now)];
    const refusal = refusalOf(step, view);
    return [refusal ? failureFinding(refusal, profile) : stateFinding(step, now, graceMs)];
  });
}

function stateFinding({ spec, state, written }: Step, now: Date, graceMs: number): Finding {
  const { profile, credentialsFile } = spec;
  const refresh = `rolefresh refresh ${shellWord(profile)}`;
  const ok = (message: string) => finding("ok", message, { profile });
  const left = timeLeft(written?.expiresAt, now);
  switch (state.state) {
    case "fresh":
      return ok(`fresh: ${left}, due at ${state.refreshAt ? renderInstant(state.refreshAt) : "an unknown time"}`);
    case "missing":
      return finding("error", `missing: ${credentialsFile} has no keys for it`, { profile, hint: refresh });
    case "expired":
      return finding("error", `expired: ${left}`, { profile, hint: refresh });
    case "foreign":
      return finding("error", `foreign: ${WHY.foreign}`, { profile });
    case "due": {
      if (state.reason === "no-expiry" && isPassThrough(spec))
        return ok("the source returns keys without an expiry; each run requests newer ones");
      if (state.reason !== "expiring")
        return finding("warning", `due: ${WHY[state.reason]}; ${left}`, { profile, hint: refresh });
      const dueForMs = now.getTime() - (state.refreshAt?.getTime() ?? now.getTime());
      const due = `due for ${renderDuration(dueForMs)}`;
      // A source that caches has nothing newer until shortly before the end.
      if (dueForMs <= graceMs || isPassThrough(spec)) return ok(`${due}, the next run refreshes it: ${left}`);
      return finding("warning", `${due} and not refreshed: ${left}`, { profile, hint: `${refresh} --verbose` });
    }
  }
}

/** All that is known of a section whose config is invalid. */
function findingWithoutConfig({ profile, view }: Target, now: Date): Finding {
  const section = view.document?.profile(profile);
  const about = { profile, hint: "correct the config: nothing is refreshed until then" };
  if (section?.accessKeyId === undefined) return finding("error", `missing: ${view.path} has no keys for it`, about);
  const left = timeLeft(section.expiresAt, now);
  if (section.expiresAt && section.expiresAt <= now) return finding("error", `expired: ${left}`, about);
  return finding("warning", left, about);
}

function timeLeft(expiresAt: Date | undefined, now: Date): string {
  if (!expiresAt) return "its expiry is unknown";
  const ms = expiresAt.getTime() - now.getTime();
  const at = renderInstant(expiresAt);
  return ms > 0 ? `${renderDuration(ms)} left, until ${at}` : `${renderDuration(-ms)} ago, at ${at}`;
}

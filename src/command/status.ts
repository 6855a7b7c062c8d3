import { renderDuration, renderInstant } from "../base/duration.ts";
import { exitCodeOf, worstExitCode } from "../output/exit-code.ts";
import type { StatusInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import { renderTable, widthOf } from "../output/table.ts";
import { type Colour, isColourWanted, paint } from "../output/colour.ts";
import { renderBar } from "../output/time-bar.ts";
import { DEFAULT_LIFETIME_MS } from "../plan/due.ts";
import type { Step } from "../plan/plan.ts";
import { isStillValid } from "../plan/profile-state.ts";
import type { World } from "../base/world.ts";
import { loadProfiles, planLoaded } from "../refresh/load.ts";

/**
 * Shows what the credentials file holds for each profile: no network, no lock.
 *
 * @returns 0; with `--min-ttl` 1 when a profile has less left; the file's exit status when it cannot be read
 */
export async function status(invocation: StatusInvocation, world: World): Promise<number> {
  const { global, minTtlMs } = invocation;
  const reporter = openReporter(world, global);
  const loaded = await loadProfiles(invocation.config, world);
  const steps = planLoaded(loaded, invocation.profiles, false, world).filter((step) => isAskedFor(step, invocation));
  const now = world.now();
  const failures = new Set(steps.flatMap((step) => loaded.viewOf(step.spec).refusalOf(step.spec.profile) ?? []));
  for (const failure of failures) reporter.error(failure);
  if (global.json) world.out.write(`${JSON.stringify({ profiles: steps.map((step) => toJson(step, now)) })}\n`);
  else if (!global.quiet) world.out.write(toTable(steps, now, world));
  if (failures.size > 0) return worstExitCode([...failures].map((failure) => exitCodeOf(failure.code)));
  return minTtlMs !== undefined && steps.some((step) => leftOf(step, now) < minTtlMs) ? 1 : 0;
}

/** The plan holds the sources of the selected profiles as well. */
function isAskedFor(step: Step, invocation: StatusInvocation): boolean {
  return invocation.profiles.length === 0 || invocation.profiles.includes(step.spec.profile);
}

/** Milliseconds; infinite where the source tells no expiry, so that `--min-ttl` raises no alarm that nothing can clear. */
function leftOf({ spec, state, written }: Step, now: Date): number {
  if (state.state === "foreign") return 0;
  if (written?.expiresAt) return written.expiresAt.getTime() - now.getTime();
  return isStillValid(spec, written, now) ? Infinity : 0;
}

function toJson(step: Step, now: Date): unknown {
  const { spec, written, state } = step;
  const expiresAt = written?.expiresAt;
  return {
    profile: spec.profile,
    state: state.state,
    role_arn: spec.role?.arn ?? null,
    principal_arn: written?.principalArn ?? null,
    expires_at: expiresAt ? renderInstant(expiresAt) : null,
    remaining_seconds: expiresAt ? Math.floor((expiresAt.getTime() - now.getTime()) / 1000) : null,
    refresh_at: state.refreshAt ? renderInstant(state.refreshAt) : null,
    credentials_file: spec.credentialsFile,
  };
}

const COLOURS: Readonly<Record<Step["state"]["state"], Colour>> = {
  fresh: "green",
  due: "yellow",
  foreign: "yellow",
  expired: "red",
  missing: "red",
};

/** On a terminal with colours, and a bar of the time left where it fits on the line; plain columns in a pipe. */
function toTable(steps: readonly Step[], now: Date, world: World): string {
  const colour = isColourWanted(world.out, world.env);
  const head = ["PROFILE", "ROLE", "STATE", "EXPIRES", "LEFT"];
  const tint = ({ state }: Step, text: string) => (colour ? paint(text, COLOURS[state.state]) : text);
  const rows = steps.map((step) => {
    const { spec, written, state } = step;
    return [
      spec.profile,
      spec.role?.arn ?? "-",
      tint(step, state.state),
      written?.expiresAt ? renderInstant(written.expiresAt) : "-",
      written?.expiresAt ? renderDuration(Math.max(0, leftOf(step, now))) : "-",
    ];
  });
  const plain = renderTable(head, rows);
  if (!world.out.isTTY) return plain;
  const bars = steps.map((step) => tint(step, renderBar(leftOf(step, now) / lifetimeMsOf(step.spec))));
  const wide = renderTable(
    [...head, ""],
    rows.map((cells, at) => [...cells, bars[at] ?? ""]),
  );
  return widthOf(wide) <= (world.out.columns ?? Infinity) ? wide : plain;
}

function lifetimeMsOf({ lifetimeMs }: Step["spec"]): number {
  return lifetimeMs ?? DEFAULT_LIFETIME_MS;
}

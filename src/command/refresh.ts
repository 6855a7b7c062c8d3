import { startDeadline } from "../base/deadline.ts";
import { renderDuration, renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { exitCodeOf, worstExitCode } from "../cli/exit-code.ts";
import type { RefreshInvocation } from "../cli/invocation.ts";
import { openReporter, type Reporter } from "../cli/report.ts";
import type { Step } from "../plan/plan.ts";
import type { World } from "../world.ts";
import { type Loaded, loadProfiles, planLoaded } from "./load.ts";
import { type Outcome, settleAtOnce, unchanged } from "./outcome.ts";

/** What was obtained in time is still written when the deadline has passed; this long at most. */
const WRITE_GRACE_MS = 5000;

/**
 * The main job: refresh what is due, write, say how it went.
 *
 * @returns the exit status: 0 when everything asked for is fresh now, else the most permanent fault's
 */
export async function refresh(invocation: RefreshInvocation, world: World): Promise<number> {
  const { global } = invocation;
  const reporter = openReporter(world.err, global);
  const loaded = await loadProfiles(invocation.config, world);
  const steps = planLoaded(loaded, invocation.profiles, invocation.force, world);
  const outcomes = invocation.dryRun
    ? steps.map((step) => dryOutcome(step, loaded))
    : await carryOut(steps, loaded, invocation, reporter, world);

  for (const { failure, step, expiresAt } of outcomes)
    if (failure) reporter.error(withRemaining(failure, step, expiresAt, world.now()));
  world.interrupted.throwIfAborted();
  if (global.json) world.out.write(`${JSON.stringify(toJson(outcomes, invocation, world.now()))}\n`);
  else if (!global.quiet && (invocation.dryRun || world.out.isTTY))
    world.out.write(await toTable(outcomes, world.now()));
  return worstExitCode(outcomes.flatMap(({ failure }) => (failure ? [exitCodeOf(failure.code)] : [])));
}

async function carryOut(
  steps: readonly Step[],
  loaded: Loaded,
  invocation: RefreshInvocation,
  reporter: Reporter,
  world: World,
): Promise<readonly Outcome[]> {
  const settled = steps.flatMap((step) => settleAtOnce(step, loaded.viewOf(step.spec)) ?? []);
  if (settled.length === steps.length) return settled;

  const { global, force } = invocation;
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  const writeDeadline = startDeadline(global.timeoutMs + WRITE_GRACE_MS, world, new AbortController().signal);
  const { openProgress } = await import("../cli/progress.ts");
  const progress = await openProgress(world.err, !global.quiet && !global.json);
  try {
    const { runSteps } = await import("./refresh-run.ts");
    return await runSteps(steps, loaded, {
      world,
      deadline,
      writeDeadline,
      concurrency: global.concurrency,
      force,
      reporter,
      progress,
    });
  } finally {
    progress.done();
    deadline.clear();
    writeDeadline.clear();
  }
}

function dryOutcome(step: Step, loaded: Loaded): Outcome {
  return settleAtOnce(step, loaded.viewOf(step.spec)) ?? unchanged(step, "due");
}

/** A failure says until when the old credentials are good: that decides whether somebody has to get up. */
function withRemaining(failure: Failure, step: Step, expiresAt: Date | undefined, now: Date): Failure {
  if (step.written?.foreign !== undefined || expiresAt === undefined) return failure;
  const left = expiresAt.getTime() - now.getTime();
  const until =
    left > 0
      ? `the old credentials are valid until ${renderInstant(expiresAt)} (${renderDuration(left)})`
      : `the old credentials expired at ${renderInstant(expiresAt)}`;
  return new Failure(failure.code, `${failure.message}; ${until}`, { hint: failure.hint, cause: failure });
}

function toJson(outcomes: readonly Outcome[], invocation: RefreshInvocation, now: Date): unknown {
  const profiles = outcomes.map(({ step, outcome, reason, accessKeyId, principalArn, expiresAt, failure }) => ({
    profile: step.spec.profile,
    outcome,
    reason,
    role_arn: step.spec.role.arn,
    principal_arn: principalArn ?? null,
    access_key_id: accessKeyId ?? null,
    expires_at: expiresAt ? renderInstant(expiresAt) : null,
    remaining_seconds: expiresAt ? Math.floor((expiresAt.getTime() - now.getTime()) / 1000) : null,
    credentials_file: step.spec.credentialsFile,
    error: failure ? { code: failure.code, message: failure.message, hint: failure.hint ?? null } : null,
  }));
  return invocation.dryRun ? { dry_run: true, profiles } : { profiles };
}

async function toTable(outcomes: readonly Outcome[], now: Date): Promise<string> {
  const { renderTable } = await import("../cli/table.ts");
  return renderTable(
    ["PROFILE", "OUTCOME", "REASON", "EXPIRES", "LEFT"],
    outcomes.map(({ step, outcome, reason, expiresAt }) => [
      step.spec.profile,
      outcome,
      reason,
      expiresAt ? renderInstant(expiresAt) : "-",
      expiresAt ? renderDuration(Math.max(0, expiresAt.getTime() - now.getTime())) : "-",
    ]),
  );
}

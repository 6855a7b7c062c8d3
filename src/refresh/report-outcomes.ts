import { renderDuration, renderInstant } from "../base/duration.ts";
import type { Failure } from "../base/failure.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import { exitCodeOf, worstExitCode } from "../output/exit-code.ts";
import type { Reporter } from "../output/report.ts";
import { isStillValid } from "../plan/profile-state.ts";
import { type Outcome, withRemaining } from "./outcome.ts";

/**
 * Reports what failed, with the time that the old credentials have left.
 *
 * @returns the exit status. With `--lenient` (or `lenient = true`) a failed refresh is a warning that does not count
 *   while the old credentials are valid.
 */
export function reportOutcomes(
  outcomes: readonly Outcome[],
  global: Pick<GlobalOptions, "lenient">,
  reporter: Reporter,
  now: Date,
): number {
  const codes: number[] = [];
  for (const outcome of outcomes) {
    const { step, failure, hookFailure, expiresAt } = outcome;
    const { profile } = step.spec;
    if (failure && failure.code !== "BUG" && isHarmless(outcome, global, now)) {
      reporter.warning(withRemaining(failure, step, expiresAt, now), profile);
    } else if (failure) {
      codes.push(exitCodeOf(failure.code));
      // `main` reports an interruption once.
      if (failure.code !== "INTERRUPTED") reporter.error(withRemaining(failure, step, expiresAt, now), profile);
    }
    if (hookFailure) {
      codes.push(exitCodeOf(hookFailure.code));
      reporter.error(hookFailure, profile);
    }
  }
  return worstExitCode(codes);
}

/** The old credentials are ours, whole, and still work. */
function isHarmless({ step }: Outcome, { lenient }: Pick<GlobalOptions, "lenient">, now: Date): boolean {
  return (lenient || step.spec.lenient) && isStillValid(step.spec, step.written, now);
}

/** The profiles of `refresh --json`, as DESIGN lists the fields: absent values are null, never missing. */
export function outcomesToJson(outcomes: readonly Outcome[], now: Date): readonly unknown[] {
  return outcomes.map(({ step, outcome, reason, accessKeyId, principalArn, expiresAt, failure, hookFailure }) => ({
    profile: step.spec.profile,
    outcome,
    reason,
    role_arn: step.spec.role?.arn ?? null,
    principal_arn: principalArn ?? null,
    access_key_id: accessKeyId ?? null,
    expires_at: expiresAt ? renderInstant(expiresAt) : null,
    remaining_seconds: expiresAt ? Math.floor((expiresAt.getTime() - now.getTime()) / 1000) : null,
    credentials_file: step.spec.credentialsFile,
    error: errorOf(failure ?? hookFailure),
  }));
}

function errorOf(failure: Failure | undefined): unknown {
  return failure ? { code: failure.code, message: failure.message, hint: failure.hint ?? null } : null;
}

/** The table that `refresh` shows on a terminal. */
export async function outcomesToTable(outcomes: readonly Outcome[], now: Date): Promise<string> {
  const { renderTable } = await import("../output/table.ts");
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

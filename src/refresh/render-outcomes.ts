import { renderDuration, renderInstant } from "../base/duration.ts";
import type { Failure } from "../base/failure.ts";
import type { Outcome } from "./outcome.ts";

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

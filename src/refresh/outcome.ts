import { renderDuration, renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { shellWord } from "../base/shell-word.ts";
import type { Step } from "../plan/plan.ts";
import type { RoleSession } from "../sts/session.ts";
import { foreignFailure, foreignTo, UNWRITTEN } from "../credentials-file/ownership.ts";
import type { ProfileSection } from "../credentials-file/section.ts";
import type { Lease } from "../safe-file/lock.ts";
import type { CredentialsView } from "./credentials-view.ts";
import type { Pending } from "./write-queue.ts";

/** How one profile's part of a run ended. */
export interface Outcome {
  readonly step: Step;
  /** `refreshed`: the profile's keys in the file are other ones than before. `due`: only in a dry run, where a refresh would be made. */
  readonly outcome: "refreshed" | "fresh" | "failed" | "due";
  readonly reason: string;
  readonly accessKeyId: string | undefined;
  readonly principalArn: string | undefined;
  /** Of what the file holds now: after a failure, until when the old credentials are valid. */
  readonly expiresAt: Date | undefined;
  readonly failure: Failure | undefined;
  /** The profile was refreshed, but its `on_refresh` command failed. */
  readonly hookFailure?: Failure;
}

/** How far a step is: ended, or with a session to write, and the lease held until then. */
export type Obtained =
  | { readonly outcome: Outcome }
  | { readonly session: RoleSession; readonly lease: Lease; readonly pending: Pending };

/** The outcome of a step that needs neither network nor lock, or undefined for one that must be executed. */
export function settleAtOnce(step: Step, view: CredentialsView): Outcome | undefined {
  const refusal = refusalOf(step, view);
  if (refusal) return failed(step, refusal);
  return step.action === "keep" ? unchanged(step, "fresh") : undefined;
}

/** Why a step must not be executed: its file or section cannot be written safely, or rolefresh did not write it. */
export function refusalOf(step: Step, view: CredentialsView): Failure | undefined {
  const { profile, credentialsFile } = step.spec;
  const refusal = view.refusalOf(profile);
  if (refusal || step.action !== "refuse") return refusal;
  const section = view.document?.profile(profile);
  const foreign = foreignTo("write", section) ?? { reason: UNWRITTEN, line: section?.line ?? 0 };
  return foreignFailure("write", profile, credentialsFile, foreign);
}

/** The outcome of a step for which nothing was written. */
export function unchanged(step: Step, outcome: "fresh" | "due"): Outcome {
  const { written, state } = step;
  return {
    step,
    outcome,
    reason: state.reason,
    accessKeyId: written?.accessKeyId,
    principalArn: written?.principalArn,
    expiresAt: written?.expiresAt,
    failure: undefined,
  };
}

/** The reason where the source gave the keys that the file holds already. */
export const NOTHING_NEWER = "source-has-nothing-newer";

/** The outcome of a step whose session is in the file now. The same keys as before are not a refresh. */
export function afterWrite(step: Step, session: RoleSession, isNewer: boolean): Outcome {
  const { accessKeyId, principalArn, expiresAt } = session;
  return {
    step,
    outcome: isNewer ? "refreshed" : "fresh",
    reason: isNewer ? step.state.reason : NOTHING_NEWER,
    accessKeyId,
    principalArn,
    expiresAt,
    failure: undefined,
  };
}

/** Whether a section holds the keys of a session, for every reader: access key, secret, and the token under both names. */
export function isHeldBy(section: ProfileSection | undefined, session: RoleSession): boolean {
  const { accessKeyId, secretAccessKey, sessionToken, securityToken } = section ?? {};
  return (
    accessKeyId === session.accessKeyId &&
    secretAccessKey?.equals(session.secretAccessKey) === true &&
    sessionToken?.equals(session.sessionToken) === true &&
    securityToken?.equals(session.sessionToken) === true
  );
}

/** The outcome of a step that failed: the file holds what it held before. */
export function failed(step: Step, failure: Failure): Outcome {
  return { ...unchanged(step, "fresh"), outcome: "failed", failure };
}

/** Adds until when the old credentials are valid, which tells how urgent the failure is. */
export function withRemaining(failure: Failure, step: Step, expiresAt: Date | undefined, now: Date): Failure {
  if (step.written?.foreign !== undefined || expiresAt === undefined) return failure;
  const left = expiresAt.getTime() - now.getTime();
  const until =
    left > 0
      ? `the old credentials are valid until ${renderInstant(expiresAt)} (${renderDuration(left)})`
      : `the old credentials expired at ${renderInstant(expiresAt)}`;
  return new Failure(failure.code, `${failure.message}; ${until}`, { hint: failure.hint, cause: failure });
}

/**
 * Puts the profile into a failure's message, and into a hint that says `trust-policy PROFILE`: lower rooms do not know it.
 *
 * @returns the same failure when its message names the profile already
 */
export function withProfile(failure: Failure, profile: string): Failure {
  if (failure.message.includes(`[${profile}]`) || failure.message.startsWith(`profile '${profile}'`)) return failure;
  return new Failure(failure.code, `profile '${profile}': ${failure.message}`, {
    hint: failure.hint?.replace("trust-policy PROFILE", () => `trust-policy ${shellWord(profile)}`),
    cause: failure.cause,
  });
}

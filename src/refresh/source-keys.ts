import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { Step } from "../plan/plan.ts";
import { isSameRole, isStillValid } from "../plan/profile-state.ts";
import type { SigningKeys } from "../sts/session.ts";
import type { CredentialsView } from "./credentials-view.ts";
import type { Obtained } from "./outcome.ts";

/** Old keys of a source whose refresh failed are used when at least this much is left: enough for one call. */
const ENOUGH_FOR_A_CALL_MS = 60_000;

/**
 * The keys that sign a step's STS call: those its source got in this run, else those in the credentials file.
 *
 * @param view of the file that holds the source's section
 *
 * @throws the source's own failure when it has no usable keys; SOURCE_KEYS_MISSING
 */
export function sourceKeysOf(step: Step, source: Obtained | undefined, view: CredentialsView, now: Date): SigningKeys {
  if (!("sourceProfile" in step.spec.source)) throw new Error("this profile has no source_profile");
  const name = step.spec.source.sourceProfile;
  if (source && "session" in source) return source.session;
  const failure = source?.outcome.failure;
  if (failure && !(step.source && isEnoughForACall(step.source, now))) {
    throw new Failure(failure.code, `its source_profile '${name}' has no valid keys: ${failure.message}`, {
      hint: failure.hint,
      cause: failure,
    });
  }
  return keysInFile(name, view, now);
}

function isEnoughForACall({ spec, state, written }: Step, now: Date): boolean {
  return isSameRole(state.reason) && isStillValid(spec, written, new Date(now.getTime() + ENOUGH_FOR_A_CALL_MS));
}

function keysInFile(name: string, view: CredentialsView, now: Date): SigningKeys {
  const section = view.document?.profile(name);
  if (section?.accessKeyId === undefined || section.secretAccessKey === undefined) {
    throw new Failure(
      "SOURCE_KEYS_MISSING",
      `its source_profile '${name}' has no readable access key and secret in ${view.path}`,
    );
  }
  if (section.expiresAt && section.expiresAt <= now) {
    throw new Failure(
      "SOURCE_KEYS_MISSING",
      `the keys of its source_profile '${name}' in ${view.path} expired at ${renderInstant(section.expiresAt)}`,
    );
  }
  return {
    accessKeyId: section.accessKeyId,
    secretAccessKey: section.secretAccessKey,
    sessionToken: section.sessionToken ?? section.securityToken,
  };
}

import { errnoOf, Failure } from "../base/failure.ts";
import { withoutSecrets } from "../base/printable.ts";

/** `error`: credentials are missing or wrong, or soon will be; `warning`: some tool will fail, or at some time. */
export type FindingLevel = "ok" | "warning" | "error";

/** One result of a check. */
export interface Finding {
  readonly level: FindingLevel;
  /** The profile that it is about; undefined: all of them. */
  readonly profile: string | undefined;
  /** A sentence without capital or final period; never a secret. */
  readonly message: string;
  /** What to run or to look at next. */
  readonly hint: string | undefined;
}

/** Makes a finding; what `about` leaves out is undefined. */
export function finding(
  level: FindingLevel,
  message: string,
  about: { readonly profile?: string | undefined; readonly hint?: string | undefined } = {},
): Finding {
  const hint = about.hint === undefined ? undefined : withoutSecrets(about.hint);
  return { level, profile: about.profile, message: withoutSecrets(message), hint };
}

/** A failure as a finding: its sentence and its hint. */
export function failureFinding(failure: Failure, profile?: string, level: FindingLevel = "error"): Finding {
  return finding(level, failure.message, { profile, hint: failure.hint });
}

/** What a step of a check found out, or the finding that says why it could not. */
export type Attempt<T> = { readonly value: T } | { readonly failed: Finding };

/**
 * Runs a step of which every foreseen failure, and every error of the system, is a finding: a broken thing must not hide
 * the others.
 *
 * @throws an interruption, which ends the run, and bugs
 */
export async function attempt<T>(work: () => Promise<T>, profile?: string): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof Failure && error.code !== "INTERRUPTED") return { failed: failureFinding(error, profile) };
    const errno = error instanceof Failure ? undefined : errnoOf(error);
    if (errno === undefined) throw error;
    return { failed: finding("error", `the check failed: ${errno}`, { profile }) };
  }
}

/** Runs a check, or a part of one, as `attempt` does. */
export async function examine(work: () => Promise<readonly Finding[]>, profile?: string): Promise<readonly Finding[]> {
  const result = await attempt(work, profile);
  return "failed" in result ? [result.failed] : result.value;
}

/** How many there are: `1 profile`, `2 profiles`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

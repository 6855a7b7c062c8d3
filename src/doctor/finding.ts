import { errnoOf, Failure } from "../base/failure.ts";
import { withoutSecrets } from "../base/printable.ts";

/** What `doctor` looked at; stable words for scripts, in the order in which they are reported. */
export const CHECKS = [
  "config",
  "config-permissions",
  "credentials-file",
  "permissions",
  "directory",
  "mount",
  "leftovers",
  "readers",
  "profile-name",
  "aws-config",
  "environment",
  "profile",
  "security-token",
  "timer",
  "refresh-window",
  "identity",
  "token",
  "proxy",
  "ca",
  "sts",
  "clock",
  "keys",
  "node",
] as const;

/** A check's stable name, the `check` of `doctor --json`. */
export type CheckName = (typeof CHECKS)[number];

/** `error`: credentials are, or soon will be, missing or wrong; `warning`: some tool or some day will suffer. */
export type Level = "ok" | "warning" | "error";

/** One thing that was looked at, and how it is. */
export interface Finding {
  readonly check: CheckName;
  readonly level: Level;
  /** The profile that it is about; undefined when it is about all of them. */
  readonly profile: string | undefined;
  /** A sentence without capital or final period; never a secret. */
  readonly message: string;
  /** What to type or look at next. */
  readonly hint: string | undefined;
}

/** What a finding may say besides. */
export interface About {
  readonly profile?: string | undefined;
  readonly hint?: string | undefined;
}

/** Makes a finding; what `about` leaves out is undefined. */
export function finding(check: CheckName, level: Level, message: string, about: About = {}): Finding {
  const hint = about.hint === undefined ? undefined : withoutSecrets(about.hint);
  return { check, level, message: withoutSecrets(message), profile: about.profile, hint };
}

/** A failure as a finding: its sentence and its hint. */
export function failureFinding(
  check: CheckName,
  failure: Failure,
  profile?: string,
  level: Exclude<Level, "ok"> = "error",
): Finding {
  return finding(check, level, failure.message, { profile, hint: failure.hint });
}

/**
 * Runs a check of which every foreseen failure, and every error of the system, is a finding itself: a broken thing must
 * not hide the other ones.
 *
 * @throws an interruption, which ends the run, and bugs
 */
export async function examine(
  check: CheckName,
  work: () => Promise<readonly Finding[]>,
  profile?: string,
): Promise<readonly Finding[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure && error.code !== "INTERRUPTED") return [failureFinding(check, error, profile)];
    const errno = error instanceof Failure ? undefined : errnoOf(error);
    if (errno === undefined) throw error;
    return [finding(check, "error", `it cannot be examined: ${errno}`, { profile })];
  }
}

/** In the order of CHECKS; those of one check stay in the order in which they were found. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check));
}

/** How many things there are: `1 profile`, `2 profiles`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A word as it is typed in a shell: profile names may hold blanks. */
export function typed(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

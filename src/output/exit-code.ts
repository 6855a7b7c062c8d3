import type { FailureCode } from "../base/failure.ts";
import { GLOBAL_SWITCHES } from "../base/global-options.ts";

/** sysexits.h, as DESIGN lists them: scripts and systemd units (`RestartPreventExitStatus=`) rely on these numbers. */
const EXIT_CODES: Readonly<Record<FailureCode, number>> = {
  USAGE: 64,
  BUG: 70,
  FILE_UNSAFE: 65,
  SECTION_FOREIGN: 65,
  TOKEN_MALFORMED: 65,
  SCHEDULE_FOREIGN: 65,
  TOKEN_MISSING: 66,
  SOURCE_KEYS_MISSING: 66,
  IDENTITY_UNAVAILABLE: 69,
  HOOK_FAILED: 69,
  SCHEDULER_FAILED: 69,
  SCHEDULER_MISSING: 69,
  FILE_CANNOT_CREATE: 73,
  SCHEDULE_WRITE_FAILED: 73,
  FILE_READ_FAILED: 74,
  FILE_WRITE_FAILED: 74,
  FILE_BUSY: 75,
  IDENTITY_TEMPORARY: 75,
  STS_THROTTLED: 75,
  STS_UNAVAILABLE: 75,
  TIMEOUT: 75,
  INTERRUPTED: 75,
  IDENTITY_INVALID_RESPONSE: 76,
  STS_INVALID_RESPONSE: 76,
  CONFIG_UNREADABLE: 77,
  FILE_UNREADABLE: 77,
  TOKEN_UNREADABLE: 77,
  TOKEN_EXPIRED: 77,
  TOKEN_NOT_YET_VALID: 77,
  TOKEN_AUDIENCE: 77,
  IDENTITY_DENIED: 77,
  SCHEDULER_DENIED: 77,
  STS_DENIED: 77,
  STS_TOKEN_EXPIRED: 77,
  STS_TOKEN_INVALID: 77,
  STS_REGION_DISABLED: 77,
  CONFIG_MISSING: 78,
  CONFIG_INVALID: 78,
  STS_REQUEST_REFUSED: 78,
  ENDPOINT_REFUSED: 78,
  // As shells do (POSIX, Shell Command Language, 2.8.2), for `exec`.
  COMMAND_NOT_EXECUTABLE: 126,
  COMMAND_NOT_FOUND: 127,
  POLICY_MALFORMED: 65,
  POLICY_MISSING: 66,
  POLICY_UNREADABLE: 77,
  TRUST_REFUSED: 77,
};

/** `check`: something is due. */
export const CHECK_DUE = 0;
/** `check`: nothing is due. systemd's `ExecCondition=` takes 1 to 254 for "skip, no failure" (systemd.service(5)). */
export const CHECK_NOTHING_DUE = 1;
/** `check`: something is wrong. Only 255 makes `ExecCondition=` fail the unit. */
export const CHECK_ERROR = 255;

const SWITCHES: ReadonlySet<string> = new Set(
  Object.entries(GLOBAL_SWITCHES).flatMap(([name, letter]) => [`--${name}`, ...(letter ? [`-${letter}`] : [])]),
);

/**
 * The exit status of a command line that failed: 255 for `check` whatever went wrong, also where the arguments cannot be
 * read.
 *
 * @param argv the arguments after the program's name
 * @param status of any other command
 */
export function failedStatus(argv: readonly string[], status: number): number {
  return commandOf(argv) === "check" ? CHECK_ERROR : status;
}

function commandOf(argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (!word.startsWith("-")) return word;
    // Any other option takes the next word as its value; not `check`, since an unknown option may precede it.
    if (!SWITCHES.has(word) && !word.includes("=") && argv[index + 1] !== "check") index++;
  }
  return undefined;
}

/** A bug: something other than a `Failure` was thrown. */
export const EXIT_BUG = 70;

/** The exit status for one failure. */
export function exitCodeOf(code: FailureCode): number {
  return EXIT_CODES[code];
}

/** Most permanent first: a fault that passes by itself never hides a permanent one. */
const WORST_FIRST = [70, 78, 65, 77, 74, 73, 66, 69, 76, 75, 64];

/** The exit status of a run with several outcomes; 0 when nothing failed. */
export function worstExitCode(codes: readonly number[]): number {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? codes.find((code) => code !== 0) ?? 0;
}

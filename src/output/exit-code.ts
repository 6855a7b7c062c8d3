import type { FailureCode } from "../base/failure.ts";

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
  // As shells have it (POSIX, Shell Command Language, 2.8.2): `exec` takes the place of the command.
  COMMAND_NOT_EXECUTABLE: 126,
  COMMAND_NOT_FOUND: 127,
  POLICY_MALFORMED: 65,
  POLICY_MISSING: 66,
  POLICY_UNREADABLE: 77,
  TRUST_REFUSED: 77,
};

/** `check`. Not a sysexits code: systemd's `ExecCondition=` takes 1 to 254 for "skip, no failure" and only 255 for an error. */
export const CHECK_DUE = 0;
/** `check`: nothing is due. systemd's `ExecCondition=` takes 1 to 254 for "skip, no failure" (systemd.service(5)). */
export const CHECK_NOTHING_DUE = 1;
/** `check`: something is wrong. Of all numbers only 255 makes `ExecCondition=` fail the unit. */
export const CHECK_ERROR = 255;

/** Options that stand before a command without a value of their own. */
const FLAGS: ReadonlySet<string> = new Set(["--json", "--quiet", "-q", "--verbose", "-v", "--lenient"]);

/**
 * The exit status of a command line that failed. Of `check` it is 255 whatever went wrong, also where the arguments could
 * not be read.
 *
 * @param argv the arguments after the program's name
 * @param status what any other command ends with
 */
export function failedStatus(argv: readonly string[], status: number): number {
  return commandOf(argv) === "check" ? CHECK_ERROR : status;
}

function commandOf(argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (!word.startsWith("-")) return word;
    // Any other option has its value in the next word; one of the value "check" is less likely than a flag that is not listed.
    if (!FLAGS.has(word) && !word.includes("=") && argv[index + 1] !== "check") index++;
  }
  return undefined;
}

/** A bug: something was thrown that is no `Failure`. */
export const EXIT_BUG = 70;

/** The exit status for one failure. */
export function exitCodeOf(code: FailureCode): number {
  return EXIT_CODES[code];
}

/** From the most permanent to the most temporary: a permanent fault is never hidden behind one that heals by itself. */
const WORST_FIRST = [70, 78, 65, 77, 74, 73, 66, 69, 76, 75, 64];

/** The exit status of a run with several outcomes; 0 when nothing failed. */
export function worstExitCode(codes: readonly number[]): number {
  return WORST_FIRST.find((code) => codes.includes(code)) ?? codes.find((code) => code !== 0) ?? 0;
}

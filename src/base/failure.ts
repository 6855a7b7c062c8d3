import { constants } from "node:os";

import { withoutSecrets } from "./printable.ts";

/**
 * The foreseen failures of the program. The type decides what a person sees: a `Failure` is one sentence and a hint,
 * anything else that is thrown is a bug and shows its stack (exit 70).
 */

/** Stable names of foreseen failures, as `--json` prints them. `output/exit-code.ts` gives each its exit status. */
export type FailureCode =
  | "USAGE"
  /** A bug that met one profile of a run; its stack was shown. */
  | "BUG"
  | "CONFIG_MISSING"
  | "CONFIG_UNREADABLE"
  | "CONFIG_INVALID"
  | "FILE_UNSAFE"
  | "FILE_UNREADABLE"
  | "FILE_READ_FAILED"
  | "FILE_CANNOT_CREATE"
  | "FILE_WRITE_FAILED"
  | "FILE_BUSY"
  | "SECTION_FOREIGN"
  | "SOURCE_KEYS_MISSING"
  | "TOKEN_MISSING"
  | "TOKEN_UNREADABLE"
  | "TOKEN_MALFORMED"
  | "TOKEN_EXPIRED"
  | "TOKEN_NOT_YET_VALID"
  | "TOKEN_AUDIENCE"
  | "IDENTITY_UNAVAILABLE"
  | "IDENTITY_DENIED"
  | "IDENTITY_TEMPORARY"
  | "IDENTITY_INVALID_RESPONSE"
  | "STS_DENIED"
  | "STS_TOKEN_EXPIRED"
  | "STS_TOKEN_INVALID"
  | "STS_REGION_DISABLED"
  | "STS_REQUEST_REFUSED"
  | "STS_THROTTLED"
  | "STS_UNAVAILABLE"
  | "STS_INVALID_RESPONSE"
  | "ENDPOINT_REFUSED"
  | "POLICY_MISSING"
  | "POLICY_UNREADABLE"
  | "POLICY_MALFORMED"
  | "TRUST_REFUSED"
  | "SCHEDULE_FOREIGN"
  | "SCHEDULE_WRITE_FAILED"
  | "SCHEDULER_DENIED"
  | "SCHEDULER_FAILED"
  | "SCHEDULER_MISSING"
  | "HOOK_FAILED"
  | "TIMEOUT"
  | "COMMAND_NOT_EXECUTABLE"
  | "COMMAND_NOT_FOUND"
  | "INTERRUPTED";

/** What a failure may say besides. */
interface FailureOptions {
  /** What to type or look at next: no capital, no final period. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A foreseen failure. The message is one sentence without capital or final period that says what, which profile and
 * which file; it never holds a secret (no token, key, assertion or answer body), and what looks like one is taken out.
 */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(withoutSecrets(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint === undefined ? undefined : withoutSecrets(options.hint);
  }
}

/** The errno name of a Node system error (`ENOENT`), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return undefined;
  // libuv has no name for some of Linux's errors, EDQUOT and ESTALE among them (include/uv.h, UV_ERRNO_MAP).
  const number = /^Unknown system error -(\d+)$/.exec(error.code)?.[1];
  if (number === undefined) return error.code;
  return Object.entries(constants.errno).find(([, value]) => value === Number(number))?.[0] ?? error.code;
}

import type { ConfigOptions } from "../config/read.ts";
import type { ScheduleRequest } from "../schedule/job.ts";
import type { InitRequest } from "../init/compose.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import type { PolicyFormat, TokenFlags } from "../trust-policy/token-flags.ts";

/** What the command line asks for, as data, so that tests parse without running anything. */

interface OnProfiles {
  readonly global: GlobalOptions;
  readonly config: ConfigOptions;
  /** As typed; empty means every configured profile. */
  readonly profiles: readonly string[];
}

/** `rolefresh [refresh]` */
export interface RefreshInvocation extends OnProfiles {
  readonly kind: "refresh";
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `rolefresh check` */
export interface CheckInvocation extends OnProfiles {
  readonly kind: "check";
}

/** `rolefresh status` */
export interface StatusInvocation extends OnProfiles {
  readonly kind: "status";
  /** Exit 1 when a profile has less than this left. */
  readonly minTtlMs: number | undefined;
}

/** `rolefresh watch` */
export interface WatchInvocation extends OnProfiles {
  readonly kind: "watch";
  /** Exists while every profile has valid credentials; as typed. */
  readonly healthFile: string | undefined;
}

/** `rolefresh trust-policy` */
export interface TrustPolicyInvocation extends Omit<OnProfiles, "profiles"> {
  readonly kind: "trust-policy";
  /** As typed; undefined means the only one that is configured. */
  readonly profile: string | undefined;
  readonly format: PolicyFormat;
  /** The policy to check instead of printing one: a file, or `-`. */
  readonly check: string | undefined;
  readonly claims: TokenFlags | undefined;
}

/** `rolefresh doctor` */
export interface DoctorInvocation extends OnProfiles {
  readonly kind: "doctor";
}

/** `rolefresh init` */
export interface InitInvocation extends InitRequest {
  readonly kind: "init";
  readonly global: GlobalOptions;
}

/** `rolefresh schedule` */
export interface ScheduleInvocation extends ScheduleRequest {
  readonly kind: "schedule";
  readonly global: GlobalOptions;
}

/** `rolefresh exec` */
export interface ExecInvocation extends Omit<OnProfiles, "profiles"> {
  readonly kind: "exec";
  /** Undefined in the config-free form. */
  readonly profile: string | undefined;
  /** The program and its arguments, unchanged. */
  readonly command: readonly string[];
  /** Export the access key and the session token as well. */
  readonly exportKeys: boolean;
}

/** `rolefresh credential-process` */
export interface CredentialProcessInvocation extends Omit<OnProfiles, "profiles"> {
  readonly kind: "credential-process";
  /** A profile or the ARN of a role; undefined means `$AWS_JANUS_ROLE`. */
  readonly name: string | undefined;
}

/** `rolefresh remove` */
export interface RemoveInvocation extends OnProfiles {
  readonly kind: "remove";
  readonly dryRun: boolean;
}

/** The shells that have a completion script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
/** One of them, by its word on the command line. */
export type Shell = (typeof SHELLS)[number];

/** The hidden command of the completion scripts: the words before the cursor, the last one half-typed. */
export const COMPLETE = "__complete";

/** `rolefresh completion` */
export interface CompletionInvocation {
  readonly kind: "completion";
  readonly shell: Shell;
}

/** A completion script asks what can be typed at the cursor. */
export interface CompleteInvocation {
  readonly kind: "complete";
  /** What was typed after the program's name, the last word being the one at the cursor. */
  readonly words: readonly string[];
}

/** `--help` of the program or of one command. */
export interface HelpInvocation {
  readonly kind: "help";
  readonly command: string | undefined;
}

/** `--version`: print it and do nothing else. */
export interface VersionInvocation {
  readonly kind: "version";
}

/** What the arguments mean: a command with its checked options, told apart by `kind`. */
export type Invocation =
  | RefreshInvocation
  | CheckInvocation
  | StatusInvocation
  | DoctorInvocation
  | WatchInvocation
  | TrustPolicyInvocation
  | InitInvocation
  | ScheduleInvocation
  | ExecInvocation
  | CredentialProcessInvocation
  | RemoveInvocation
  | CompletionInvocation
  | CompleteInvocation
  | HelpInvocation
  | VersionInvocation;

/** `--timeout`: shorter than any sensible interval of a timer, so that two runs do not meet. */
export const DEFAULT_TIMEOUT_MS = 60_000;
/** `--concurrency`: roles assumed at a time. */
export const DEFAULT_CONCURRENCY = 8;

/** The global options of a command line that has none. */
export const GLOBAL_DEFAULTS: GlobalOptions = {
  json: false,
  quiet: false,
  verbose: false,
  logFormat: "text",
  metricsFile: undefined,
  lenient: false,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  concurrency: DEFAULT_CONCURRENCY,
};

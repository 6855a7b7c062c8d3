import type { ConfigOptions } from "../config/read.ts";

/** What the command line asks for: data, so that parsing is tested without running anything. */

export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** For the whole run. */
  readonly timeoutMs: number;
  readonly concurrency: number;
}

interface OnProfiles {
  readonly global: GlobalOptions;
  readonly config: ConfigOptions;
  /** As typed; empty means every configured profile. */
  readonly profiles: readonly string[];
}

export interface RefreshInvocation extends OnProfiles {
  readonly kind: "refresh";
  readonly force: boolean;
  readonly dryRun: boolean;
}

export interface CheckInvocation extends OnProfiles {
  readonly kind: "check";
}

export interface StatusInvocation extends OnProfiles {
  readonly kind: "status";
  /** Exit 1 when a profile has less than this left. */
  readonly minTtlMs: number | undefined;
}

/** `--help` or `--version`: text for stdout, nothing else to do. */
export interface PrintInvocation {
  readonly kind: "print";
  readonly text: string;
}

export type Invocation = RefreshInvocation | CheckInvocation | StatusInvocation | PrintInvocation;

export const DEFAULT_TIMEOUT_MS = 60_000;
export const DEFAULT_CONCURRENCY = 8;

export const GLOBAL_DEFAULTS: GlobalOptions = {
  json: false,
  quiet: false,
  verbose: false,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  concurrency: DEFAULT_CONCURRENCY,
};

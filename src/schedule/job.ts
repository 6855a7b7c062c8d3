import type { Interval } from "./interval.ts";

/** What a scheduler is to start, with nothing left to the environment it starts it in. */
export interface ScheduledJob {
  /** The interpreter and the script, absolute. */
  readonly program: readonly string[];
  /** Options that every command of the job gets, with absolute paths: `--config`, `--credentials-file`, `--timeout`. */
  readonly options: readonly string[];
  /** Variables of the shell at hand that the job would miss under the scheduler (proxy, CA, endpoints): never a secret. */
  readonly environment: ReadonlyMap<string, string>;
  readonly interval: Interval;
  /** The whole run's `--timeout`. */
  readonly timeoutMs: number;
}

/** `NODE SCRIPT refresh OPTION…` of a job. */
export function wordsOf(job: ScheduledJob): readonly string[] {
  return [...job.program, "refresh", ...job.options];
}

import type { Interval } from "./interval.ts";

/** What can run rolefresh periodically. */
export const SCHEDULERS = ["systemd", "cron", "launchd", "kubernetes"] as const;
/** A scheduler by its name on the command line. */
export type Scheduler = (typeof SCHEDULERS)[number];

/** What the command line of `schedule` asks for. */
export interface ScheduleRequest {
  readonly scheduler: Scheduler;
  readonly action: "print" | "install" | "uninstall";
  /** Undefined: `system` for root, else `user`. */
  readonly scope: "user" | "system" | undefined;
  readonly interval: Interval;
  readonly configFile: string | undefined;
  readonly credentialsFile: string | undefined;
  /** The user that a system job runs as. */
  readonly runAs: string | undefined;
  readonly kubernetes: KubernetesOptions;
}

/** What was printed, written or removed: no path for a crontab or manifest, no content for what was removed. */
export interface ScheduledFile {
  readonly path: string | null;
  readonly content: string | null;
}

/** The options of `schedule kubernetes`. */
export interface KubernetesOptions {
  /** `sidecar`: `watch` beside the app in its pod; `cronjob`: `refresh` into a volume that other pods mount, too. */
  readonly workload: "sidecar" | "cronjob";
  /** With `rolefresh` on its PATH. */
  readonly image: string | undefined;
  /** The legacy tool's, for the sidecar's pod. */
  readonly appImage: string | undefined;
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
  /** `aud` of the projected token, which the role's trust policy requires. */
  readonly tokenAudience: string | undefined;
}

/** What a scheduler starts, independent of the environment it starts it in. */
export interface ScheduledJob {
  /** The interpreter and the script, absolute. */
  readonly program: readonly string[];
  /** With absolute paths: `--config`, `--credentials-file`, `--timeout` and the like. */
  readonly options: readonly string[];
  /** Variables of this shell that the job needs (proxy, CA, endpoints); never a secret. */
  readonly environment: ReadonlyMap<string, string>;
  readonly interval: Interval;
  /** The whole run's `--timeout`. */
  readonly timeoutMs: number;
}

/** `NODE SCRIPT refresh OPTION…` of a job. */
export function wordsOf(job: ScheduledJob): readonly string[] {
  return [...job.program, "refresh", ...job.options];
}

import type { Interval } from "./interval.ts";

/** What can start rolefresh again and again. */
export const SCHEDULERS = ["systemd", "cron", "launchd", "kubernetes"] as const;
/** One of them, by its word on the command line. */
export type Scheduler = (typeof SCHEDULERS)[number];

/** What `rolefresh schedule SCHEDULER` is asked for. */
export interface ScheduleRequest {
  readonly scheduler: Scheduler;
  readonly action: "print" | "install" | "uninstall";
  /** Undefined: the system's for root, else the user's. */
  readonly scope: "user" | "system" | undefined;
  readonly interval: Interval;
  readonly configFile: string | undefined;
  readonly credentialsFile: string | undefined;
  /** The user that a job of the system runs as. */
  readonly runAs: string | undefined;
  readonly kubernetes: KubernetesOptions;
}

/** What was printed, written or removed; no path for a crontab or a manifest, no content for what was removed. */
export interface ScheduledFile {
  readonly path: string | null;
  readonly content: string | null;
}

/** The options that only a manifest has; undefined where none is given. */
export interface KubernetesOptions {
  readonly workload: "sidecar" | "cronjob";
  readonly image: string | undefined;
  readonly appImage: string | undefined;
  readonly namespace: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly tokenAudience: string | undefined;
}

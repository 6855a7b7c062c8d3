import { dirname } from "node:path";

import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import { errnoOf, Failure, type FailureCode } from "../base/failure.ts";
import type { Config } from "../config/config.ts";
import { openPlace, replaceFile } from "../safe-file/small-file.ts";
import { readFileSafely } from "../safe-file/read-file.ts";
import type { World } from "../base/world.ts";
import { isPassThrough } from "../plan/profile-state.ts";
import type { Outcome } from "./outcome.ts";
import { type Metric, parseSamples, renderMetrics, type Sample } from "../output/prometheus-text.ts";

/** One profile in a run. */
export interface ProfileRun {
  readonly profile: string;
  readonly roleArn: string;
  /** `never`: the source tells no expiry. Undefined: there are no credentials. */
  readonly expiresAt: Date | "never" | undefined;
  readonly refreshed: boolean;
  /** Whether it was due: finding it fresh is not an attempt. */
  readonly attempted: boolean;
  readonly failure: FailureCode | undefined;
}

/** What the metrics are made from. */
export interface RunReport {
  readonly now: Date;
  readonly durationMs: number;
  readonly profiles: readonly ProfileRun[];
  /** All configured profiles; the metrics of those not in this run are kept. */
  readonly configured: readonly string[];
}

/** World-readable: the node exporter runs as another user, and nothing in it is secret. */
const MODE = 0o644;

/** Four lines a profile. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Writes the metrics file of a run.
 *
 * @param path as typed
 * @throws Failure as `writeMetrics`; CONFIG_INVALID for a path with a variable that is not set
 */
export async function recordMetrics(
  path: string,
  { outcomes, config, durationMs }: { outcomes: readonly Outcome[]; config: Config; durationMs: number },
  world: World,
): Promise<void> {
  const profiles = outcomes.map(({ step, outcome, accessKeyId, expiresAt, failure, hookFailure }) => ({
    profile: step.spec.profile,
    roleArn: step.spec.role?.arn ?? "",
    expiresAt: expiresAt ?? (accessKeyId !== undefined && isPassThrough(step.spec) ? ("never" as const) : undefined),
    refreshed: outcome === "refreshed",
    attempted: step.action === "refresh",
    failure: failure?.code ?? hookFailure?.code,
  }));
  const configured = config.profiles.map(({ profile }) => profile);
  const file = pathOrThrow("--metrics-file", expandPath(path, world, world.cwd));
  await writeMetrics(file, { now: world.now(), durationMs, profiles, configured }, world);
}

/**
 * Writes the metrics of a run for the textfile collector, atomically. Counters and the time of the last success continue
 * from what the file holds.
 *
 * @throws Failure FILE_CANNOT_CREATE, FILE_WRITE_FAILED; FILE_UNSAFE as root where another user leads the path elsewhere
 */
export async function writeMetrics(
  path: string,
  report: RunReport,
  { pid, uid }: Pick<World, "pid" | "uid">,
): Promise<void> {
  try {
    const place = await openPlace(path, uid);
    const before = parseSamples(await readIfPresent(place.reach));
    const text = renderMetrics(metricsOf(report, before));
    await replaceFile(place, { text, mode: MODE, unique: pid });
  } catch (error) {
    if (error instanceof Failure) throw error;
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    const cannotCreate = errno === "ENOENT" || errno === "EACCES" || errno === "EROFS" || errno === "EPERM";
    throw new Failure(
      cannotCreate ? "FILE_CANNOT_CREATE" : "FILE_WRITE_FAILED",
      `cannot write the metrics file ${path}: ${errno}`,
      {
        hint: `ls -ld ${dirname(path)}`,
        cause: error,
      },
    );
  }
}

async function readIfPresent(path: string): Promise<string> {
  // An unreadable file starts anew; the write reports the error.
  const read = await readFileSafely({ path, maxBytes: MAX_BYTES, trust: "data", uid: undefined });
  return read.kind === "read" ? read.bytes.toString("utf8") : "";
}

function metricsOf(report: RunReport, before: ReadonlyMap<string, readonly Sample[]>): readonly Metric[] {
  const { profiles, configured, now, durationMs } = report;
  const run = new Set(profiles.map(({ profile }) => profile));
  const others = new Set(configured.filter((profile) => !run.has(profile)));
  const ofOthers = (name: string) =>
    (before.get(name) ?? []).filter(({ labels }) => others.has(labels["profile"] ?? ""));
  const seconds = (instant: Date) => Math.floor(instant.getTime() / 1000);
  const earlier = (name: string, labels: Readonly<Record<string, string>>) =>
    before.get(name)?.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      ?.value;

  const perProfile = (name: string, valueOf: (one: ProfileRun) => number | undefined): readonly Sample[] => [
    ...profiles.flatMap((one) => {
      const labels = { profile: one.profile, role_arn: one.roleArn };
      const value = valueOf(one) ?? earlier(name, labels);
      return value === undefined ? [] : [{ labels, value }];
    }),
    ...ofOthers(name),
  ];
  const names = {
    expiry: "rolefresh_profile_expiry_timestamp_seconds",
    success: "rolefresh_profile_last_success_timestamp_seconds",
    attempt: "rolefresh_profile_last_attempt_timestamp_seconds",
    failures: "rolefresh_profile_failures_total",
  };
  return [
    {
      name: names.expiry,
      type: "gauge",
      help: "When the credentials in the file expire; 0 when there are none, +Inf when their source tells no expiry.",
      samples: perProfile(names.expiry, ({ expiresAt }) =>
        expiresAt === "never" ? Infinity : expiresAt ? seconds(expiresAt) : 0,
      ),
    },
    {
      name: names.success,
      type: "gauge",
      help: "When credentials were last written.",
      samples: perProfile(names.success, (one) => (one.refreshed ? seconds(now) : undefined)),
    },
    {
      name: names.attempt,
      type: "gauge",
      help: "When a refresh was last tried.",
      samples: perProfile(names.attempt, (one) => (one.attempted ? seconds(now) : undefined)),
    },
    {
      name: names.failures,
      type: "counter",
      help: "Refreshes that failed, by code.",
      samples: failures(profiles, configured, before.get(names.failures) ?? []),
    },
    gauge(
      "rolefresh_last_run_timestamp_seconds",
      "When rolefresh last looked; stops when the timer does.",
      seconds(now),
    ),
    gauge("rolefresh_last_run_duration_seconds", "How long the last run took.", Math.round(durationMs) / 1000),
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, type: "gauge", help, samples: [{ labels: {}, value }] };
}

/** The counters of all configured profiles, with the failures of this run added. */
function failures(
  profiles: readonly ProfileRun[],
  configured: readonly string[],
  before: readonly Sample[],
): readonly Sample[] {
  const counts = new Map<string, Sample>();
  const keyOf = (labels: Readonly<Record<string, string>>) => `${labels["profile"] ?? ""}\n${labels["code"] ?? ""}`;
  const known = new Set(configured);
  for (const sample of before) if (known.has(sample.labels["profile"] ?? "")) counts.set(keyOf(sample.labels), sample);
  for (const { profile, failure } of profiles) {
    if (failure === undefined) continue;
    const labels = { profile, code: failure };
    counts.set(keyOf(labels), { labels, value: (counts.get(keyOf(labels))?.value ?? 0) + 1 });
  }
  return [...counts.values()];
}

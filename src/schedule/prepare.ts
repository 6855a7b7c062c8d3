import { dirname, join } from "node:path";
import { homeOf } from "../base/expand-path.ts";
import { renderDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import type { Config, ProfileSpec } from "../config/config.ts";
import { UNKNOWN_LIFETIME_WINDOW_MS } from "../plan/due.ts";
import type { Environment } from "../base/world.ts";
import { carriedEnvironment, hasControl } from "./carried-environment.ts";
import type { ScheduledJob } from "./job.ts";
import type { ScheduleRequest } from "./request.ts";

/** The machine as the job will find it. */
export interface Surroundings {
  readonly program: readonly string[];
  readonly env: Environment;
  /** Of the user that the job runs as. */
  readonly home: string | undefined;
  /** The options of the command line that every run is to have too. */
  readonly global: Pick<GlobalOptions, "timeoutMs" | "lenient" | "logFormat" | "metricsFile">;
  /** Makes a path of the command line or the environment absolute. */
  readonly absolute: (path: string) => string;
  /** The file that a credentials file's path leads to, with symbolic links resolved. */
  readonly targetOf: (spec: ProfileSpec) => string;
}

/** Something about a job that a person should know before it runs. */
export interface Warning {
  readonly message: string;
  readonly hint: string;
}

/** A job, with what a systemd unit needs to know besides. */
export interface PreparedJob extends ScheduledJob {
  readonly writablePaths: readonly string[];
  readonly optionalWritablePaths: readonly string[];
  readonly needsTmp: boolean;
  readonly runsCommands: boolean;
  readonly warnings: readonly Warning[];
}

/**
 * What a scheduler has to start for this configuration, with every path absolute.
 *
 * @throws Failure USAGE when a path holds a control character, which no unit and no crontab can say
 */
export function prepareJob(config: Config, request: ScheduleRequest, around: Surroundings): PreparedJob {
  const { global } = around;
  const options = [
    ...(config.file === undefined ? [] : ["--config", config.file]),
    ...(request.credentialsFile === undefined ? [] : ["--credentials-file", around.absolute(request.credentialsFile)]),
    ...(global.metricsFile === undefined ? [] : ["--metrics-file", around.absolute(global.metricsFile)]),
    ...(global.lenient ? ["--lenient"] : []),
    ...(global.logFormat === "text" ? [] : ["--log-format", global.logFormat]),
    ...(global.timeoutMs === 60_000 ? [] : ["--timeout", `${Math.ceil(global.timeoutMs / 1000)}s`]),
  ];
  const carried = carriedEnvironment(around.env, config.pathVariables);
  const environment = new Map(carried.variables);
  const { AWS_SHARED_CREDENTIALS_FILE: shared, AWS_CONFIG_FILE: awsConfig } = around.env;
  if (shared && request.credentialsFile === undefined)
    environment.set("AWS_SHARED_CREDENTIALS_FILE", around.absolute(shared));
  if (awsConfig && environment.has("AWS_CONFIG_FILE")) environment.set("AWS_CONFIG_FILE", around.absolute(awsConfig));
  const { PATH: searchPath } = around.env;
  // cron's is /usr/bin:/bin, where gcloud is not, nor what a hook of the user calls.
  if (config.profiles.some((spec) => usesGcloud(spec) || runsCommand(spec)) && searchPath)
    environment.set("PATH", searchPath);
  const files = config.profiles.flatMap((spec) => [spec.credentialsFile, around.targetOf(spec)]);
  const metricsFile = global.metricsFile === undefined ? [] : [around.absolute(global.metricsFile)];
  const paths = [...around.program, ...options, ...files, ...carried.variables.values()];
  if ([...paths, ...environment.values()].some(hasControl))
    throw new Failure("USAGE", "a path with a control character in it cannot be scheduled");
  return {
    program: around.program,
    options,
    environment,
    interval: request.interval,
    timeoutMs: global.timeoutMs,
    writablePaths: [...new Set(files.map((file) => dirname(file)))],
    optionalWritablePaths: [
      ...metricsFile.map((file) => dirname(file)),
      ...(config.profiles.some(usesGcloud) ? [gcloudDirectory(around)] : []),
    ],
    needsTmp: paths.some((path) => /^\/(?:var\/)?tmp\//.test(path)),
    runsCommands: config.profiles.some(runsCommand),
    warnings: [
      ...carried.left.map((name) => ({
        message: `${name} is not carried over: it holds a password or a control character`,
        hint: `put it where only the job's user can read it, and see that the job gets it`,
      })),
      ...config.profiles.flatMap((spec) => narrowWindow(spec, request, global.timeoutMs)),
      ...fleetingProgram(around.program),
    ],
  };
}

function usesGcloud({ source }: ProfileSpec): boolean {
  return source.kind === "web-identity" && source.identity.kind === "gcloud";
}

/** Where gcloud keeps its tokens and logs. */
function gcloudDirectory({ env, home }: Surroundings): string {
  return env["CLOUDSDK_CONFIG"] || join(homeOf({ home }), ".config", "gcloud");
}

function runsCommand({ source, onRefresh }: ProfileSpec): boolean {
  if (onRefresh !== undefined) return true;
  switch (source.kind) {
    case "web-identity":
      return source.identity.kind === "command";
    case "saml":
      return source.assertion.kind === "command";
    case "aws-profile":
      // It may have a `credential_process`.
      return true;
    case "session":
    case "source-profile":
    case "credential-source":
      return source.mfa !== undefined;
  }
}

/** Credentials that become due and run out between two runs are refreshed too late. */
function narrowWindow(spec: ProfileSpec, { interval }: ScheduleRequest, timeoutMs: number): readonly Warning[] {
  const windowMs =
    spec.refreshBeforeMs ?? (spec.lifetimeMs === undefined ? UNKNOWN_LIFETIME_WINDOW_MS : spec.lifetimeMs / 2);
  if (windowMs > interval.minutes * 60_000 + timeoutMs) return [];
  return [
    {
      message: `profile '${spec.profile}' is due ${renderDuration(windowMs)} before it expires, and looked at every ${renderDuration(interval.minutes * 60_000)}: it can run out in between`,
      hint: "choose a shorter --interval, or a longer refresh_before in the config",
    },
  ];
}

/** npx runs a program from a cache that npm empties. */
function fleetingProgram([, script = ""]: readonly string[]): readonly Warning[] {
  if (!/[\\/]_npx[\\/]/.test(script)) return [];
  return [
    {
      message: `the job would run ${script}, which npm may remove at any time`,
      hint: "install it for good: npm install --global rolefresh",
    },
  ];
}

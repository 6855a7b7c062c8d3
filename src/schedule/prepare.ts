import { dirname, join } from "node:path";
import { homeOf } from "../base/expand-path.ts";
import { renderDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import type { Config, ProfileSpec } from "../config/config.ts";
import { UNKNOWN_LIFETIME_WINDOW_MS } from "../plan/due.ts";
import type { Environment } from "../base/world.ts";
import { carriedEnvironment, hasControl } from "./carried-environment.ts";
import type { ScheduledJob, ScheduleRequest } from "./job.ts";

/** What the job depends on besides the config. */
export interface JobWorld {
  readonly program: readonly string[];
  readonly env: Environment;
  /** Of the user that the job runs as. */
  readonly home: string | undefined;
  /** Options of this command line that every run gets, too. */
  readonly global: Pick<GlobalOptions, "timeoutMs" | "lenient" | "logFormat" | "metricsFile">;
  /** Makes a path of the command line or the environment absolute. */
  readonly absolute: (path: string) => string;
  /** The credentials file with symbolic links resolved. */
  readonly targetOf: (spec: ProfileSpec) => string;
}

/** A possible problem of the job. */
export interface Warning {
  readonly message: string;
  readonly hint: string;
}

/** A job, with what a systemd unit needs besides. */
export interface PreparedJob extends ScheduledJob {
  readonly writablePaths: readonly string[];
  readonly optionalWritablePaths: readonly string[];
  readonly needsTmp: boolean;
  readonly runsCommands: boolean;
  readonly warnings: readonly Warning[];
}

/**
 * The job for this configuration, with absolute paths.
 *
 * @throws Failure USAGE when a path contains a control character, which neither units nor crontabs can express
 */
export function prepareJob(config: Config, request: ScheduleRequest, world: JobWorld): PreparedJob {
  const { global } = world;
  const options = [
    ...(config.file === undefined ? [] : ["--config", config.file]),
    ...(request.credentialsFile === undefined ? [] : ["--credentials-file", world.absolute(request.credentialsFile)]),
    ...(global.metricsFile === undefined ? [] : ["--metrics-file", world.absolute(global.metricsFile)]),
    ...(global.lenient ? ["--lenient"] : []),
    ...(global.logFormat === "text" ? [] : ["--log-format", global.logFormat]),
    ...(global.timeoutMs === 60_000 ? [] : ["--timeout", `${Math.ceil(global.timeoutMs / 1000)}s`]),
  ];
  const carried = carriedEnvironment(world.env, config.pathVariables);
  const environment = new Map(carried.variables);
  const { AWS_SHARED_CREDENTIALS_FILE: shared, AWS_CONFIG_FILE: awsConfig } = world.env;
  if (shared && request.credentialsFile === undefined)
    environment.set("AWS_SHARED_CREDENTIALS_FILE", world.absolute(shared));
  if (awsConfig && environment.has("AWS_CONFIG_FILE")) environment.set("AWS_CONFIG_FILE", world.absolute(awsConfig));
  const { PATH: searchPath } = world.env;
  // cron's is /usr/bin:/bin, where gcloud is not, nor what a hook of the user calls.
  if (config.profiles.some((spec) => usesGcloud(spec) || runsCommand(spec)) && searchPath)
    environment.set("PATH", searchPath);
  const files = config.profiles.flatMap((spec) => [spec.credentialsFile, world.targetOf(spec)]);
  const metricsFile = global.metricsFile === undefined ? [] : [world.absolute(global.metricsFile)];
  const paths = [...world.program, ...options, ...files, ...carried.variables.values()];
  if ([...paths, ...environment.values()].some(hasControl))
    throw new Failure("USAGE", "a path of the job contains a control character");
  return {
    program: world.program,
    options,
    environment,
    interval: request.interval,
    timeoutMs: global.timeoutMs,
    writablePaths: [...new Set(files.map((file) => dirname(file)))],
    optionalWritablePaths: [
      ...metricsFile.map((file) => dirname(file)),
      ...(config.profiles.some(usesGcloud) ? [gcloudDirectory(world)] : []),
    ],
    needsTmp: paths.some((path) => /^\/(?:var\/)?tmp\//.test(path)),
    runsCommands: config.profiles.some(runsCommand),
    warnings: [
      ...carried.left.map((name) => ({
        message: `${name} is not passed to the job: it contains a password or a control character`,
        hint: "pass it to the job through a file that only the job's user can read",
      })),
      ...config.profiles.flatMap((spec) => narrowWindow(spec, request, global.timeoutMs)),
      ...temporaryProgram(world.program),
    ],
  };
}

function usesGcloud({ source }: ProfileSpec): boolean {
  return source.kind === "web-identity" && source.identity.kind === "gcloud";
}

/** Where gcloud keeps its tokens and logs. */
function gcloudDirectory({ env, home }: JobWorld): string {
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

/** Credentials that become due and expire between two runs are refreshed too late. */
function narrowWindow(spec: ProfileSpec, { interval }: ScheduleRequest, timeoutMs: number): readonly Warning[] {
  const windowMs =
    spec.refreshBeforeMs ?? (spec.lifetimeMs === undefined ? UNKNOWN_LIFETIME_WINDOW_MS : spec.lifetimeMs / 2);
  if (windowMs > interval.minutes * 60_000 + timeoutMs) return [];
  return [
    {
      message: `profile '${spec.profile}' is due ${renderDuration(windowMs)} before it expires, but checked only every ${renderDuration(interval.minutes * 60_000)}: it can expire in between`,
      hint: "choose a shorter --interval, or a longer refresh_before in the config",
    },
  ];
}

/** npx runs programs from a cache that npm empties. */
function temporaryProgram([, script = ""]: readonly string[]): readonly Warning[] {
  if (!/[\\/]_npx[\\/]/.test(script)) return [];
  return [
    {
      message: `the job would run ${script}, which npm may remove at any time`,
      hint: "install it permanently: npm install --global rolefresh",
    },
  ];
}

import { stat } from "node:fs/promises";
import { join } from "node:path";

import { type Deadline, startDeadline } from "../base/deadline.ts";
import { expandPath, homeOf, pathOrThrow } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import type { GlobalOptions } from "../base/global-options.ts";
import type { World } from "../base/world.ts";
import { readConfig } from "../config/read.ts";
import type { Reporter } from "../output/report.ts";
import { makeDirectories } from "../safe-file/make-directories.ts";
import { resolveFile } from "../safe-file/resolve-file.ts";
import { findExposure } from "../safe-file/strict-modes.ts";
import { crontabBlock } from "./crontab.ts";
import { changeCrontab } from "./install-cron.ts";
import { installLaunchd, type LaunchdPlace, uninstallLaunchd } from "./install-launchd.ts";
import { installSystemd, type SystemdPlace, uninstallSystemd } from "./install-systemd.ts";
import type { ScheduledFile, Scheduler, ScheduleRequest } from "./job.ts";
import { printKubernetes } from "./kubernetes.ts";
import { launchdPlist, PLIST_NAME } from "./launchd-plist.ts";
import { type PreparedJob, prepareJob } from "./prepare.ts";
import { runTool, type ToolContext } from "./run-tool.ts";
import { lingers, systemdState, unitDirectory } from "./systemd-state.ts";
import { SERVICE_NAME, serviceUnit, TIMER_NAME, timerUnit } from "./systemd-unit.ts";

/** The request with the global options that a job takes over. */
type Request = ScheduleRequest & { readonly global: GlobalOptions };

/**
 * Prints, installs or uninstalls what runs `refresh` periodically.
 *
 * @returns what was printed, written or removed
 * @throws Failure SCHEDULE_*, SCHEDULER_*, USAGE for an unknown `--run-as`, CONFIG_*
 */
export async function runSchedule(
  request: Request,
  reporter: Reporter,
  world: World,
): Promise<readonly ScheduledFile[]> {
  const { scheduler, action, global } = request;
  if (scheduler === "kubernetes") return printKubernetes(request, reporter, world);
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  try {
    const run = await openRun(request, scheduler, world, deadline);
    return action === "uninstall" ? await uninstall(run) : await install(run, await readJob(run, reporter), reporter);
  } finally {
    deadline.clear();
  }
}

interface Run {
  readonly scheduler: Exclude<Scheduler, "kubernetes">;
  readonly request: Request;
  /** The world of the user that the job runs as. */
  readonly world: World;
  readonly scope: "user" | "system";
  readonly tools: ToolContext;
}

/** @throws Failure SCHEDULER_DENIED when only root may do this */
async function openRun(request: Request, scheduler: Run["scheduler"], world: World, deadline: Deadline): Promise<Run> {
  const scope = request.scope ?? (world.uid === 0 ? "system" : "user");
  const tools = { env: world.env, deadline };
  if (request.action !== "print" && scope === "system" && world.uid !== 0) {
    throw new Failure("SCHEDULER_DENIED", `only root can --${request.action} a system job`, {
      hint: `use sudo, or do it for yourself: rolefresh schedule ${scheduler} --${request.action} --user`,
    });
  }
  const account = request.runAs === undefined ? undefined : await accountOf(request.runAs, tools);
  // `$HOME` and `~` in the config mean the home of the job's user.
  const own = account ? { ...world, ...account, env: { ...world.env, HOME: account.home } } : world;
  return { scheduler, request, world: own, scope, tools };
}

/** Looks a user up as the machine does (getent(1): local files, LDAP, …). */
async function accountOf(name: string, tools: ToolContext): Promise<Pick<World, "uid"> & { readonly home: string }> {
  const answer = await runTool("getent", ["passwd", name], tools);
  const [, , uid = "", , , home = ""] = answer.stdout.toString("utf8").trim().split(":");
  if (answer.status === 0 && /^\d+$/.test(uid) && home.startsWith("/")) return { uid: Number(uid), home };
  throw new Failure("USAGE", `the user '${name}' does not exist`, {
    hint: "check --run-as; 'getent passwd' lists users",
  });
}

/** Anyone who can change the config could run commands as root; the job would refuse it only later. */
async function refuseExposedConfig(file: string): Promise<void> {
  const exposure = await findExposure(file);
  if (!exposure) return;
  throw new Failure("CONFIG_INVALID", `root's job would not use the config ${file}: ${exposure.reason}`, {
    hint: "run it as that user with --run-as USER, or move the config to /etc/rolefresh.ini",
  });
}

async function readJob({ request, world, scope }: Run, reporter: Reporter): Promise<PreparedJob> {
  const { configFile, credentialsFile, global } = request;
  const config = await readConfig({ configFile, credentialsFile, inline: undefined }, world);
  if (scope === "system" && request.runAs === undefined && config.file !== undefined)
    await refuseExposedConfig(config.file);
  const targets = new Map<string, string>();
  for (const { credentialsFile: path } of config.profiles) {
    targets.set(path, (await resolveFile(path, world.uid)).target);
  }
  const job = prepareJob(config, request, {
    program: world.program,
    env: world.env,
    home: world.home,
    global,
    absolute: (path) => pathOrThrow(path, expandPath(path, world, world.cwd)),
    targetOf: (spec) => targets.get(spec.credentialsFile) ?? spec.credentialsFile,
  });
  for (const { message, hint } of job.warnings) reporter.warning(message, hint);
  return job;
}

async function install(run: Run, job: PreparedJob, reporter: Reporter): Promise<readonly ScheduledFile[]> {
  const { request, world, scope, tools } = run;
  const { runAs } = request;
  const isInstall = request.action === "install";
  switch (run.scheduler) {
    case "systemd": {
      const place = systemdPlace(run);
      const unit = { ...job, scope, runAs };
      const units = { service: serviceUnit(unit), timer: timerUnit(unit) };
      if (isInstall) {
        // The unit does not start if a directory in ReadWritePaths= does not exist.
        for (const path of job.writablePaths) await makePrivateDirectory(path, runAs, world.uid);
        await installSystemd(place, units, tools);
        await warnOfLogout(scope, world, reporter);
      } else {
        const state = await systemdState(place.directory);
        if (state.kind === "half")
          reporter.warning(
            `half installed: ${state.problem}`,
            `repair it with 'rolefresh schedule systemd --${scope} --install'`,
          );
      }
      return [
        { path: join(place.directory, SERVICE_NAME), content: units.service },
        { path: join(place.directory, TIMER_NAME), content: units.timer },
      ];
    }
    case "cron": {
      const block = crontabBlock(job);
      if (isInstall) await changeCrontab(block, runAs, tools);
      return [{ path: null, content: block }];
    }
    case "launchd": {
      const place = launchdPlace(run);
      const logFile = scope === "system" ? "/var/log/rolefresh.log" : join(homeOf(world), "Library/Logs/rolefresh.log");
      const plist = launchdPlist({ ...job, logFile, runAs });
      if (isInstall) await installLaunchd(place, plist, tools);
      return [{ path: place.file, content: plist }];
    }
  }
}

async function uninstall(run: Run): Promise<readonly ScheduledFile[]> {
  const { request, tools } = run;
  const removed = (paths: readonly string[]) => paths.map((path) => ({ path, content: null }));
  switch (run.scheduler) {
    case "systemd":
      return removed(await uninstallSystemd(systemdPlace(run), tools));
    case "cron":
      return (await changeCrontab(undefined, request.runAs, tools)) ? [{ path: null, content: null }] : [];
    case "launchd":
      return removed(await uninstallLaunchd(launchdPlace(run), tools));
  }
}

function systemdPlace({ scope, world }: Run): SystemdPlace {
  return { scope, directory: unitDirectory(scope, world), uid: world.uid };
}

function launchdPlace({ scope, world }: Run): LaunchdPlace {
  const { uid } = world;
  return scope === "system"
    ? { file: join("/Library/LaunchDaemons", PLIST_NAME), domain: "system", uid }
    : { file: join(homeOf(world), "Library/LaunchAgents", PLIST_NAME), domain: `gui/${uid ?? 0}`, uid };
}

async function makePrivateDirectory(path: string, runAs: string | undefined, uid: number | undefined): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch {
    // Creating it tells why.
  }
  const hint = `mkdir -m 700 ${path}${runAs === undefined ? "" : ` && chown ${runAs} ${path}`}`;
  if (runAs !== undefined) throw new Failure("SCHEDULE_WRITE_FAILED", `the directory ${path} does not exist`, { hint });
  try {
    makeDirectories((await resolveFile(path, uid)).target, path, uid);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("SCHEDULE_WRITE_FAILED", `cannot create the directory ${path}`, { hint, cause: error });
  }
}

async function warnOfLogout(scope: "user" | "system", world: World, reporter: Reporter): Promise<void> {
  const user = world.env["USER"] || world.env["LOGNAME"];
  if (scope === "system" || user === undefined || (await lingers(user))) return;
  reporter.warning(`the timer runs only while ${user} is logged in`, `loginctl enable-linger ${user}`);
}

import { stat } from "node:fs/promises";
import { join } from "node:path";

import { type Deadline, startDeadline } from "../base/deadline.ts";
import { expandPath, homeOf, pathOrThrow } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import { renderDuration } from "../base/duration.ts";
import type { ScheduleInvocation } from "../command-line/invocation.ts";
import { openReporter, type Reporter } from "../output/report.ts";
import { readConfig } from "../config/read.ts";
import { makeDirectories } from "../safe-file/make-directories.ts";
import { resolveFile } from "../safe-file/resolve-file.ts";
import { accountOf } from "../schedule/account.ts";
import { crontabBlock } from "../schedule/crontab.ts";
import { changeCrontab } from "../schedule/install-cron.ts";
import { installLaunchd, type LaunchdPlace, uninstallLaunchd } from "../schedule/install-launchd.ts";
import { installSystemd, type SystemdPlace, uninstallSystemd } from "../schedule/install-systemd.ts";
import { launchdPlist, PLIST_NAME } from "../schedule/launchd-plist.ts";
import { type PreparedJob, prepareJob } from "../schedule/prepare.ts";
import { refuseExposedConfig } from "../schedule/refuse-exposed.ts";
import type { ScheduledFile, Scheduler } from "../schedule/request.ts";
import { lingers, systemdState, unitDirectory } from "../schedule/systemd-state.ts";
import { SERVICE_NAME, serviceUnit, TIMER_NAME, timerUnit } from "../schedule/systemd-unit.ts";
import type { ToolContext } from "../schedule/run-tool.ts";
import type { World } from "../base/world.ts";
import { printKubernetes } from "../schedule/kubernetes.ts";

/**
 * Prints, installs or uninstalls what runs `refresh` again and again.
 *
 * @returns 0; everything else is thrown
 */
export async function schedule(invocation: ScheduleInvocation, world: World): Promise<number> {
  const reporter = openReporter(world, invocation.global);
  const { scheduler } = invocation;
  if (scheduler === "kubernetes") {
    show(await printKubernetes(invocation, reporter, world), invocation, world);
    return 0;
  }
  const deadline = startDeadline(invocation.global.timeoutMs, world, world.interrupted);
  try {
    const run = await openRun(invocation, scheduler, world, deadline);
    if (invocation.action === "uninstall") show(await uninstall(run), invocation, world);
    else show(await install(run, await readJob(run, reporter), reporter), invocation, world);
    return 0;
  } finally {
    deadline.clear();
  }
}

interface Run {
  readonly scheduler: Exclude<Scheduler, "kubernetes">;
  readonly invocation: ScheduleInvocation;
  /** The world of the user that the job runs as. */
  readonly world: World;
  readonly scope: "user" | "system";
  readonly tools: ToolContext;
}

/** @throws Failure SCHEDULER_DENIED when only root may do this */
async function openRun(
  invocation: ScheduleInvocation,
  scheduler: Run["scheduler"],
  world: World,
  deadline: Deadline,
): Promise<Run> {
  const scope = invocation.scope ?? (world.uid === 0 ? "system" : "user");
  const tools = { env: world.env, deadline };
  if (invocation.action !== "print" && scope === "system" && world.uid !== 0) {
    throw new Failure("SCHEDULER_DENIED", `only root can --${invocation.action} a job of the system`, {
      hint: `run it with sudo, or for yourself: rolefresh schedule ${scheduler} --${invocation.action} --user`,
    });
  }
  const account = invocation.runAs === undefined ? undefined : await accountOf(invocation.runAs, tools);
  // `$HOME` in the config is the job's user's, as `~` is.
  const own = account ? { ...world, ...account, env: { ...world.env, HOME: account.home } } : world;
  return { scheduler, invocation, world: own, scope, tools };
}

async function readJob({ invocation, world, scope }: Run, reporter: Reporter): Promise<PreparedJob> {
  const { configFile, credentialsFile, global } = invocation;
  const config = await readConfig({ configFile, credentialsFile, inline: undefined }, world);
  if (scope === "system" && invocation.runAs === undefined && config.file !== undefined)
    await refuseExposedConfig(config.file);
  const targets = new Map<string, string>();
  for (const { credentialsFile: path } of config.profiles) {
    targets.set(path, (await resolveFile(path, world.uid)).target);
  }
  const job = prepareJob(config, invocation, {
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

/** Installs the job where that is asked for. */
async function install(run: Run, job: PreparedJob, reporter: Reporter): Promise<readonly ScheduledFile[]> {
  const { invocation, world, scope, tools } = run;
  const { runAs } = invocation;
  const isInstall = invocation.action === "install";
  switch (run.scheduler) {
    case "systemd": {
      const place = systemdPlace(run);
      const unit = { ...job, scope, runAs };
      const units = { service: serviceUnit(unit), timer: timerUnit(unit) };
      if (isInstall) {
        // ReadWritePaths= of a directory that is not there keeps the unit from starting.
        for (const path of job.writablePaths) await makePrivateDirectory(path, runAs, world.uid);
        await installSystemd(place, units, tools);
        await warnOfLogout(scope, world, reporter);
      } else {
        const state = await systemdState(place.directory);
        if (state.kind === "half")
          reporter.warning(
            `half installed: ${state.problem}`,
            `rolefresh schedule systemd --${scope} --install repairs it`,
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
  const { invocation, tools } = run;
  const removed = (paths: readonly string[]) => paths.map((path) => ({ path, content: null }));
  switch (run.scheduler) {
    case "systemd":
      return removed(await uninstallSystemd(systemdPlace(run), tools));
    case "cron":
      return (await changeCrontab(undefined, invocation.runAs, tools)) ? [{ path: null, content: null }] : [];
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
    // Not there, or not for us to see: making it tells.
  }
  const hint = `mkdir -m 700 ${path}${runAs === undefined ? "" : ` && chown ${runAs} ${path}`}`;
  if (runAs !== undefined) throw new Failure("SCHEDULE_WRITE_FAILED", `there is no directory ${path}`, { hint });
  try {
    makeDirectories((await resolveFile(path, uid)).target, path, uid);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("SCHEDULE_WRITE_FAILED", `the directory ${path} cannot be made`, { hint, cause: error });
  }
}

async function warnOfLogout(scope: "user" | "system", world: World, reporter: Reporter): Promise<void> {
  const user = world.env["USER"] || world.env["LOGNAME"];
  if (scope === "system" || user === undefined || (await lingers(user))) return;
  reporter.warning(`the timer runs only while ${user} is logged in`, `loginctl enable-linger ${user}`);
}

function show(files: readonly ScheduledFile[], invocation: ScheduleInvocation, world: World): void {
  const { scheduler, action, global, interval } = invocation;
  if (global.json) {
    world.out.write(`${JSON.stringify({ scheduler, action, files })}\n`);
  } else if (action === "print") {
    // As `systemctl cat` does where there are several.
    const shown = files.map(({ path, content }) => (files.length > 1 && path !== null ? `# ${path}\n` : "") + content);
    world.out.write(shown.join("\n"));
  } else if (!global.quiet) {
    const places = files.map(({ path }) => path ?? "the crontab").join(" and ");
    if (action === "install") {
      world.out.write(`installed in ${places}: runs every ${renderDuration(interval.minutes * 60_000)}\n`);
    } else world.out.write(files.length === 0 ? "nothing was installed\n" : `removed from ${places}\n`);
  }
}

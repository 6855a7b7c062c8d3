import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { removeFile } from "../safe-file/small-file.ts";
import { removeManagedFile, writeManagedFile } from "./managed-file.ts";
import { enablingLink, systemdState } from "./systemd-state.ts";
import { SERVICE_NAME, TIMER_NAME, UNIT_MARK } from "./systemd-unit.ts";
import { runTool, type ToolContext } from "./run-tool.ts";

/** Where the units go, and which manager runs them. */
export interface SystemdPlace {
  readonly scope: "user" | "system";
  readonly directory: string;
  readonly uid: number | undefined;
}

/**
 * Writes both units and starts the timer; repairs a half-installed one.
 *
 * @throws Failure SCHEDULER_MISSING before anything is written; SCHEDULER_FAILED, naming what was written
 */
export async function installSystemd(
  place: SystemdPlace,
  units: { readonly service: string; readonly timer: string },
  context: ToolContext,
): Promise<void> {
  const systemctl = openSystemctl(place, context);
  await systemctl.run("--version");
  await writeManagedFile(join(place.directory, SERVICE_NAME), units.service, UNIT_MARK, place.uid);
  await writeManagedFile(join(place.directory, TIMER_NAME), units.timer, UNIT_MARK, place.uid);
  const next = `${systemctl.shown("daemon-reload")} && ${systemctl.shown("enable --now", TIMER_NAME)}`;
  const written = `${SERVICE_NAME} and ${TIMER_NAME} are in ${place.directory}, but the timer does not run`;
  await systemctl.orFail(written, next, "daemon-reload");
  await systemctl.orFail(written, next, "enable", "--now", TIMER_NAME);
  const state = await systemdState(place.directory);
  if (state.kind === "half") throw new Failure("SCHEDULER_FAILED", `half installed: ${state.problem}`, { hint: next });
}

/**
 * Stops the timer and removes both units, or what exists of them.
 *
 * @returns the files that were removed
 * @throws Failure SCHEDULER_FAILED when the files are gone but the manager could not be informed
 */
export async function uninstallSystemd(place: SystemdPlace, context: ToolContext): Promise<readonly string[]> {
  if ((await systemdState(place.directory)).kind === "absent") return [];
  const systemctl = openSystemctl(place, context);
  const disabled = await systemctl.run("disable", "--now", TIMER_NAME);
  const removed: string[] = [];
  for (const name of [TIMER_NAME, SERVICE_NAME]) {
    const path = join(place.directory, name);
    if (await removeManagedFile(path, UNIT_MARK, place.uid)) removed.push(path);
  }
  await removeFile(enablingLink(place.directory), place.uid);
  const gone = `${removed.join(" and ")} removed, but systemd was not informed`;
  const next = `${systemctl.shown("stop", TIMER_NAME)}; ${systemctl.shown("daemon-reload")}`;
  await systemctl.orFail(gone, next, "daemon-reload");
  if (disabled.status !== 0 && !/not (?:loaded|exist)|does not exist/.test(disabled.complaint)) {
    await systemctl.orFail(gone, next, "stop", TIMER_NAME);
  }
  return removed;
}

interface Systemctl {
  run(...args: readonly string[]): ReturnType<typeof runTool>;
  /** The command line. */
  shown(...args: readonly string[]): string;
  orFail(problem: string, next: string, ...args: readonly string[]): Promise<void>;
}

function openSystemctl(place: SystemdPlace, context: ToolContext): Systemctl {
  const scope = place.scope === "user" ? ["--user"] : [];
  // `sudo -u` and `su` do not set the variable.
  const runtime = context.env["XDG_RUNTIME_DIR"] ?? (place.uid === undefined ? undefined : `/run/user/${place.uid}`);
  const env = runtime === undefined ? context.env : { ...context.env, XDG_RUNTIME_DIR: runtime };
  const run: Systemctl["run"] = (...args) => runTool("systemctl", [...scope, ...args], { ...context, env });
  const shown: Systemctl["shown"] = (...args) => ["systemctl", ...scope, ...args].join(" ");
  return {
    run,
    shown,
    orFail: async (problem, next, ...args) => {
      const answer = await run(...args);
      if (answer.status === 0) return;
      const noBus = /connect to bus|not been booted with systemd|No medium found/i.test(answer.complaint);
      const why = answer.complaint === "" ? `exit status ${answer.status}` : answer.complaint;
      throw new Failure("SCHEDULER_FAILED", `${problem}: '${shown(...args)}' failed: ${why}`, {
        hint:
          noBus && place.scope === "user" ? `log in to the machine as this user, then run: ${next}` : `run: ${next}`,
      });
    },
  };
}

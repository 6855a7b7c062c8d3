import { access } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";

import { lingers, unitDirectory } from "../schedule/systemd-state.ts";
import { SERVICE_NAME, TIMER_NAME } from "../schedule/systemd-unit.ts";
import { calendarGapMs } from "./calendar.ts";
import type { DoctorContext } from "./context.ts";
import { finding, type Finding, type FindingLevel } from "./finding.ts";
import { queryTool } from "./query-tool.ts";

/** Something that starts rolefresh again and again. */
export interface Schedule {
  readonly findings: readonly Finding[];
  /** The longest time between two runs; undefined when it is not known. */
  readonly intervalMs: number | undefined;
}

/** Whose manager: the user's own, or the machine's. */
type Scope = "user" | "system";

const PROPERTIES = [
  "Id",
  "LoadState",
  "ActiveState",
  "UnitFileState",
  "FragmentPath",
  "LastTriggerUSec",
  "NextElapseUSecRealtime",
  "TimersCalendar",
  "Result",
  "ExecMainStatus",
];

type Unit = ReadonlyMap<string, string>;

/** The timer of a systemd manager and how its last run ended; undefined when it has none, or there is no systemd. */
export async function findSystemdSchedule(scope: Scope, context: DoctorContext): Promise<Schedule | undefined> {
  const args = [
    ...managerFlag(scope),
    "show",
    TIMER_NAME,
    SERVICE_NAME,
    ...PROPERTIES.map((name) => `--property=${name}`),
  ];
  const reply = await queryTool("systemctl", args, context);
  if (reply.kind === "timeout")
    return schedule("warning", `systemctl (${scope}) timed out, so its timer cannot be checked`, "systemctl --failed");
  if (reply.kind === "none") return await withoutSystemd(scope, context);
  const units = parseUnits(reply.text);
  return await classifyUnits(scope, units.get(TIMER_NAME), units.get(SERVICE_NAME));
}

/** What `systemctl show` printed for several units: blocks of `Key=value`, a blank line between them. */
export function parseUnits(text: string): ReadonlyMap<string, Unit> {
  const units = new Map<string, Unit>();
  for (const block of text.split(/\n\s*\n/)) {
    const unit = new Map<string, string>();
    for (const line of block.split("\n")) {
      const equals = line.indexOf("=");
      if (equals > 0) unit.set(line.slice(0, equals), line.slice(equals + 1));
    }
    const id = unit.get("Id");
    if (id !== undefined) units.set(id, unit);
  }
  return units;
}

async function classifyUnits(
  scope: Scope,
  timer: Unit | undefined,
  service: Unit | undefined,
): Promise<Schedule | undefined> {
  const install = "rolefresh schedule systemd --install";
  const serviceName = `${SERVICE_NAME} (${scope})`;
  if (!isInstalled(timer)) {
    if (!isInstalled(service)) return undefined;
    // A unit that runs `watch` needs no timer.
    if (service.get("ActiveState") === "active") return schedule("ok", `${serviceName} is running`);
    return schedule("warning", `${serviceName} is installed without ${TIMER_NAME}: nothing starts it`, install);
  }
  if (isOffer(timer)) return undefined;
  if (!isInstalled(service))
    return schedule(
      "warning",
      `${TIMER_NAME} (${scope}) is installed without ${SERVICE_NAME}: it has nothing to start`,
      install,
    );
  const problems = [...(await timerProblems(scope, timer)), ...lastRunProblems(scope, timer, service)];
  const event = /OnCalendar=([^;}]*)/.exec(timer.get("TimersCalendar") ?? "")?.[1];
  return {
    findings: problems.length > 0 ? problems : [finding("ok", describeTimer(scope, timer))],
    intervalMs: timer.get("ActiveState") === "active" && event !== undefined ? calendarGapMs(event) : undefined,
  };
}

async function timerProblems(scope: Scope, timer: Unit): Promise<readonly Finding[]> {
  const name = `${TIMER_NAME} (${scope})`;
  const manager = ["systemctl", ...managerFlag(scope)].join(" ");
  const problems: Finding[] = [];
  if (timer.get("LoadState") === "masked" || timer.get("ActiveState") !== "active")
    problems.push(
      finding("error", `${name} is not active: nothing is refreshed`, {
        hint: `${manager} enable --now ${TIMER_NAME}`,
      }),
    );
  else if (timer.get("UnitFileState") === "disabled")
    problems.push(
      finding("warning", `${name} is not enabled: it does not start at boot`, {
        hint: `${manager} enable ${TIMER_NAME}`,
      }),
    );
  // A user without a passwd entry, for whom `userInfo` throws, has no manager of its own.
  const user = scope === "user" ? userInfo().username : undefined;
  if (user !== undefined && !(await lingers(user)))
    problems.push(
      finding("warning", `${name} stops when the user logs out: lingering is off`, {
        hint: `loginctl enable-linger ${user}`,
      }),
    );
  return problems;
}

function lastRunProblems(scope: Scope, timer: Unit, service: Unit): readonly Finding[] {
  const result = service.get("Result") ?? "success";
  // `exec-condition` is a run that an ExecCondition= of the user's own has skipped (systemd.service(5)).
  if (result === "success" || result === "exec-condition") return [];
  const status = service.get("ExecMainStatus") ?? "0";
  const last = instantOf(timer.get("LastTriggerUSec"));
  const how = `${result}${status === "0" ? "" : `, status ${status}`}${last === undefined ? "" : `; the timer last started it at ${last}`}`;
  return [
    finding("error", `the last run of ${SERVICE_NAME} (${scope}) failed: ${how}`, {
      hint: `journalctl ${scope === "user" ? "--user " : ""}-u ${SERVICE_NAME} -n 20`,
    }),
  ];
}

function describeTimer(scope: Scope, timer: Unit): string {
  const last = instantOf(timer.get("LastTriggerUSec"));
  const next = instantOf(timer.get("NextElapseUSecRealtime"));
  const runs = [
    last === undefined ? "no run yet" : `last run at ${last}`,
    ...(next === undefined ? [] : [`next at ${next}`]),
  ];
  return `${TIMER_NAME} (${scope}) is active: ${runs.join(", ")}`;
}

/** Units that are installed while no systemd responds (a container, or no bus for this user) run nothing. */
async function withoutSystemd(scope: Scope, { world }: DoctorContext): Promise<Schedule | undefined> {
  if (scope === "user" && !world.env["XDG_CONFIG_HOME"] && world.home === undefined) return undefined;
  const path = join(unitDirectory(scope, world), TIMER_NAME);
  try {
    await access(path);
  } catch {
    return undefined;
  }
  return schedule(
    "warning",
    `${path} exists, but systemd (${scope}) does not respond, so it may not run`,
    scope === "user"
      ? "export XDG_RUNTIME_DIR=/run/user/$(id -u) where cron or sudo starts this shell"
      : "systemctl status",
  );
}

/** A unit of the Debian package that was never enabled or started: the machine may use cron. */
function isOffer(timer: Unit): boolean {
  return (
    /^(?:\/usr)?\/lib\/systemd\//.test(timer.get("FragmentPath") ?? "") &&
    timer.get("UnitFileState") === "disabled" &&
    timer.get("ActiveState") === "inactive"
  );
}

function isInstalled(unit: Unit | undefined): unit is Unit {
  const state = unit?.get("LoadState");
  return state !== undefined && state !== "not-found";
}

function managerFlag(scope: Scope): readonly string[] {
  return scope === "user" ? ["--user"] : [];
}

/** `Tue 2026-11-24 06:49:11 UTC` in our notation; undefined for `n/a`, nothing, and spans as systemd before 238 shows. */
function instantOf(text: string | undefined): string | undefined {
  const [, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(text ?? "") ?? [];
  return day === undefined || time === undefined ? undefined : `${day}T${time}Z`;
}

function schedule(level: FindingLevel, message: string, hint?: string): Schedule {
  return { findings: [finding(level, message, { hint })], intervalMs: undefined };
}

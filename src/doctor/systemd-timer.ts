import { access } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";

import { unitDirectory } from "../schedule/systemd-state.ts";
import { calendarGapMs } from "./calendar.ts";
import type { DoctorContext } from "./context.ts";
import { finding, type Finding } from "./finding.ts";
import { askTool } from "./tool.ts";

/** Something that starts rolefresh again and again. */
export interface Schedule {
  readonly findings: readonly Finding[];
  /** The longest time between two runs; undefined when it is not known. */
  readonly intervalMs: number | undefined;
}

/** Whose manager: the user's own, or the machine's. */
export type Scope = "user" | "system";

const TIMER = "rolefresh.timer";
const SERVICE = "rolefresh.service";

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
export async function lookAtSystemd(scope: Scope, context: DoctorContext): Promise<Schedule | undefined> {
  const args = [...managerFlag(scope), "show", TIMER, SERVICE, ...PROPERTIES.map((name) => `--property=${name}`)];
  const answer = await askTool("systemctl", args, context);
  if (answer.kind === "hung")
    return warning(`systemd (${scope}) has not answered, so its timer is not known`, "systemctl --failed");
  if (answer.kind === "nothing") return await withoutSystemd(scope, context);
  const units = parseUnits(answer.text);
  const timer = units.get(TIMER);
  const service = units.get(SERVICE);
  return judgeUnits(scope, timer, service, await hasLinger(scope));
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

function judgeUnits(
  scope: Scope,
  timer: Unit | undefined,
  service: Unit | undefined,
  linger: boolean,
): Schedule | undefined {
  const manager = ["systemctl", ...managerFlag(scope)].join(" ");
  const isTimer = isThere(timer);
  const isService = isThere(service);
  if (!isTimer && !isService) return undefined;
  if (!timer || !isTimer) {
    // A unit that runs `watch` needs no timer.
    if (service?.get("ActiveState") === "active") return ok(`${SERVICE} (${scope}) is running`);
    return warning(
      `${SERVICE} (${scope}) is there, but no ${TIMER} that starts it`,
      "rolefresh schedule systemd --install",
    );
  }
  if (isOffer(timer)) return undefined;
  if (!isService)
    return warning(`${TIMER} (${scope}) is there, but no ${SERVICE} to start`, "rolefresh schedule systemd --install");
  const findings: Finding[] = [];
  const add = (level: "warning" | "error", message: string, hint: string) =>
    findings.push(finding("timer", level, message, { hint }));
  if (timer.get("LoadState") === "masked" || timer.get("ActiveState") !== "active")
    add("error", `${TIMER} (${scope}) is not started: nothing is refreshed`, `${manager} enable --now ${TIMER}`);
  else if (timer.get("UnitFileState") === "disabled")
    add("warning", `${TIMER} (${scope}) is not enabled: it ends with the next boot`, `${manager} enable ${TIMER}`);
  if (scope === "user" && !linger)
    add(
      "warning",
      `${TIMER} (user) stops when the user logs out: lingering is off`,
      `loginctl enable-linger ${userInfo().username}`,
    );
  const result = service?.get("Result") ?? "success";
  const last = instantOf(timer.get("LastTriggerUSec"));
  // `exec-condition` is a run that an ExecCondition= of the user's own has skipped (systemd.service(5)).
  if (result !== "success" && result !== "exec-condition") {
    const status = service?.get("ExecMainStatus") ?? "0";
    const shown = status === "0" ? result : `${result}, status ${status}`;
    add(
      "error",
      `the last run of ${SERVICE} (${scope}) failed: ${shown}${last === undefined ? "" : `; the timer last started it at ${last}`}`,
      `journalctl ${scope === "user" ? "--user " : ""}-u ${SERVICE} -n 20`,
    );
  }
  if (findings.length === 0) {
    const ran = last === undefined ? "it has not run yet" : `it last ran at ${last}`;
    const next = instantOf(timer.get("NextElapseUSecRealtime"));
    const message = `${TIMER} (${scope}) is started: ${ran}${next === undefined ? "" : `, next at ${next}`}`;
    findings.push(finding("timer", "ok", message));
  }
  const isStarted = timer.get("ActiveState") === "active";
  const event = /OnCalendar=([^;}]*)/.exec(timer.get("TimersCalendar") ?? "")?.[1];
  return { findings, intervalMs: isStarted && event !== undefined ? calendarGapMs(event) : undefined };
}

/** Units that lie there while no systemd answers (a container, or no bus for this user) run nothing. */
async function withoutSystemd(scope: Scope, { world }: DoctorContext): Promise<Schedule | undefined> {
  if (scope === "user" && !world.env["XDG_CONFIG_HOME"] && world.home === undefined) return undefined;
  const path = join(unitDirectory(scope, world), TIMER);
  try {
    await access(path);
  } catch {
    return undefined;
  }
  return warning(
    `${path} is there, but no systemd (${scope}) answers, so it is not known whether it runs`,
    scope === "user" ? "from cron or sudo: export XDG_RUNTIME_DIR=/run/user/$(id -u)" : "systemctl status",
  );
}

async function hasLinger(scope: Scope): Promise<boolean> {
  if (scope === "system") return true;
  try {
    // loginctl(1), enable-linger: systemd-logind keeps it as a file of the user's name.
    await access(join("/var/lib/systemd/linger", userInfo().username));
    return true;
  } catch {
    return false;
  }
}

/** A unit of the Debian package that nobody has enabled or started: the machine may well go by cron. */
function isOffer(timer: Unit): boolean {
  return (
    /^(?:\/usr)?\/lib\/systemd\//.test(timer.get("FragmentPath") ?? "") &&
    timer.get("UnitFileState") === "disabled" &&
    timer.get("ActiveState") === "inactive"
  );
}

function isThere(unit: Unit | undefined): boolean {
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

function ok(message: string): Schedule {
  return { findings: [finding("timer", "ok", message)], intervalMs: undefined };
}

function warning(message: string, hint: string): Schedule {
  return { findings: [finding("timer", "warning", message, { hint })], intervalMs: undefined };
}

import { type ScheduledJob, wordsOf } from "./job.ts";
import { toCalendar } from "./interval.ts";

/** The unit that refreshes once. */
export const SERVICE_NAME = "rolefresh.service";
/** The unit that starts it; enabled in its place. */
export const TIMER_NAME = "rolefresh.timer";

/** The first line of every unit that is ours; a unit without it is never overwritten. */
export const UNIT_MARK = "# Written by 'rolefresh schedule systemd'";

/** What the units say besides. */
export interface SystemdJob extends ScheduledJob {
  /** `user`: for the user's own manager, which may not set up mounts. */
  readonly scope: "user" | "system";
  /** `User=` of a system unit; absent: root. */
  readonly runAs: string | undefined;
  /** What the job writes: the directories of the credentials files (locks and temp files stand beside them). */
  readonly writablePaths: readonly string[];
  /** Directories that the job may or may not have: `~/.config/gcloud`. */
  readonly optionalWritablePaths: readonly string[];
  /** Whether the job needs anything in /tmp or /var/tmp, which `PrivateTmp=` would hide. */
  readonly needsTmp: boolean;
  /** Whether the config runs commands (`on_refresh`, `identity = command`), which run in the same sandbox. */
  readonly runsCommands: boolean;
}

/** The oneshot service: `refresh` decides whether there is anything to do, and does it. */
export function serviceUnit(job: SystemdJob): string {
  const isSystem = job.scope === "system";
  return lines([
    `${UNIT_MARK}; 'systemctl ${isSystem ? "" : "--user "}edit ${SERVICE_NAME}' changes it and survives the next --install.`,
    "[Unit]",
    "Description=Keep AWS role credentials fresh",
    ...(isSystem ? ["Wants=network-online.target", "After=network-online.target time-sync.target"] : []),
    "# Transient faults are retried every minute, without limit.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=oneshot",
    ...(isSystem && job.runAs !== undefined ? [`User=${job.runAs}`] : []),
    ...[...job.environment].map(([name, value]) => `Environment=${toAssignment(name, value)}`),
    "# No ExecCondition=: systemd reads 1 to 254 as 'skip' and would skip forever a program that cannot start.",
    `ExecStart=${toCommandLine(wordsOf(job))}`,
    `TimeoutStartSec=${Math.ceil(job.timeoutMs / 1000) + 60}`,
    "Restart=on-failure",
    "RestartSec=60",
    "# Not retried, because the next run would fail alike. 1: Node.js cannot load the program; 203: there is no Node.js.",
    "RestartPreventExitStatus=1 64 65 66 70 77 78 203",
    "",
    ...(job.runsCommands
      ? [
          "# Commands of the config (on_refresh, identity_command, …) run in this sandbox too: no sudo, and only the",
          "# paths in ReadWritePaths= are writable. Put what else they need into an override ('edit', above).",
        ]
      : []),
    ...(isSystem ? mountSandbox(job) : userNote()),
    ...processSandbox(),
  ]);
}

/** Needs the system manager: mounts, capabilities, devices. */
function mountSandbox(job: SystemdJob): readonly string[] {
  return [
    "ProtectSystem=strict",
    "# Read-only, not tmpfs: the config, Node.js and the program may be in a home directory.",
    "ProtectHome=read-only",
    ...job.writablePaths.map((path) => `ReadWritePaths=${toPathWord(path)}`),
    ...job.optionalWritablePaths.map((path) => `ReadWritePaths=-${toPathWord(path)}`),
    ...(job.needsTmp ? ["# PrivateTmp= is off: the job needs something in /tmp."] : ["PrivateTmp=yes"]),
    "PrivateDevices=yes",
    "PrivateMounts=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    ...(job.runAs === undefined
      ? [
          "# Root keeps the owner and mode of the file that it replaces, in a directory that may be another user's.",
          "CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER",
        ]
      : ["CapabilityBoundingSet="]),
    "KeyringMode=private",
  ];
}

function userNote(): readonly string[] {
  return [
    // systemd.exec(5); systemd/systemd#25233: from v254 on these imply PrivateUsers=, under which root's files belong to nobody.
    "# No ProtectSystem= and the like: a user's manager ignores them, or hides who owns a file (systemd.exec(5), PrivateUsers=).",
  ];
}

/** Works without any privilege: prctl(2) and seccomp(2). */
function processSandbox(): readonly string[] {
  return [
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "# MemoryDenyWriteExecute= must stay off: V8 compiles JavaScript to machine code at run time and dies under it.",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "# @pkey: V8 guards its code with memory protection keys. @chown: the file keeps its owner and group.",
    "SystemCallFilter=@system-service @pkey",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallFilter=@chown",
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
  ];
}

/** The timer. `OnCalendar=`, because `Persistent=` works for it alone and a skipped run cannot stop it. */
export function timerUnit(job: SystemdJob): string {
  const seconds = job.interval.minutes * 60;
  return lines([
    `${UNIT_MARK}; 'systemctl ${job.scope === "system" ? "" : "--user "}edit ${TIMER_NAME}' changes it and survives the next --install.`,
    "[Unit]",
    "Description=Keep AWS role credentials fresh, periodically",
    "",
    "[Timer]",
    "# Once when the timer is started (at boot, after --install), then by the clock.",
    "OnActiveSec=1s",
    `OnCalendar=${toCalendar(job.interval)}`,
    "Persistent=true",
    "# So that a fleet does not call STS in the same second.",
    `RandomizedDelaySec=${Math.min(Math.floor(seconds / 5), 60)}`,
    `AccuracySec=${Math.min(Math.floor(seconds / 10), 15)}`,
    "",
    "[Install]",
    "WantedBy=timers.target",
  ]);
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}

/*
 * Quoting by systemd.service(5), "Command lines": words are split at blanks and unquoted, `%` starts a specifier, `$` a
 * variable. `prepareJob` refuses control characters.
 */

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A word of `ReadWritePaths=`, or the program of a command line: there `$` is an ordinary character. */
function toPathWord(path: string): string {
  return quoted(path.replaceAll("%", "%%"));
}

/** A command line of `ExecStart=`. */
export function toCommandLine(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  return [toPathWord(program), ...rest.map((word) => toPathWord(word.replaceAll("$", "$$$$")))].join(" ");
}

/** An assignment of `Environment=`: always quoted, so that a blank in the value is part of it. */
export function toAssignment(name: string, value: string): string {
  const text = `${name}=${value}`.replaceAll("%", "%%");
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

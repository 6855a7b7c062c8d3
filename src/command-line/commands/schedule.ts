import { didYouMean } from "../../config/did-you-mean.ts";
import { DEFAULT_INTERVAL, parseInterval } from "../../schedule/interval.ts";
import { type Scheduler, SCHEDULERS } from "../../schedule/request.ts";
import type { ScheduleInvocation } from "../invocation.ts";
import {
  type CommandLine,
  type Flags,
  grouped,
  type Parsed,
  readFlag,
  readGlobal,
  readText,
  usage,
} from "../options.ts";

const FLAGS: Flags = {
  install: { type: "boolean", describe: "install it and start it, instead of printing it" },
  uninstall: { type: "boolean", describe: "stop it and take out what --install wrote, nothing else" },
  user: { type: "boolean", describe: "for yourself (the default unless you are root)" },
  system: { type: "boolean", describe: "for the machine (the default for root)" },
  "run-as": { type: "string", requiresArg: true, describe: "with --system: the user whose credentials file it keeps" },
  interval: {
    type: "string",
    requiresArg: true,
    describe: "how often to look; a run with nothing due costs next to nothing",
    default: DEFAULT_INTERVAL,
  },
};

const KUBERNETES_FLAGS: Flags = {
  workload: { type: "string", requiresArg: true, describe: "sidecar (default) or cronjob" },
  image: { type: "string", requiresArg: true, describe: "image that has rolefresh on its PATH" },
  "app-image": { type: "string", requiresArg: true, describe: "image of the legacy tool beside it" },
  namespace: { type: "string", requiresArg: true, describe: "namespace of all objects" },
  "service-account": {
    type: "string",
    requiresArg: true,
    describe: "name of the service account (default: rolefresh)",
  },
  "token-audience": {
    type: "string",
    requiresArg: true,
    describe: "aud of its token (default: the config's audience, else sts.amazonaws.com)",
  },
};

/** `rolefresh schedule SCHEDULER`; Failure USAGE for options that the scheduler has no use for. */
export const scheduleCommandLine: CommandLine = {
  command: "schedule [scheduler]",
  describe: "print or install a systemd timer, crontab line, launchd job or Kubernetes manifest",
  build: (command) =>
    command
      .positional("scheduler", { type: "string", describe: SCHEDULERS.join(", ") })
      .options(grouped(FLAGS, "Options of schedule:"))
      .options(grouped(KUBERNETES_FLAGS, "Options of schedule kubernetes:")),
  read: readSchedule,
};

function readSchedule(parsed: Parsed): ScheduleInvocation {
  const scheduler = readScheduler(readText(parsed, "scheduler"));
  const action = choose(parsed, "install", "uninstall") ?? "print";
  const scope = choose(parsed, "user", "system");
  const runAs = readText(parsed, "run-as");
  if (scheduler === "kubernetes") {
    if (action !== "print")
      throw usage(
        `kubernetes knows no --${action}`,
        "apply it yourself: rolefresh schedule kubernetes | kubectl apply -f -",
      );
    if (scope !== undefined || runAs !== undefined)
      throw usage(`--${scope ?? "run-as"} means nothing for kubernetes`, "choose --namespace and --service-account");
    if (parsed["credentials-file"] !== undefined)
      throw usage("--credentials-file is not available for kubernetes", "the manifest shares a volume with the app");
  } else {
    const stray = Object.keys(KUBERNETES_FLAGS).find((name) => parsed[name] !== undefined);
    if (stray !== undefined) throw usage(`--${stray} goes with 'schedule kubernetes'`);
  }
  if (runAs !== undefined && scope === "user") throw usage("--run-as goes with --system");
  if (runAs !== undefined && !/^[A-Za-z_][\w.@-]*\$?$/.test(runAs)) throw usage("--run-as is not the name of a user");
  return {
    kind: "schedule",
    global: readGlobal(parsed),
    scheduler,
    action,
    scope: runAs === undefined ? scope : "system",
    interval: readInterval(readText(parsed, "interval") ?? DEFAULT_INTERVAL),
    configFile: readText(parsed, "config"),
    credentialsFile: readText(parsed, "credentials-file"),
    runAs,
    kubernetes: {
      workload: readWorkload(readText(parsed, "workload") ?? "sidecar"),
      image: readPlain(parsed, "image"),
      appImage: readPlain(parsed, "app-image"),
      namespace: readName(parsed, "namespace"),
      serviceAccount: readName(parsed, "service-account"),
      tokenAudience: readPlain(parsed, "token-audience"),
    },
  };
}

function readScheduler(name: string | undefined): Scheduler {
  const hint = `choose one of ${SCHEDULERS.join(", ")}`;
  if (name === undefined) throw usage("schedule for what?", hint);
  const found = SCHEDULERS.find((scheduler) => scheduler === name);
  if (!found) throw usage(`no scheduler '${name}' is known`, didYouMean(name.toLowerCase(), SCHEDULERS) ?? hint);
  return found;
}

function choose<T extends string>(parsed: Parsed, one: T, other: T): T | undefined {
  if (readFlag(parsed, one) && readFlag(parsed, other)) throw usage(`--${one} and --${other} exclude each other`);
  if (readFlag(parsed, one)) return one;
  return readFlag(parsed, other) ? other : undefined;
}

function readInterval(text: string): ScheduleInvocation["interval"] {
  const interval = parseInterval(text);
  if (interval) return interval;
  throw usage(
    `--interval ${text} cannot be said as a calendar rule`,
    "write minutes that divide an hour (1m, 5m, 10m, 30m) or hours that divide a day (1h, 6h, 1d)",
  );
}

function readWorkload(text: string): "sidecar" | "cronjob" {
  if (text === "sidecar" || text === "cronjob") return text;
  throw usage(
    `no workload '${text}' is known`,
    didYouMean(text, ["sidecar", "cronjob"]) ?? "choose sidecar or cronjob",
  );
}

/** Something that stands on one line. */
function readPlain(parsed: Parsed, name: string): string | undefined {
  const text = readText(parsed, name);
  if (text !== undefined && !/^[\x21-\x7e]+$/.test(text)) throw usage(`--${name} holds a blank or a control character`);
  return text;
}

/** A DNS label, as Kubernetes names things (RFC 1123). */
function readName(parsed: Parsed, name: string): string | undefined {
  const text = readText(parsed, name);
  if (text !== undefined && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text))
    throw usage(`--${name} ${text} is not a name of Kubernetes`, "small letters, digits and '-', at most 63");
  return text;
}

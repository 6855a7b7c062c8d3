import { DEFAULT_INTERVAL, parseInterval } from "../schedule/interval.ts";
import { SCHEDULERS } from "../schedule/job.ts";
import type { ScheduleInvocation } from "./invocation.ts";
import { KUBERNETES_OPTIONS } from "./options.ts";
import { type Parsed, usage } from "./parse.ts";
import { chooseFrom, readFlag, readGlobal, readText } from "./readers.ts";

/**
 * `rolefresh schedule SCHEDULER`
 *
 * @throws Failure USAGE for options that the scheduler does not have
 */
export function readSchedule(parsed: Parsed): ScheduleInvocation {
  const scheduler = chooseFrom("scheduler", parsed.words[0], SCHEDULERS);
  const action = readEither(parsed, "install", "uninstall") ?? "print";
  const scope = readEither(parsed, "user", "system");
  const runAs = readText(parsed, "run-as");
  if (scheduler === "kubernetes") refuseForKubernetes(parsed);
  else {
    const stray = KUBERNETES_OPTIONS.find(({ name }) => parsed.values.has(name));
    if (stray) throw usage(`--${stray.name} is only available for kubernetes`);
  }
  if (runAs !== undefined && scope === "user") throw usage("--run-as requires --system");
  if (runAs !== undefined && !/^[A-Za-z_][\w.@-]*\$?$/.test(runAs)) throw usage("--run-as is not a user name");
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
      workload: chooseFrom("workload", readText(parsed, "workload") ?? "sidecar", ["sidecar", "cronjob"]),
      image: readPlain(parsed, "image"),
      appImage: readPlain(parsed, "app-image"),
      namespace: readName(parsed, "namespace"),
      serviceAccount: readName(parsed, "service-account"),
      tokenAudience: readPlain(parsed, "token-audience"),
    },
  };
}

function refuseForKubernetes(parsed: Parsed): void {
  const hints = {
    install: "apply the manifest: rolefresh schedule kubernetes | kubectl apply -f -",
    uninstall: "delete the objects: rolefresh schedule kubernetes | kubectl delete -f -",
    user: "use --namespace and --service-account",
    system: "use --namespace and --service-account",
    "run-as": "use --namespace and --service-account",
    "credentials-file": "leave it out: the manifest shares a volume with the app",
  };
  for (const [name, hint] of Object.entries(hints))
    if (readText(parsed, name) !== undefined) throw usage(`--${name} is not available for kubernetes`, hint);
}

function readEither<T extends string>(parsed: Parsed, one: T, other: T): T | undefined {
  if (readFlag(parsed, one) && readFlag(parsed, other)) throw usage(`--${one} and --${other} cannot be used together`);
  if (readFlag(parsed, one)) return one;
  return readFlag(parsed, other) ? other : undefined;
}

function readInterval(text: string): ScheduleInvocation["interval"] {
  const interval = parseInterval(text);
  if (interval) return interval;
  throw usage(
    `--interval ${text} is not supported: it must divide an hour or a day`,
    "use minutes that divide an hour (1m, 5m, 10m, 30m) or hours that divide a day (1h, 6h, 1d)",
  );
}

/** A value without white space. */
function readPlain(parsed: Parsed, name: string): string | undefined {
  const text = readText(parsed, name);
  if (text !== undefined && !/^[\x21-\x7e]+$/.test(text))
    throw usage(`--${name} contains a space, a control character or a character that is not ASCII`);
  return text;
}

/** A DNS label, as Kubernetes names things (RFC 1123). */
function readName(parsed: Parsed, name: string): string | undefined {
  const text = readText(parsed, name);
  if (text !== undefined && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text))
    throw usage(
      `--${name} ${text} is not a valid name in Kubernetes`,
      "use lowercase letters, digits and '-', at most 63",
    );
  return text;
}

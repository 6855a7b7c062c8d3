import { parseDuration } from "../base/duration.ts";
import {
  type CheckInvocation,
  DEFAULT_CONCURRENCY,
  DEFAULT_TIMEOUT_MS,
  GLOBAL_DEFAULTS,
  type RefreshInvocation,
} from "./invocation.ts";

const WITH_VALUE: ReadonlySet<string> = new Set([
  "--config",
  "--credentials-file",
  "--metrics-file",
  "--timeout",
  "--concurrency",
]);

/**
 * The forms that cron and systemd run all day, without loading yargs: nothing, `refresh` or `check`, profile names, and
 * `--config`, `--credentials-file`, `--metrics-file`, `--timeout`, `--concurrency`, `--lenient`, `--quiet`. Undefined for
 * everything else, wrong values included, which yargs then reads; for what it does read it gives the same answer (a
 * property test compares the two).
 */
export function parseQuickArgs(argv: readonly string[]): RefreshInvocation | CheckInvocation | undefined {
  const words: string[] = [];
  const values = new Map<string, string>();
  let quiet = false;
  let lenient = false;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "--quiet" || word === "-q") quiet = true;
    else if (word === "--lenient") lenient = true;
    else if (WITH_VALUE.has(word)) {
      const value = argv[++index];
      if (value === undefined || value === "" || value.startsWith("-")) return undefined;
      // yargs makes a list of an option that comes twice.
      if (values.has(word)) return undefined;
      values.set(word, value);
    } else if (word === "help" || !/^[A-Za-z_][\w./@:+-]*$/.test(word)) return undefined;
    else words.push(word);
  }
  const [first, ...rest] = words;
  const kind = first === undefined ? "refresh" : first;
  if (kind !== "refresh" && kind !== "check") return undefined;
  const timeout = values.get("--timeout");
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs <= 0 || timeoutMs > 86_400_000) return undefined;
  const concurrency = values.get("--concurrency") ?? String(DEFAULT_CONCURRENCY);
  if (!/^[1-9]\d{0,2}$/.test(concurrency)) return undefined;
  const common = {
    global: {
      ...GLOBAL_DEFAULTS,
      quiet,
      lenient,
      metricsFile: values.get("--metrics-file"),
      timeoutMs,
      concurrency: Number(concurrency),
    },
    config: {
      configFile: values.get("--config"),
      credentialsFile: values.get("--credentials-file"),
      inline: undefined,
    },
    profiles: rest,
  };
  return kind === "check" ? { kind, ...common } : { kind, force: false, dryRun: false, ...common };
}

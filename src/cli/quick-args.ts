import { type CheckInvocation, GLOBAL_DEFAULTS, type RefreshInvocation } from "./invocation.ts";

/**
 * The forms that cron and systemd run all day, without loading yargs: nothing, `refresh` or `check`, profile names, and
 * `--config`, `--credentials-file`, `--quiet`. Undefined for everything else, which yargs then reads; for what it does
 * read it gives the same answer (a property test compares the two).
 */
export function parseQuickArgs(argv: readonly string[]): RefreshInvocation | CheckInvocation | undefined {
  const words: string[] = [];
  let configFile: string | undefined;
  let credentialsFile: string | undefined;
  let quiet = false;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "--quiet" || word === "-q") quiet = true;
    else if (word === "--config" || word === "--credentials-file") {
      const value = argv[++index];
      if (value === undefined || value === "" || value.startsWith("-")) return undefined;
      if (word === "--config") configFile = value;
      else credentialsFile = value;
    } else if (word === "help" || !/^[A-Za-z_][\w./@:+-]*$/.test(word)) return undefined;
    else words.push(word);
  }
  const [first, ...rest] = words;
  const kind = first === undefined ? "refresh" : first;
  if (kind !== "refresh" && kind !== "check") return undefined;
  const common = {
    global: { ...GLOBAL_DEFAULTS, quiet },
    config: { configFile, credentialsFile, inline: undefined },
    profiles: rest,
  };
  return kind === "check" ? { kind, ...common } : { kind, force: false, dryRun: false, ...common };
}

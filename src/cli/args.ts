import yargs, { type Argv } from "yargs";

import { parseDuration } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import { CONFIG_KEYS, type ConfigKey } from "../config/keys.ts";
import { didYouMean } from "../config/nearest.ts";
import type { ConfigOptions } from "../config/read.ts";
import { VERSION } from "../version.ts";
import { DEFAULT_CONCURRENCY, type GlobalOptions, type Invocation } from "./invocation.ts";

/** Keys that have a flag in the config-free form: all but the credentials file's, which is a global option. */
const INLINE_KEYS = CONFIG_KEYS.filter((key) => key.name !== "credentials_file");
const flagOf = (key: ConfigKey): string => key.replaceAll("_", "-");

const GLOBAL_FLAGS = {
  config: {
    type: "string",
    requiresArg: true,
    describe: "config file (else $ROLEFRESH_CONFIG, ~/.aws/rolefresh.ini, /etc/rolefresh.ini)",
    group: "Options:",
  },
  "credentials-file": {
    type: "string",
    requiresArg: true,
    describe: "credentials file to write (else $AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials)",
    group: "Options:",
  },
  json: { type: "boolean", describe: "print one JSON object on standard output", group: "Options:" },
  quiet: { type: "boolean", alias: "q", describe: "print nothing but errors", group: "Options:" },
  verbose: {
    type: "boolean",
    alias: "v",
    describe: "say on standard error what is done, never a secret",
    group: "Options:",
  },
  timeout: {
    type: "string",
    requiresArg: true,
    describe: "deadline for the whole run, for example 60s",
    default: "60s",
    group: "Options:",
  },
  concurrency: {
    type: "string",
    requiresArg: true,
    describe: "how many roles to assume at a time",
    default: String(DEFAULT_CONCURRENCY),
    group: "Options:",
  },
} as const;

const REFRESH_FLAGS = {
  force: { type: "boolean", alias: "f", describe: "refresh even what is not due", group: "Options of refresh:" },
  "dry-run": {
    type: "boolean",
    alias: "n",
    describe: "show what would be done: no STS call, no write",
    group: "Options of refresh:",
  },
} as const;

const STATUS_FLAGS = {
  "min-ttl": {
    type: "string",
    requiresArg: true,
    describe: "exit with 1 when a profile has less than this left, for example 10m",
    group: "Options of status:",
  },
} as const;

const EPILOGUE = `Exit status: 0 done or nothing due, 64 usage, 65 unsafe file or token, 66 token or key missing,
69 no such identity here, 70 bug, 73/74 cannot create/write, 75 try again later, 76 nonsense answer,
77 denied, 78 config. 'check': 0 due, 1 nothing due, 255 error.`;

type Parsed = Readonly<Record<string, unknown>>;

/**
 * Reads the command line.
 *
 * @param columns the terminal's width, for the help text
 * @throws Failure USAGE
 */
export async function parseArgs(argv: readonly string[], columns: number | undefined): Promise<Invocation> {
  let invocation: Invocation | undefined;
  const accept = (read: (parsed: Parsed) => Invocation) => (parsed: Parsed) => {
    invocation = read(parsed);
  };
  const parser = yargs([])
    .scriptName("rolefresh")
    .locale("en")
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "boolean-negation": false,
    })
    .usage("$0 [command] [PROFILE…]\n\nKeeps AWS role credentials fresh in ~/.aws/credentials.")
    .command(
      ["$0 [profiles..]", "refresh [profiles..]"],
      "refresh what is due, write, exit (the default)",
      refreshBuilder,
      accept(readRefresh),
    )
    .command(
      "check [profiles..]",
      "exit with 0 when something is due, 1 when nothing is, 255 on error",
      inlineBuilder,
      accept(readCheck),
    )
    .command("status [profiles..]", "show each profile's state and time left", statusBuilder, accept(readStatus))
    .options(GLOBAL_FLAGS)
    .help("help", "show this help")
    .alias("help", "h")
    .version("version", "show the version", VERSION)
    .alias("version", "V")
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(columns ?? 100, 100))
    .epilogue(EPILOGUE);

  const outcome = await new Promise<{ error: Error | undefined; output: string }>((resolve, reject) => {
    const parsed: unknown = parser.parse(
      [...argv],
      {},
      (error: Error | undefined, _parsed: unknown, output: string) => {
        // A Failure thrown by one of our own readers arrives here too.
        resolve({ error, output });
      },
    );
    if (parsed instanceof Promise) parsed.catch(reject);
  });
  if (outcome.error instanceof Failure) throw outcome.error;
  if (outcome.error) throw usage(outcome.error.message);
  if (outcome.output !== "") return { kind: "print", text: `${outcome.output.trimEnd()}\n` };
  if (!invocation) throw usage("nothing to do");
  return invocation;
}

function inlineBuilder(command: Argv): Argv {
  const positional = command.positional("profiles", {
    type: "string",
    array: true,
    describe: "profiles to look at (default: all that are configured)",
  });
  return positional.epilogue(EPILOGUE).options({
    profile: {
      type: "string",
      requiresArg: true,
      describe: "section to write (default: default)",
      group: "One role without a config file:",
    },
    ...Object.fromEntries(
      INLINE_KEYS.map(({ name, value, help }) => {
        const common = { describe: `${help} [${value}]`, group: "One role without a config file:" };
        const isSwitch = name === "overwrite";
        return [
          flagOf(name),
          isSwitch
            ? { ...common, type: "boolean" as const }
            : { ...common, type: "string" as const, requiresArg: true },
        ];
      }),
    ),
  });
}

function refreshBuilder(command: Argv): Argv {
  return inlineBuilder(command).options(REFRESH_FLAGS);
}

function statusBuilder(command: Argv): Argv {
  return inlineBuilder(command).options(STATUS_FLAGS);
}

function readRefresh(parsed: Parsed): Invocation {
  return {
    kind: "refresh",
    ...readCommon(parsed),
    force: flag(parsed, "force"),
    dryRun: flag(parsed, "dry-run"),
  };
}

function readCheck(parsed: Parsed): Invocation {
  return { kind: "check", ...readCommon(parsed) };
}

function readStatus(parsed: Parsed): Invocation {
  return { kind: "status", ...readCommon(parsed), minTtlMs: readDuration(parsed, "min-ttl") };
}

function usage(message: string, hint = "see rolefresh --help"): Failure {
  const unknown = /^Unknown arguments?: (.*)$/.exec(message.trim());
  if (!unknown)
    return new Failure(
      "USAGE",
      message
        .trim()
        .replace(/^[A-Z]/, (letter) => letter.toLowerCase())
        .replace(/\.$/, ""),
      { hint },
    );
  const flags = [
    ...Object.keys(GLOBAL_FLAGS),
    ...Object.keys(REFRESH_FLAGS),
    ...Object.keys(STATUS_FLAGS),
    ...INLINE_KEYS.map((key) => flagOf(key.name)),
  ];
  const names = (unknown[1] ?? "").split(", ");
  const first = names[0] ?? "";
  const near = didYouMean(first, flags)?.replace(/'(.*)'/, "'--$1'");
  return new Failure(
    "USAGE",
    `unknown option ${names.map((name) => (name.length > 1 ? `--${name}` : `-${name}`)).join(", ")}`,
    { hint: near ?? hint },
  );
}

/** yargs makes an array of an option that is given twice; the last one counts, as everywhere in Unix. */
function last(value: unknown): unknown {
  return Array.isArray(value) ? value.at(-1) : value;
}

function flag(parsed: Parsed, name: string): boolean {
  return last(parsed[name]) === true;
}

function text(parsed: Parsed, name: string): string | undefined {
  const value = last(parsed[name]);
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "") return value;
  if (value === true) return "true";
  throw usage(`--${name} needs a value`);
}

function readDuration(parsed: Parsed, name: string): number | undefined {
  const value = text(parsed, name);
  if (value === undefined) return undefined;
  const ms = parseDuration(value);
  if (ms === undefined || ms <= 0 || ms > 86_400_000)
    throw usage(`--${name} ${value} is not a duration of at most a day`, "write for example 90s or 10m");
  return ms;
}

function readGlobal(parsed: Parsed): GlobalOptions {
  const concurrency = text(parsed, "concurrency") ?? String(DEFAULT_CONCURRENCY);
  if (!/^[1-9]\d{0,2}$/.test(concurrency)) throw usage(`--concurrency ${concurrency} is not a number from 1 to 999`);
  return {
    json: flag(parsed, "json"),
    quiet: flag(parsed, "quiet"),
    verbose: flag(parsed, "verbose"),
    timeoutMs: readDuration(parsed, "timeout") ?? 60_000,
    concurrency: Number(concurrency),
  };
}

function readCommon(parsed: Parsed): { global: GlobalOptions; config: ConfigOptions; profiles: readonly string[] } {
  const values = new Map<ConfigKey, string>();
  for (const { name } of INLINE_KEYS) {
    const value = text(parsed, flagOf(name));
    if (value !== undefined) values.set(name, value);
  }
  const configFile = text(parsed, "config");
  const positional = parsed["profiles"];
  const named = Array.isArray(positional) ? positional.filter((name) => typeof name === "string") : [];
  const inlineProfile = text(parsed, "profile");
  const global = readGlobal(parsed);
  const credentialsFile = text(parsed, "credentials-file");
  if (!values.has("role_arn")) {
    const [first] = values.keys();
    if (first !== undefined)
      throw usage(`--${flagOf(first)} goes with --role-arn`, "without a config file name the role: --role-arn ARN");
    if (inlineProfile !== undefined)
      throw usage(
        "--profile goes with --role-arn",
        `to choose a configured profile write its name alone: rolefresh ${inlineProfile}`,
      );
    return { global, config: { configFile, credentialsFile, inline: undefined }, profiles: named };
  }
  if (configFile !== undefined) throw usage("--config and --role-arn exclude each other");
  if (named.length > 0)
    throw usage(`'${named[0]}' cannot stand next to --role-arn`, "name the section to write with --profile");
  return {
    global,
    config: { configFile: undefined, credentialsFile, inline: { profile: inlineProfile ?? "default", values } },
    profiles: [],
  };
}

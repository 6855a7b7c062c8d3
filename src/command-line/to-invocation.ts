import { CONFIG_KEYS } from "../config/keys.ts";
import { POLICY_FORMATS } from "../trust-policy/token-flags.ts";
import { EXEC_HINT } from "./commands.ts";
import {
  COMPLETE,
  type ExecInvocation,
  type InitInvocation,
  type Invocation,
  SHELLS,
  type TrustPolicyInvocation,
} from "./invocation.ts";
import { parse, type Parsed, usage } from "./parse.ts";
import { readSchedule } from "./read-schedule.ts";
import {
  besideRoleArn,
  chooseFrom,
  readConfigOptions,
  readDuration,
  readFlag,
  readGlobal,
  readKeys,
  readOnProfiles,
  readText,
} from "./readers.ts";

/**
 * Reads the command line.
 *
 * @param argv the arguments after the program's name
 * @throws Failure USAGE
 */
export function toInvocation(argv: readonly string[]): Invocation {
  // Its words are half-typed: nothing for the parser.
  if (argv[0] === COMPLETE) return { kind: "complete", words: argv.slice(1) };
  const parsed = parse(argv);
  return "kind" in parsed ? parsed : readInvocation(parsed);
}

/**
 * What a sorted command line asks for.
 *
 * @throws Failure USAGE
 */
export function readInvocation(parsed: Parsed): Invocation {
  const kind = parsed.command.name;
  switch (kind) {
    case "refresh":
      return {
        kind,
        ...readOnProfiles(parsed),
        force: readFlag(parsed, "force"),
        dryRun: readFlag(parsed, "dry-run"),
      };
    case "check":
    case "doctor":
      return { kind, ...readOnProfiles(parsed) };
    case "status":
      return { kind, ...readOnProfiles(parsed), minTtlMs: readDuration(parsed, "min-ttl") };
    case "watch":
      return { kind, ...readOnProfiles(parsed), healthFile: readText(parsed, "health-file") };
    case "init":
      return readInit(parsed);
    case "trust-policy":
      return readTrustPolicy(parsed);
    case "schedule":
      return readSchedule(parsed);
    case "exec":
      return readExec(parsed);
    case "credential-process":
      return { kind, global: readGlobal(parsed), config: readConfigOptions(parsed), name: parsed.words[0] };
    case "remove":
      // Never all: a profile must be named.
      if (parsed.words.length === 0) throw usage("no profile given", "name it: rolefresh remove PROFILE…");
      return {
        kind,
        global: readGlobal(parsed),
        config: readConfigOptions(parsed),
        profiles: [...new Set(parsed.words)],
        dryRun: readFlag(parsed, "dry-run"),
      };
    case "completion":
      return { kind, shell: chooseFrom("shell", parsed.words[0], SHELLS) };
  }
}

function readInit(parsed: Parsed): InitInvocation {
  return {
    kind: "init",
    global: readGlobal(parsed),
    configFile: readText(parsed, "config"),
    profile: readText(parsed, "profile"),
    values: readKeys(
      parsed,
      CONFIG_KEYS.map(({ name }) => name),
    ),
    force: readFlag(parsed, "force"),
    dryRun: readFlag(parsed, "dry-run"),
  };
}

function readTrustPolicy(parsed: Parsed): TrustPolicyInvocation {
  const { global, config, profiles } = readOnProfiles(parsed);
  if (profiles.length > 1) throw usage(`trust-policy takes one profile, not ${profiles.length}`);
  const given = readText(parsed, "format");
  const format = chooseFrom("format", given ?? "json", POLICY_FORMATS);
  const check = readText(parsed, "check");
  if (check !== undefined && given !== undefined) throw usage("--check and --format cannot be used together");
  return { kind: "trust-policy", global, config, profile: profiles[0], format, check, claims: readClaims(parsed) };
}

function readClaims(parsed: Parsed): TrustPolicyInvocation["claims"] {
  const subject = readText(parsed, "sub");
  const [audience, authorizedParty, issuer] = ["aud", "azp", "iss"].map((name) => readText(parsed, name));
  if (subject !== undefined) return { subject, audience, authorizedParty, issuer };
  const alone = ["aud", "azp", "iss"].find((name) => parsed.values.has(name));
  if (alone === undefined) return undefined;
  throw usage(`--${alone} requires --sub`, "add the token's subject: --sub SUBJECT");
}

/** The words before and after `--`. Without it the command is what follows the profile, if no option is among its words. */
function readExec(parsed: Parsed): ExecInvocation {
  const global = readGlobal(parsed);
  const config = readConfigOptions(parsed);
  const { words, commandLine } = parsed;
  const names = commandLine ? words : words.slice(0, config.inline ? 0 : 1);
  const command = commandLine ?? words.slice(names.length);
  if (!commandLine && command.length > 0 && parsed.isMixed)
    throw usage("an option follows the profile: it could belong to the command or to rolefresh", EXEC_HINT);
  const [name, extra] = names;
  if (extra !== undefined) throw usage(`unexpected argument '${extra}' before --`, EXEC_HINT);
  if (config.inline && name !== undefined) throw besideRoleArn(name);
  if (!config.inline && name === undefined) throw usage("no profile given", EXEC_HINT);
  if (command.length === 0) throw usage("no command given", EXEC_HINT);
  return { kind: "exec", global, config, profile: name, command, exportKeys: readFlag(parsed, "env") };
}

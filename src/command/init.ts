import { dirname, join } from "node:path";

import { startDeadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { InitInvocation } from "../command-line/invocation.ts";
import { openReporter } from "../output/report.ts";
import { shellWord } from "../output/shell-word.ts";
import type { ConfigKey } from "../config/keys.ts";
import { expandPath, fromWorkingDirectory, homeOf, pathOrThrow } from "../base/expand-path.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { configFromSource, readConfig } from "../config/read.ts";
import { IDENTITIES } from "../config/role-source.ts";
import { chosenBy, isServed, missingFlags, obviousChoice, remarksOn } from "../init/choices.ts";
import { isTaken, taken, writeConfigFile } from "../init/config-file.ts";
import { type Answers, renderConfig } from "../init/config-text.ts";
import { lookAround, type Sign } from "../init/environment-hints.ts";
import type { World } from "../base/world.ts";

/**
 * Writes a commented config that `refresh` accepts: from the flags, and on a terminal by asking for the rest. A config
 * that is there already is replaced only with `--force`.
 *
 * @returns 0
 * @throws Failure USAGE, also when something is missing and there is nobody to ask; CONFIG_INVALID for values that `refresh`
 *   would refuse; FILE_CANNOT_CREATE when a config is there or cannot be made; FILE_WRITE_FAILED, INTERRUPTED
 */
export async function init(invocation: InitInvocation, world: World): Promise<number> {
  const { global, force, dryRun } = invocation;
  const path = configPath(invocation, world);
  checkIdentity(invocation.values);
  if (invocation.profile === "*") {
    throw new Failure("USAGE", "--profile '*' is the section of defaults", {
      hint: "name the profile of the credentials file, for example default",
    });
  }
  const mayWrite = force || dryRun || !(await isTaken(path));
  if (!mayWrite) throw taken(path);

  const { answers: given, signs } = await findAnswers(invocation, world);
  const answers = completed(given, world);
  // Twice: a mistake is told by the flag that holds it, and what is written is what was checked.
  await readConfig({ configFile: undefined, credentialsFile: undefined, inline: answers }, world);
  const remarks = remarksOn(signs).map((remark) => `${remark}.`);
  const text = renderConfig(answers, remarks);
  configFromSource({ file: path, directory: dirname(path), text, untrusted: undefined }, world, undefined);
  if (dryRun) {
    world.out.write(text);
    return 0;
  }
  await writeConfigFile({ path, text, replace: force }, world);
  const next = nextCommands(answers.profile, path, world);
  if (global.json) {
    const told = { config_file: path, profile: answers.profile, next: next.map(([command]) => command) };
    world.out.write(`${JSON.stringify(told)}\n`);
    return 0;
  }
  const reporter = openReporter(world, global);
  reporter.info(`wrote ${path}`);
  for (const [command, why] of next) reporter.info(`${why}: ${command}`);
  return 0;
}

/** `--config`, else where `refresh` looks first, so that it finds what was written. */
function configPath({ configFile }: InitInvocation, world: World): string {
  const named = configFile ?? (world.env["ROLEFRESH_CONFIG"] || undefined);
  return named === undefined
    ? join(homeOf(world), ".aws", "rolefresh.ini")
    : pathOrThrow(configFile === undefined ? "ROLEFRESH_CONFIG" : "--config", expandPath(named, world, world.cwd));
}

/** Told at once, before anything is asked. */
function checkIdentity(values: ReadonlyMap<ConfigKey, string>): void {
  const identity = values.get("identity");
  if (identity === undefined || isServed(identity)) return;
  const list = `one of ${IDENTITIES.join(", ")}`;
  const near = didYouMean(identity, IDENTITIES);
  throw new Failure("USAGE", `--identity ${identity} is not known`, {
    hint: near === undefined ? list : `${near} (${list})`,
  });
}

async function findAnswers(
  { global, profile, values }: InitInvocation,
  world: World,
): Promise<{ readonly answers: Answers; readonly signs: readonly Sign[] }> {
  const complete = (known: ReadonlyMap<ConfigKey, string>): Answers => ({
    profile: profile ?? "default",
    values: known,
  });
  if (missingFlags(values).length === 0) return { answers: complete(values), signs: [] };
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  let signs: readonly Sign[];
  try {
    signs = await lookAround(world, deadline.signal);
  } finally {
    deadline.clear();
  }
  const reporter = openReporter(world, global);
  for (const remark of remarksOn(signs)) reporter.info(remark);
  const known = withObvious(values, signs);
  const missing = missingFlags(known);
  if (missing.length === 0) return { answers: complete(known), signs };
  const { askPerson, canAsk } = await import("../init/ask.ts");
  if (!canAsk(world)) throw noTerminal(missing);
  const answers = await askPerson({ profile, values }, signs, world);
  return { answers, signs };
}

/** The role is never guessed; where the identity comes from is taken from the machine when it leaves no doubt. */
function withObvious(values: ReadonlyMap<ConfigKey, string>, signs: readonly Sign[]): ReadonlyMap<ConfigKey, string> {
  const sign = obviousChoice(signs);
  if (sign?.identity === undefined || chosenBy(values) !== undefined) return values;
  const file = sign.suggests["web_identity_token_file"];
  return new Map([
    ...values,
    ["identity", sign.identity] as const,
    ...(file === undefined ? [] : [["web_identity_token_file", file] as const]),
  ]);
}

/** Values that are paths: what is typed means the current directory, what a config says means the config's. */
const PATH_KEYS: readonly ConfigKey[] = ["web_identity_token_file", "policy_file", "credentials_file"];

/** What the flags only imply is written out: the identity, and the audience that the role's trust policy must have. */
function completed({ profile, values }: Answers, world: World): Answers {
  const complete = new Map(values);
  const choice = chosenBy(values);
  if (choice !== undefined && choice !== "source-profile") complete.set("identity", choice);
  if (choice === "gcp-metadata" && !values.has("audience")) complete.set("audience", "gcp");
  for (const key of PATH_KEYS) {
    const path = values.get(key);
    if (path !== undefined && !path.startsWith("~")) complete.set(key, fromWorkingDirectory(path, world));
  }
  return { profile, values: complete };
}

function noTerminal(missing: readonly string[]): Failure {
  return new Failure(
    "USAGE",
    `there is no terminal to ask on, and ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`,
    { hint: "for example: rolefresh init --role-arn arn:aws:iam::ACCOUNT:role/NAME --identity gcp-metadata" },
  );
}

/** What to type next and why, with `--config` where `refresh` would not look by itself. */
function nextCommands(profile: string, path: string, world: World): readonly (readonly [string, string])[] {
  const usual = world.home === undefined ? undefined : join(world.home, ".aws", "rolefresh.ini");
  const found = [world.env["ROLEFRESH_CONFIG"], usual].includes(path);
  const option = found ? "" : ` --config ${shellWord(path)}`;
  return [
    [`rolefresh trust-policy${option} ${shellWord(profile)}`, "first let the role trust this identity"],
    [`rolefresh refresh${option}`, "then write the credentials"],
    [`rolefresh schedule systemd${option}`, "and keep them fresh"],
  ];
}

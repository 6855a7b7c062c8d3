import { dirname, join } from "node:path";

import { startDeadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { InitInvocation } from "../cli/invocation.ts";
import { writeNotes } from "../cli/note.ts";
import { shellWord } from "../cli/shell-word.ts";
import type { ConfigKey } from "../config/keys.ts";
import { resolvePath } from "../config/locate.ts";
import { didYouMean } from "../config/nearest.ts";
import { configFromSource } from "../config/read.ts";
import { IDENTITIES } from "../config/role-source.ts";
import { chosenBy, isServed, missingFlags, obviousChoice, remarksOn } from "../init/choices.ts";
import { isTaken, taken, writeConfigFile } from "../init/config-file.ts";
import { type Answers, renderConfig } from "../init/config-text.ts";
import { lookAround, type Sign } from "../init/surroundings.ts";
import type { World } from "../world.ts";

/**
 * Writes a commented config that `refresh` accepts: from the flags, and on a terminal by asking for the rest. A config
 * that is there already is replaced only with `--force`.
 *
 * @returns 0
 */
export async function init(invocation: InitInvocation, world: World): Promise<number> {
  const { global, force, dryRun } = invocation;
  const path = configPath(invocation, world);
  checkIdentity(invocation.values);
  const mayWrite = force || dryRun || !(await isTaken(path));
  if (!mayWrite) throw taken(path);

  const { answers, signs } = await findAnswers(invocation, world);
  const text = renderConfig(
    answers,
    remarksOn(signs).map((remark) => `${remark}.`),
  );
  checkConfig(text, path, world);
  if (dryRun) {
    world.out.write(text);
    return 0;
  }
  await writeConfigFile(path, text, force, `rolefresh-${world.pid}`);
  const next = nextCommands(answers.profile, path, world);
  if (global.json) {
    const told = { config_file: path, profile: answers.profile, next: next.map(([command]) => command) };
    world.out.write(`${JSON.stringify(told)}\n`);
    return 0;
  }
  writeNotes(world.err, global, "info", [`wrote ${path}`]);
  writeNotes(
    world.err,
    global,
    "hint",
    next.map(([command, why]) => `${why}: ${command}`),
  );
  return 0;
}

/** `--config`, else where `refresh` looks first, so that it finds what was written. */
function configPath({ configFile }: InitInvocation, world: World): string {
  const named = configFile ?? (world.env["ROLEFRESH_CONFIG"] || undefined);
  return named === undefined ? join(world.home, ".aws", "rolefresh.ini") : resolvePath(named, world.home, world.cwd);
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
    values: withAudience(known),
  });
  if (missingFlags(values).length === 0) return { answers: complete(values), signs: [] };
  const deadline = startDeadline(global.timeoutMs, world, world.interrupted);
  let signs: readonly Sign[];
  try {
    signs = await lookAround(world, deadline.signal);
  } finally {
    deadline.clear();
  }
  writeNotes(world.err, global, "info", remarksOn(signs));
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

/** Written out although it is the default: it must be the one in the role's trust policy. */
function withAudience(values: ReadonlyMap<ConfigKey, string>): ReadonlyMap<ConfigKey, string> {
  if (values.get("identity") !== "gcp-metadata" || values.has("audience")) return values;
  return new Map([...values, ["audience", "gcp"] as const]);
}

function noTerminal(missing: readonly string[]): Failure {
  return new Failure(
    "USAGE",
    `there is no terminal to ask on, and ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`,
    { hint: "for example: rolefresh init --role-arn arn:aws:iam::ACCOUNT:role/NAME --identity gcp-metadata" },
  );
}

/**
 * The config as `refresh` will read it.
 *
 * @throws ConfigMistakes
 */
function checkConfig(text: string, path: string, world: World): void {
  configFromSource({ file: path, directory: dirname(path), text, untrusted: undefined }, world, undefined);
}

/** What to type next and why, with `--config` where `refresh` would not look by itself. */
function nextCommands(profile: string, path: string, world: World): readonly (readonly [string, string])[] {
  const found = [world.env["ROLEFRESH_CONFIG"], join(world.home, ".aws", "rolefresh.ini")].includes(path);
  const option = found ? "" : ` --config ${shellWord(path)}`;
  return [
    [`rolefresh trust-policy${option} ${shellWord(profile)}`, "first let the role trust this identity"],
    [`rolefresh refresh${option}`, "then write the credentials"],
    [`rolefresh schedule systemd${option}`, "and keep them fresh"],
  ];
}

import { dirname, join } from "node:path";

import { startDeadline } from "../base/deadline.ts";
import { expandPath, fromWorkingDirectory, homeOf, pathOrThrow } from "../base/expand-path.ts";
import { Failure } from "../base/failure.ts";
import type { World } from "../base/world.ts";
import { oneOfHint } from "../config/did-you-mean.ts";
import type { ConfigKey } from "../config/keys.ts";
import { configFromSource, readConfig } from "../config/read.ts";
import { IDENTITIES } from "../config/role-source.ts";
import { chosenBy, isIdentity, missingFlags, obviousChoice } from "./choices.ts";
import { configExists, type ConfigFile, isTaken } from "./config-file.ts";
import { type Answers, renderConfig } from "./config-text.ts";
import { detectEnvironment } from "./environment-hints.ts";

/** What `rolefresh init` is asked for. */
export interface InitRequest {
  readonly configFile: string | undefined;
  readonly profile: string | undefined;
  /** The profile's values from the flags. */
  readonly values: ReadonlyMap<ConfigKey, string>;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** What the composition depends on besides the request. */
export interface InitContext {
  readonly world: World;
  /** For the look at this machine. */
  readonly timeoutMs: number;
  /** Gets each thing that was detected, as a sentence. */
  readonly inform: (message: string) => void;
}

/**
 * Composes a config that `refresh` accepts: from the flags, and on a terminal by asking for the rest.
 *
 * @throws Failure USAGE, also when something is missing and there is no terminal; CONFIG_INVALID for values that `refresh`
 *   would refuse; FILE_CANNOT_CREATE when a config exists; INTERRUPTED
 */
export async function composeConfig(
  request: InitRequest,
  context: InitContext,
): Promise<ConfigFile & { readonly profile: string }> {
  const { world } = context;
  const path = configPath(request, world);
  checkFlags(request);
  if (!request.force && !request.dryRun && (await isTaken(path))) throw configExists(path);
  const { answers: given, remarks } = await findAnswers(request, context);
  const answers = completed(given, world);
  // Checked twice: by flag, so that an issue names the flag, and as it will be read from the file.
  await readConfig({ configFile: undefined, credentialsFile: undefined, inline: answers }, world);
  const comments = remarks.map((remark) => `${remark}.`);
  const text = renderConfig(answers, comments);
  configFromSource({ file: path, directory: dirname(path), text, untrusted: undefined }, world, undefined);
  return { path, text, replace: request.force, profile: answers.profile };
}

/** `--config`, else where `refresh` looks first. */
function configPath({ configFile }: InitRequest, world: World): string {
  const named = configFile ?? (world.env["ROLEFRESH_CONFIG"] || undefined);
  return named === undefined
    ? join(homeOf(world), ".aws", "rolefresh.ini")
    : pathOrThrow(configFile === undefined ? "ROLEFRESH_CONFIG" : "--config", expandPath(named, world, world.cwd));
}

function checkFlags({ profile, values }: InitRequest): void {
  const identity = values.get("identity");
  if (identity !== undefined && !isIdentity(identity))
    throw new Failure("USAGE", `--identity ${identity} is not supported`, { hint: oneOfHint(identity, IDENTITIES) });
  if (profile === "*")
    throw new Failure("USAGE", "--profile '*' is the section of defaults", {
      hint: "name a profile of the credentials file, for example default",
    });
}

interface Found {
  readonly answers: Answers;
  /** What was detected, as sentences. */
  readonly remarks: readonly string[];
}

async function findAnswers({ profile, values }: InitRequest, context: InitContext): Promise<Found> {
  const { world, timeoutMs, inform } = context;
  const name = profile ?? "default";
  if (missingFlags(values).length === 0) return { answers: { profile: name, values }, remarks: [] };
  const deadline = startDeadline(timeoutMs, world, world.interrupted);
  const hints = await detectEnvironment(world, deadline.signal).finally(() => deadline.clear());
  const remarks = hints.map(({ seen }) => `detected: ${seen}`);
  remarks.forEach(inform);
  // The role is never guessed; the identity is, when this machine offers only one.
  const obvious = chosenBy(values) === undefined ? obviousChoice(hints) : undefined;
  const known = new Map(values);
  if (obvious?.identity !== undefined) known.set("identity", obvious.identity);
  const file = obvious?.suggests["web_identity_token_file"];
  if (file !== undefined) known.set("web_identity_token_file", file);
  const missing = missingFlags(known);
  if (missing.length === 0) return { answers: { profile: name, values: known }, remarks };
  const terminal = world.openTerminal();
  if (!terminal)
    throw new Failure("USAGE", `${missing.join(" and ")} must be given: there is no terminal to ask on`, {
      hint: "run for example: rolefresh init --role-arn arn:aws:iam::ACCOUNT:role/NAME --identity gcp-metadata",
    });
  const { askPerson } = await import("./ask.ts");
  return { answers: await askPerson({ profile, values }, hints, terminal, world), remarks };
}

/** Paths that are typed are relative to the working directory, those in a config to the config's. */
const PATH_KEYS: readonly ConfigKey[] = ["web_identity_token_file", "policy_file", "credentials_file"];

/** Writes out what the flags only imply: the identity, and the audience that the role's trust policy must have. */
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

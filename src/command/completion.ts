import { Failure } from "../base/failure.ts";
import { profileNameProblem } from "../base/profile-name.ts";
import type { CompleteInvocation, CompletionInvocation } from "../command-line/invocation.ts";
import { complete, type Completion } from "../completion/complete.ts";
import { completionScript } from "../completion/script.ts";
import { parseIniFile } from "../config/ini-file.ts";
import { readConfigSource } from "../config/locate.ts";
import type { World } from "../base/world.ts";
import { openCredentialsView } from "../refresh/credentials-view.ts";
import { chosenFile, oursIn } from "./locate-sections.ts";

/**
 * Prints a completion script, or the candidates that one asks for, one per line.
 *
 * @returns 0
 */
export async function completion(invocation: CompletionInvocation | CompleteInvocation, world: World): Promise<number> {
  if (invocation.kind === "completion") {
    world.out.write(completionScript(invocation.shell));
    return 0;
  }
  const { words } = invocation;
  const answer = complete(words);
  const profiles = await profilesFor(answer, words, world);
  const typed = words.at(-1) ?? "";
  const candidates = [
    ...answer.words,
    ...profiles
      .map((profile) => ({ value: answer.prefix + profile, describe: "profile" }))
      .filter(({ value }) => value.startsWith(typed) && !words.slice(0, -1).includes(value)),
  ];
  const isOther = answer.also === "files" || answer.also === "command";
  const lines = [`:${isOther ? answer.also : "words"}`, ...candidates.map((one) => `${one.value}\t${one.describe}`)];
  world.out.write(`${lines.join("\n")}\n`);
  return 0;
}

async function profilesFor(answer: Completion, words: readonly string[], world: World): Promise<readonly string[]> {
  if (answer.also !== "profiles" && answer.also !== "written") return [];
  const configured = await configuredNames(words, world);
  if (answer.also === "profiles") return configured;
  const file = await unlessFailure(() => chosenFile(valueOf("credentials-file", words), world));
  const written = file === undefined ? [] : oursIn(await openCredentialsView(file, world));
  return [...new Set([...written.filter((name) => profileNameProblem(name) === undefined), ...configured])];
}

/** The valid profile names of the config, even if the config has errors. */
async function configuredNames(words: readonly string[], world: World): Promise<readonly string[]> {
  const source = await unlessFailure(() => readConfigSource(valueOf("config", words), world));
  const names = source === undefined ? [] : parseIniFile(source.text).sections.map(({ name }) => name);
  return [...new Set(names)].filter((name) => name !== "*" && profileNameProblem(name) === undefined);
}

async function unlessFailure<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** The value of an option among half-typed words. */
function valueOf(option: string, words: readonly string[]): string | undefined {
  const before = words.slice(0, -1);
  const at = before.lastIndexOf(`--${option}`);
  const assigned = before.findLast((word) => word.startsWith(`--${option}=`));
  return assigned?.slice(option.length + 3) ?? (at === -1 ? undefined : before[at + 1]);
}

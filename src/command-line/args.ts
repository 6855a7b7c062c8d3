import yargs, { type Argv } from "yargs";

import { Failure } from "../base/failure.ts";
import { COMPLETE } from "../completion/script.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import { VERSION } from "../version.ts";
import { checkCommandLine } from "./commands/check.ts";
import { completionCommandLine } from "./commands/completion.ts";
import { credentialProcessCommandLine } from "./commands/credential-process.ts";
import { doctorCommandLine } from "./commands/doctor.ts";
import { execCommandLine } from "./commands/exec.ts";
import { initCommandLine } from "./commands/init.ts";
import { refreshCommandLine } from "./commands/refresh.ts";
import { removeCommandLine } from "./commands/remove.ts";
import { scheduleCommandLine } from "./commands/schedule.ts";
import { statusCommandLine } from "./commands/status.ts";
import { trustPolicyCommandLine } from "./commands/trust-policy.ts";
import { watchCommandLine } from "./commands/watch.ts";
import type { Invocation } from "./invocation.ts";
import { type CommandLine, EPILOGUE, GLOBAL_FLAGS, grouped, type Parsed, usage } from "./options.ts";

/** Every command, in the order of the help text. */
export const COMMAND_LINES: readonly CommandLine[] = [
  refreshCommandLine,
  checkCommandLine,
  statusCommandLine,
  watchCommandLine,
  initCommandLine,
  doctorCommandLine,
  trustPolicyCommandLine,
  scheduleCommandLine,
  execCommandLine,
  credentialProcessCommandLine,
  removeCommandLine,
  completionCommandLine,
];

/**
 * Reads the command line; yargs lives only in `command-line/`.
 *
 * @param columns the terminal's width, for the help text
 * @throws Failure USAGE
 */
export async function parseArgs(argv: readonly string[], columns: number | undefined): Promise<Invocation> {
  // Its words are half-typed: nothing for yargs.
  if (argv[0] === COMPLETE) return { kind: "complete", words: argv.slice(1) };
  let invocation: Invocation | undefined;
  let hint: string | undefined;
  const names = new Set<string>();
  const parser = yargs([])
    .scriptName("rolefresh")
    // Messages are matched by scripts: they do not follow $LANG.
    .locale("en")
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "boolean-negation": false,
    })
    .usage("$0 [command] [PROFILE…]\n\nKeeps AWS role credentials fresh in ~/.aws/credentials.")
    .options(grouped(GLOBAL_FLAGS, "Options:"))
    .help("help", "show this help")
    .alias("help", "h")
    .version("version", "show the version", VERSION)
    .alias("version", "V")
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(columns ?? 100, 100))
    .epilogue(EPILOGUE);
  for (const line of COMMAND_LINES) {
    const build = (command: Argv): Argv => {
      hint = line.hint;
      const built = line.build(command);
      for (const name of optionNames(built)) names.add(name);
      return built;
    };
    parser.command(line.command, line.describe, build, (parsed: Parsed) => {
      invocation = line.read(parsed, argv);
    });
  }

  const outcome = await new Promise<{ error: Error | undefined; output: string }>((resolve, reject) => {
    // A Failure thrown by one of our own readers arrives in the callback too.
    const parsed: unknown = parser.parse(
      [...argv],
      {},
      (error: Error | undefined, _parsed: unknown, output: string) => {
        resolve({ error, output });
      },
    );
    if (parsed instanceof Promise) parsed.catch(reject);
  });
  if (outcome.error instanceof Failure) throw outcome.error;
  if (outcome.error) throw refused(outcome.error.message, [...names], hint);
  if (outcome.output !== "") return { kind: "print", text: `${outcome.output.trimEnd()}\n` };
  if (!invocation) throw usage("nothing to do");
  return invocation;
}

/** The options that the chosen command knows, for "did you mean". */
function optionNames(command: Argv): readonly string[] {
  const options: unknown =
    "getOptions" in command && typeof command.getOptions === "function" ? command.getOptions() : undefined;
  if (typeof options !== "object" || options === null || !("key" in options) || typeof options.key !== "object")
    return [];
  return Object.keys(options.key ?? {}).filter((name) => name.length > 1);
}

/** yargs' sentences in our voice. */
function refused(message: string, known: readonly string[], hint: string | undefined): Failure {
  const sentence = message.trim();
  const unknown = /^Unknown arguments?: (.*)$/.exec(sentence);
  if (!unknown) return usage(sentence.replace(/^[A-Z]/, (letter) => letter.toLowerCase()).replace(/\.$/, ""));
  const given = (unknown[1] ?? "").split(", ");
  const shown = given.map((name) => (name.length > 1 ? `--${name}` : `-${name}`)).join(", ");
  const near = didYouMean(given[0] ?? "", known)?.replace(/'(.*)'/, "'--$1'");
  return usage(`unknown option ${shown}`, near ?? hint);
}

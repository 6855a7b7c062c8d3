import { configuredNameProblem } from "../base/profile-name.ts";
import { Failure } from "../base/failure.ts";
import type { Terminal, World } from "../base/world.ts";
import type { ConfigKey } from "../config/keys.ts";
import { readRegion } from "../config/region.ts";
import { parseRoleArn, roleArnHint } from "../config/role-arn.ts";
import { IDENTITIES } from "../config/role-source.ts";
import { type Choice, chosenBy, requiredKeyOf } from "./choices.ts";
import type { Answers } from "./config-text.ts";
import type { Hint } from "./environment-hints.ts";

/** What the flags already said; only the rest is asked. */
export interface Given {
  readonly profile: string | undefined;
  readonly values: ReadonlyMap<ConfigKey, string>;
}

/** An identity that is not listed here is offered by its name. */
const LABELS: Readonly<Record<string, string>> = {
  "gcp-metadata": "Google Cloud: this machine's service account",
  "gcp-adc": "Google Application Default Credentials: key file, login or workload identity federation",
  gcloud: "gcloud: the account that the Google Cloud CLI is logged in with",
  file: "a file that holds an identity token",
  env: "an environment variable that holds an identity token",
  command: "a command that prints an identity token",
  url: "a URL that returns an identity token",
  "github-actions": "GitHub Actions: the job's token (permissions: id-token: write)",
  gitlab: "GitLab CI: the job's token (id_tokens)",
  azure: "Azure: the managed identity of this machine, app or pod",
  kubernetes: "Kubernetes: the pod's projected service-account token",
  "source-profile": "the credentials of another profile (plain AssumeRole)",
};

/** One text prompt. */
interface Question {
  readonly message: string;
  readonly initial?: string;
  readonly placeholder?: string;
  /** What is wrong with the answer; absent: it must not be empty. */
  readonly check?: (value: string) => string | undefined;
}

const PROFILE: Question = {
  message: "Which profile of the credentials file should hold the credentials?",
  initial: "default",
  check: (value) => (value === "*" ? "'*' is the section of defaults" : configuredNameProblem(value)),
};

const QUESTIONS: Readonly<Partial<Record<ConfigKey, Question>>> = {
  role_arn: {
    message: "Which IAM role should be assumed?",
    placeholder: "arn:aws:iam::123412341234:role/NAME",
    check: (value) => (parseRoleArn(value) ? undefined : roleArnHint(value)),
  },
  web_identity_token_file: { message: "Which file holds the token?", placeholder: "/run/secrets/token" },
  identity_env: { message: "Which environment variable holds the token?", placeholder: "AWS_ID_TOKEN" },
  identity_url: { message: "Which URL returns the token?", placeholder: "https://vault.example.com/token" },
  identity_command: { message: "Which shell command prints the token?", placeholder: "/usr/local/bin/get-token" },
  source_profile: { message: "Which profile's credentials assume the role?", placeholder: "base" },
  region: {
    message: "Which region's STS endpoint? (empty: chosen by the role's partition)",
    check: (value) => {
      const read = value === "" ? undefined : readRegion(value);
      return read?.kind === "wrong"
        ? read.hint
        : read?.kind === "partition"
          ? "write for example eu-central-1"
          : undefined;
    },
  },
};

const AUDIENCES: Readonly<Partial<Record<Choice, Question>>> = {
  "gcp-metadata": { message: "Which audience should the token have?", initial: "gcp" },
  azure: {
    message: "Which application's ID URI is the token's audience? (empty on AKS: the cluster decides)",
    placeholder: "api://APP_ID",
    check: () => undefined,
  },
};

/**
 * Asks for what the flags left open.
 *
 * @throws Failure INTERRUPTED on Ctrl-C; the process then dies of SIGINT
 */
export async function askPerson(
  given: Given,
  hints: readonly Hint[],
  terminal: Terminal,
  world: World,
): Promise<Answers> {
  const prompts = await openPrompts(terminal, world);
  const values = new Map(given.values);
  const ask = async (key: ConfigKey, question: Question | undefined = QUESTIONS[key]) => {
    if (values.has(key) || question === undefined) return;
    const suggested = hints.find(({ suggests }) => suggests[key] !== undefined)?.suggests[key];
    const value = await prompts.askText(suggested === undefined ? question : { ...question, initial: suggested });
    if (value !== "") values.set(key, value);
  };
  await ask("role_arn");
  const profile = given.profile ?? (await prompts.askText(PROFILE));
  let choice = chosenBy(values);
  if (choice === undefined) {
    choice = await prompts.choose("Where does the identity come from?", optionsFor(hints));
    if (choice !== "source-profile") values.set("identity", choice);
  }
  const required = requiredKeyOf(choice);
  if (required !== undefined) await ask(required);
  const audience = AUDIENCES[choice];
  if (audience !== undefined) await ask("audience", audience);
  await ask("region");
  return { profile, values };
}

interface Option {
  readonly value: Choice;
  readonly label: string;
  readonly hint?: string;
}

async function openPrompts({ input, output }: Terminal, world: World) {
  const { select, text } = await import("@clack/prompts");
  // A serial console reports no size: the prompts would break the line after every character.
  if (output.columns === 0) output.columns = 80;
  if (output.rows === 0) output.rows = 24;
  const common = { input, output, signal: world.interrupted };
  return {
    askText: async ({ message, initial = "", placeholder = "", check = notEmpty }: Question): Promise<string> => {
      const validate = (value: string | undefined) => check((value ?? "").trim());
      const answer = await text({ ...common, message, initialValue: initial, placeholder, validate });
      return typeof answer === "symbol" ? interrupt(world) : answer.trim();
    },
    choose: async (message: string, options: Option[]): Promise<Choice> => {
      const answer = await select<Choice>({ ...common, message, options });
      return typeof answer === "symbol" ? interrupt(world) : answer;
    },
  };
}

/** What was detected comes first. */
function optionsFor(hints: readonly Hint[]): Option[] {
  const choices: readonly Choice[] = [...IDENTITIES, "source-profile"];
  const options = choices.map((value) => {
    const isDetected = hints.some(({ identity }) => identity === value);
    return { value, label: LABELS[value] ?? value, ...(isDetected ? { hint: "detected" } : {}) };
  });
  return options.toSorted((a, b) => Number(b.hint !== undefined) - Number(a.hint !== undefined));
}

/** In raw mode the terminal sends no signal for Ctrl-C, so the process dies of SIGINT by itself. */
function interrupt(world: World): never {
  world.interrupted.throwIfAborted();
  world.dieOf("SIGINT");
  throw new Failure("INTERRUPTED", "stopped by SIGINT");
}

function notEmpty(value: string): string | undefined {
  return value === "" ? "this cannot be empty" : undefined;
}

import { kill, stderr, stdin } from "node:process";

import type { ConfigKey } from "../config/keys.ts";
import { configuredNameProblem } from "../base/profile-name.ts";
import { parseRoleArn, roleArnHint } from "../config/role-arn.ts";
import { IDENTITIES } from "../config/role-source.ts";
import type { World } from "../base/world.ts";
import { type Choice, chosenBy, neededBy } from "./choices.ts";
import type { Answers } from "./config-text.ts";
import type { Sign } from "./environment-hints.ts";

/** What the flags said already; only the rest is asked. */
export interface Given {
  readonly profile: string | undefined;
  readonly values: ReadonlyMap<ConfigKey, string>;
}

/** Whether there is a person to ask: questions are shown on standard error and answered on standard input. */
export function canAsk(world: World): boolean {
  return world.err.isTTY && stdin.isTTY;
}

/** The prompts' streams are the process's own: a terminal in raw mode cannot be passed through the World's narrow ones. */
const STREAMS = { input: stdin, output: stderr };

/** An identity without a line here is offered by its name. */
const LABELS: Readonly<Record<string, string>> = {
  "gcp-metadata": "Google Cloud: the service account of this machine",
  "gcp-adc": "Google's Application Default Credentials: a key file, a login, workload identity federation",
  gcloud: "gcloud: the account that the Google Cloud CLI is logged in with",
  file: "a file that holds an identity token",
  env: "an environment variable that holds an identity token",
  command: "a command that prints an identity token",
  url: "a URL that answers with an identity token",
  "github-actions": "GitHub Actions: the job's token (permissions: id-token: write)",
  gitlab: "GitLab CI: the job's token (id_tokens)",
  azure: "Azure: the managed identity of this machine, app or pod",
  kubernetes: "Kubernetes: the pod's projected service-account token",
  "source-profile": "the keys of another profile (plain AssumeRole)",
};

const QUESTIONS: Readonly<Record<string, { readonly message: string; readonly placeholder: string }>> = {
  web_identity_token_file: { message: "Which file holds the token?", placeholder: "/run/secrets/token" },
  identity_env: { message: "Which environment variable holds the token?", placeholder: "AWS_ID_TOKEN" },
  identity_url: { message: "Which URL gives the token?", placeholder: "https://vault.example.com/token" },
  identity_command: { message: "Which shell command prints the token?", placeholder: "/usr/local/bin/get-token" },
  source_profile: { message: "Which profile's keys assume the role?", placeholder: "base" },
};

/**
 * Asks for what the flags left open. Ctrl-C ends the program as it ends any other.
 *
 * @throws the interruption's reason
 */
export async function askPerson(given: Given, signs: readonly Sign[], world: World): Promise<Answers> {
  const { select, text } = await import("@clack/prompts");
  // A serial console says that it has no size: then the prompts would break the line after every character.
  if (stderr.columns === 0) stderr.columns = 80;
  if (stderr.rows === 0) stderr.rows = 24;
  const values = new Map(given.values);
  const common = { ...STREAMS, signal: world.interrupted };

  const answered = async <T extends string>(answer: Promise<T | symbol>): Promise<T> => {
    const value = await answer;
    return typeof value === "symbol" ? interrupt(world) : value;
  };
  const askText = async (message: string, initial: string, check: (value: string) => string | undefined, hint = "") =>
    (
      await answered(
        text({
          ...common,
          message,
          initialValue: initial,
          placeholder: hint,
          validate: (value) => check((value ?? "").trim()),
        }),
      )
    ).trim();

  if (!values.has("role_arn")) {
    const suggested = signs.find(({ suggests }) => suggests["role_arn"] !== undefined)?.suggests["role_arn"] ?? "";
    const message = "Which role is to be assumed?";
    values.set("role_arn", await askText(message, suggested, roleProblem, "arn:aws:iam::123412341234:role/NAME"));
  }
  const profile =
    given.profile ??
    (await askText("Which profile of the credentials file is to hold the keys?", "default", profileProblem));

  let choice = chosenBy(values);
  if (choice === undefined) {
    choice = await answered<Choice>(
      select<Choice>({ ...common, message: "Where does the identity come from?", options: optionsFor(signs) }),
    );
    if (choice !== "source-profile") values.set("identity", choice);
  }
  const needed = neededBy(choice);
  if (needed !== undefined && !values.has(needed)) {
    const { message, placeholder } = QUESTIONS[needed] ?? { message: needed, placeholder: "" };
    const initial = signs.find(({ suggests }) => suggests[needed] !== undefined)?.suggests[needed] ?? "";
    values.set(needed, await askText(message, initial, notEmpty, placeholder));
  }
  if (choice === "gcp-metadata" && !values.has("audience")) {
    values.set("audience", await askText("Which audience is the token to have?", "gcp", notEmpty));
  }
  if (choice === "azure" && !values.has("audience")) {
    const message = "Which application's ID URI is the token's audience? (empty on AKS: the cluster decides)";
    const audience = await askText(message, "", () => undefined, "api://APP_ID");
    if (audience !== "") values.set("audience", audience);
  }
  if (!values.has("region")) {
    const region = await askText("Which region's STS? (empty: chosen by the role's partition)", "", regionProblem);
    if (region !== "") values.set("region", region);
  }
  return { profile, values };
}

/** What was seen here comes first. */
function optionsFor(signs: readonly Sign[]): { value: Choice; label: string; hint?: string }[] {
  const choices: readonly Choice[] = [...IDENTITIES, "source-profile"];
  const seenOf = (choice: Choice): string | undefined => signs.find(({ identity }) => identity === choice)?.seen;
  return choices
    .toSorted((a, b) => Number(seenOf(b) !== undefined) - Number(seenOf(a) !== undefined))
    .map((value) => {
      const seen = seenOf(value);
      return { value, label: LABELS[value] ?? value, ...(seen === undefined ? {} : { hint: "seen here" }) };
    });
}

/** In raw mode the terminal sends no signal for Ctrl-C: it is sent here, so that the program dies of it as usual. */
async function interrupt(world: World): Promise<never> {
  if (!world.interrupted.aborted) {
    kill(world.pid, "SIGINT");
    // Something must keep the process alive until the signal arrives; the sleep ends with its reason.
    await world.sleep(5000, world.interrupted);
  }
  throw world.interrupted.reason;
}

function roleProblem(value: string): string | undefined {
  return parseRoleArn(value) ? undefined : roleArnHint(value);
}

function profileProblem(value: string): string | undefined {
  return value === "*" ? "'*' is the section of defaults" : configuredNameProblem(value);
}

function notEmpty(value: string): string | undefined {
  return value === "" ? "this cannot be empty" : undefined;
}

function regionProblem(value: string): string | undefined {
  return value === "" || /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/.test(value) ? undefined : "write for example eu-central-1";
}

import { renderInstant } from "../base/duration.ts";
import { type Deadline, startDeadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { describeEnd, runProgram, shellCommand } from "../base/program.ts";
import type { Progress } from "../output/progress.ts";
import type { Reporter } from "../output/report.ts";
import type { Config, IdentitySource, ProfileSpec } from "../config/config.ts";
import type { Environment, World } from "../base/world.ts";
import type { Outcome } from "./outcome.ts";

/** What the hooks of a run share. */
export interface HooksContext {
  readonly world: World;
  /** The limit of one command; milliseconds. */
  readonly timeoutMs: number;
  /** The limit of all commands: twice `timeoutMs` from the start of the run. */
  readonly deadline: Deadline;
  readonly config: Config;
  readonly reporter: Reporter;
  readonly progress: Progress;
}

/** Variables that hold secrets. A hook reads the new keys from the file. */
const SECRET_NAMES =
  /^(AWS_(ACCESS_KEY(_ID)?|SECRET_(ACCESS_)?KEY|SESSION_TOKEN|SECURITY_TOKEN|ID_TOKEN|CONTAINER_AUTHORIZATION_TOKEN)|ACTIONS_ID_TOKEN_REQUEST_TOKEN|IDENTITY_HEADER)$/;

/**
 * The hooks of a run: each profile's `on_refresh` runs as soon as its new keys are in the file, whatever the other profiles
 * are waiting for. Profiles with the same command take turns, so that a tool is not restarted twice at once.
 *
 * @returns what runs the hook of an outcome, if it has one to run, and adds the hook's failure to it; never rejects for a
 *   foreseen failure, an interruption included
 */
export function openHooks(context: HooksContext): (outcome: Outcome) => Promise<Outcome> {
  const turns = new Map<string, Promise<unknown>>();
  return async (outcome) => {
    const command = outcome.step.spec.onRefresh;
    if (outcome.outcome !== "refreshed" || command === undefined) return outcome;
    const turn = (turns.get(command) ?? Promise.resolve()).then(() => runHook(command, outcome, context));
    turns.set(command, turn);
    const hookFailure = await turn;
    return hookFailure ? { ...outcome, hookFailure } : outcome;
  };
}

/**
 * Runs an `on_refresh` command after the write, as certbot's deploy hook: under `/bin/sh -c`, with `ROLEFRESH_PROFILE`,
 * `ROLEFRESH_EXPIRES_AT` (empty where the source tells no expiry) and `ROLEFRESH_CREDENTIALS_FILE` in its environment and
 * no secrets. It and its children are killed at the deadline.
 *
 * @returns the failure to report; what was written stays
 */
async function runHook(command: string, outcome: Outcome, context: HooksContext): Promise<Failure | undefined> {
  const { world, reporter, progress, timeoutMs } = context;
  const { spec } = outcome.step;
  const remainingMs = context.deadline.remainingMs();
  if (remainingMs === 0) return failureOf(spec, "did not start: earlier commands used up the time");
  progress.set(spec.profile, "running on_refresh");
  const deadline = startDeadline(Math.min(timeoutMs, remainingMs), world, context.deadline.signal);
  const program = {
    ...shellCommand(command, "on_refresh"),
    purpose: "effect",
    env: {
      ROLEFRESH_PROFILE: spec.profile,
      ROLEFRESH_EXPIRES_AT: outcome.expiresAt ? renderInstant(outcome.expiresAt) : "",
      ROLEFRESH_CREDENTIALS_FILE: spec.credentialsFile,
    },
  } as const;
  const { cwd, killGroup } = world;
  const env = withoutSecrets(world.env, tokenVariables(context.config));
  const startedMs = world.monotonicMs();
  try {
    const end = await runProgram(program, { env, cwd, deadline, killGroup });
    if (end.kind !== "exit" || end.status !== 0) return failureOf(spec, describeEnd(end));
    const seconds = ((world.monotonicMs() - startedMs) / 1000).toFixed(1);
    reporter.detail(`profile '${spec.profile}': on_refresh ended with exit 0 after ${seconds} s`);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // `main` reports the interruption once; the other profiles' writes end first.
    return error.code === "INTERRUPTED" ? undefined : failureOf(spec, "was killed: it did not end within --timeout");
  } finally {
    deadline.clear();
  }
}

function withoutSecrets(env: Environment, tokens: ReadonlySet<string>): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !tokens.has(name) && !SECRET_NAMES.test(name)));
}

function failureOf(spec: ProfileSpec, what: string): Failure {
  return new Failure("HOOK_FAILED", `profile '${spec.profile}': refreshed, but its on_refresh command ${what}`, {
    hint: "run the command by hand; it is not retried before the next refresh (the new credentials are in the file)",
  });
}

/** Environment variables that the configuration names as holding a token, of all profiles. */
function tokenVariables({ profiles }: Pick<Config, "profiles">): ReadonlySet<string> {
  return new Set(
    profiles.flatMap(({ source }) => (source.kind === "web-identity" ? variablesOf(source.identity) : [])),
  );
}

function variablesOf(identity: IdentitySource): readonly string[] {
  if ("variable" in identity) return [identity.variable];
  if (identity.kind !== "url") return [];
  return identity.headers.flatMap(({ template }) =>
    [...template.matchAll(/\{env:(\w+)\}/g)].map(([, name = ""]) => name),
  );
}

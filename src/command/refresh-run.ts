import pLimit from "p-limit";

import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import type { Progress } from "../cli/progress.ts";
import type { Reporter } from "../cli/report.ts";
import type { ProfileSpec } from "../config/config.ts";
import { isDue, judgeProfile } from "../plan/profile-state.ts";
import type { Step } from "../plan/plan.ts";
import type { RoleSession } from "../sts/session.ts";
import type { World } from "../world.ts";
import { type CredentialsView, toWritten } from "./credentials-view.ts";
import { takeFlight } from "./flight.ts";
import type { Loaded } from "./load.ts";
import { failed, type Outcome, refusalOf, settleAtOnce, type StepResult, unchanged } from "./outcome.ts";
import { openRoleSessions, type RoleSessions } from "./role-sessions.ts";
import { sourceKeysOf } from "./source-keys.ts";
import { openWriteQueue, type WriteQueue } from "./write-queue.ts";

export interface RunContext {
  readonly world: World;
  /** The run's own; network and waiting end with it. */
  readonly deadline: Deadline;
  /** A little longer: what was obtained in time is still written. */
  readonly writeDeadline: Deadline;
  readonly concurrency: number;
  readonly force: boolean;
  readonly reporter: Reporter;
  readonly progress: Progress;
}

/**
 * Carries out the steps of a plan: each due profile takes its flight, looks again, gets its session and hands it to the
 * write queue of its file. One profile's failure spares the others.
 */
export async function runSteps(
  steps: readonly Step[],
  loaded: Loaded,
  context: RunContext,
): Promise<readonly Outcome[]> {
  const run = new Run(loaded, context);
  try {
    return await run.all(steps);
  } finally {
    run.close();
  }
}

class Run {
  readonly #loaded: Loaded;
  readonly #context: RunContext;
  readonly #sessions: RoleSessions;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #queues = new Map<string, WriteQueue>();
  readonly #results = new Map<Step, Promise<StepResult>>();

  constructor(loaded: Loaded, context: RunContext) {
    this.#loaded = loaded;
    this.#context = context;
    this.#limit = pLimit(context.concurrency);
    this.#sessions = openRoleSessions(context);
  }

  close(): void {
    this.#sessions.close();
  }

  async all(steps: readonly Step[]): Promise<readonly Outcome[]> {
    // Every step is announced to its file's queue before the first one starts: they go in with one write.
    for (const step of steps) if (this.#willRefresh(step)) this.#queueOf(step.spec).expect();
    for (const step of steps) this.#results.set(step, this.#step(step));
    const results = await Promise.all(this.#results.values());
    return results.map((result) => result.outcome);
  }

  #willRefresh(step: Step): boolean {
    return step.action === "refresh" && refusalOf(step, this.#view(step)) === undefined;
  }

  async #step(step: Step): Promise<StepResult> {
    const { profile } = step.spec;
    const view = this.#view(step);
    const settled = settleAtOnce(step, view);
    if (settled) return { outcome: settled, session: undefined };
    try {
      return await this.#refresh(step, view);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#context.progress.set(profile, "failed");
      return { outcome: failed(step, namingProfile(error, profile)), session: undefined };
    }
  }

  async #refresh(step: Step, view: CredentialsView): Promise<StepResult> {
    const { world, force, progress, reporter, deadline } = this.#context;
    const { spec } = step;
    const queue = this.#queueOf(spec);
    let expected = true;
    const unexpect = () => {
      if (expected) queue.unexpect();
      expected = false;
    };
    try {
      const source = step.source && (await this.#results.get(step.source));
      const obtained = await this.#limit(async () => {
        deadline.signal.throwIfAborted();
        const flight = await takeFlight(spec, view, {
          world,
          deadline,
          onWait: () => {
            unexpect();
            progress.set(spec.profile, "waiting for another rolefresh");
          },
          fresh: () => !force && this.#freshNow(step, view),
        });
        if (!flight) return undefined;
        if (!expected) {
          queue.expect();
          expected = true;
        }
        try {
          progress.set(spec.profile, `assuming ${spec.role.name}`);
          reporter.detail(`${spec.profile}: ${step.state.reason}, assuming ${spec.role.arn}`);
          const session = await this.#sessions.obtain(spec, () =>
            sourceKeysOf(step, source, step.source ? this.#view(step.source) : view, world.now()),
          );
          return { session, flight };
        } catch (error) {
          await flight.release();
          throw error;
        }
      });
      if (!obtained) return { outcome: this.#byAnother(step, view), session: undefined };
      const { session, flight } = obtained;
      try {
        const written = queue.submit({
          profile: spec.profile,
          edit: { kind: "write", keys: session },
          overwrite: spec.overwrite,
          stillWanted: (section) => force || this.#isDueNow(spec, section && toWritten(section)),
        });
        unexpect();
        return await this.#settle(step, session, view, await written);
      } finally {
        await flight.release();
      }
    } finally {
      unexpect();
    }
  }

  async #settle(
    step: Step,
    session: RoleSession,
    view: CredentialsView,
    result: Awaited<ReturnType<WriteQueue["submit"]>>,
  ): Promise<StepResult> {
    const { progress, reporter } = this.#context;
    switch (result.kind) {
      case "failed":
        return { outcome: failed(step, result.failure), session: undefined };
      case "skipped":
        await view.lookAgain();
        return { outcome: this.#byAnother(step, view), session };
      case "written":
        progress.set(step.spec.profile, "refreshed");
        reporter.detail(`${step.spec.profile}: written to ${view.path}`);
        return {
          outcome: {
            step,
            outcome: "refreshed",
            reason: step.state.reason,
            accessKeyId: session.accessKeyId,
            principalArn: session.principalArn,
            expiresAt: session.expiresAt,
            failure: undefined,
          },
          session,
        };
    }
  }

  /** Another process was faster: what the file holds now is the answer. */
  #byAnother(step: Step, view: CredentialsView): Outcome {
    this.#context.progress.set(step.spec.profile, "fresh");
    const written = view.written(step.spec.profile);
    return unchanged(
      {
        ...step,
        written,
        state: judgeProfile(step.spec, written, this.#context.world.now(), this.#context.world.hostname),
      },
      "fresh",
    );
  }

  #freshNow(step: Step, view: CredentialsView): boolean {
    const refusal = view.refusalOf(step.spec.profile);
    if (refusal) throw refusal;
    return !this.#isDueNow(step.spec, view.written(step.spec.profile));
  }

  #isDueNow(spec: ProfileSpec, written: ReturnType<CredentialsView["written"]>): boolean {
    const state = judgeProfile(spec, written, this.#context.world.now(), this.#context.world.hostname);
    return isDue(state) || state.state === "foreign";
  }

  #view(step: Step): CredentialsView {
    return this.#loaded.viewOf(step.spec);
  }

  #queueOf(spec: ProfileSpec): WriteQueue {
    const { file } = this.#loaded.viewOf(spec);
    if (!file) throw new Error(`${spec.credentialsFile} was not resolved`);
    const existing = this.#queues.get(file.target);
    if (existing) return existing;
    const inPlace = this.#loaded.config.profiles.some(
      (other) => other.writeMode === "in-place" && this.#loaded.viewOf(other).file?.target === file.target,
    );
    const { world, writeDeadline, reporter } = this.#context;
    const queue = openWriteQueue(file, inPlace ? "in-place" : "atomic", {
      world,
      clock: world,
      deadline: writeDeadline,
      onWarnings: (target, warnings) => {
        for (const warning of warnings) reporter.warning(`${target.path}:${warning.line}: ${warning.message}`);
      },
    });
    this.#queues.set(file.target, queue);
    return queue;
  }
}

/** Failures of the network rooms know nothing of profiles. */
function namingProfile(failure: Failure, profile: string): Failure {
  if (failure.message.includes(`[${profile}]`) || failure.message.startsWith(`profile '${profile}'`)) return failure;
  return new Failure(failure.code, `profile '${profile}': ${failure.message}`, {
    hint: failure.hint,
    cause: failure.cause,
  });
}

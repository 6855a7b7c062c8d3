import pLimit from "p-limit";

import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { renderBug } from "../output/bug.ts";
import type { Progress } from "../output/progress.ts";
import type { Reporter } from "../output/report.ts";
import type { ProfileSpec } from "../config/config.ts";
import type { EditResult } from "../credentials-file/edit.ts";
import { isDue, judgeProfile } from "../plan/profile-state.ts";
import type { Step } from "../plan/plan.ts";
import type { RoleSession } from "../sts/session.ts";
import type { World } from "../base/world.ts";
import { type CredentialsView, toWritten } from "./credentials-view.ts";
import { takeFlight, waitForFlight } from "./single-flight.ts";
import type { Loaded } from "./load.ts";
import { namingProfile } from "./with-profile.ts";
import { failed, handedOn, isHeldBy, type Obtained, type Outcome, settleAtOnce, unchanged } from "./outcome.ts";
import { openRoleSessions, type RoleSessions } from "./role-sessions.ts";
import { sourceKeysOf } from "./source-keys.ts";
import { type Expectation, openWriteQueues, type WriteQueue } from "./write-queue.ts";

/** What all steps of a run share. */
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
  /** Runs the profile's `on_refresh` command if its keys have changed; told of each outcome as it comes. */
  readonly runHook: (outcome: Outcome) => Promise<Outcome>;
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
  readonly #queueOf: (spec: ProfileSpec) => WriteQueue;
  readonly #obtained = new Map<Step, Promise<Obtained>>();

  constructor(loaded: Loaded, context: RunContext) {
    this.#loaded = loaded;
    this.#context = context;
    this.#limit = pLimit(context.concurrency);
    this.#sessions = openRoleSessions(context);
    this.#queueOf = openWriteQueues(loaded, context);
  }

  close(): void {
    this.#sessions.close();
  }

  async all(steps: readonly Step[]): Promise<readonly Outcome[]> {
    // Every step is announced to its file's queue before the first one starts: they go in with one write.
    const expectations = steps.map((step) => {
      const settled = settleAtOnce(step, this.#view(step));
      return settled ?? this.#queueOf(step.spec).expect();
    });
    for (const [index, step] of steps.entries()) {
      const expectation = expectations[index];
      if (!expectation) continue;
      this.#obtained.set(
        step,
        "away" in expectation ? this.#obtain(step, expectation) : Promise.resolve({ outcome: expectation }),
      );
    }
    const { runHook } = this.#context;
    return Promise.all(
      [...this.#obtained].map(async ([step, obtained]) => {
        try {
          return await runHook(await this.#finish(step, await obtained));
        } catch (error) {
          if (error instanceof Failure) throw error;
          return this.#broken(step, error);
        }
      }),
    );
  }

  /** A bug met this profile: its stack is shown at once, and the other profiles go on. */
  #broken(step: Step, error: unknown): Outcome {
    const { world, progress } = this.#context;
    progress.set(step.spec.profile, "failed");
    progress.done();
    world.err.write(renderBug(error));
    const failure = new Failure("BUG", "it met a bug in rolefresh, see the lines above", { cause: error });
    return failed(step, namingProfile(failure, step.spec.profile));
  }

  /** Everything up to the session; a step that calls with its keys need not wait for the write. */
  async #obtain(step: Step, expectation: Expectation): Promise<Obtained> {
    const { world, deadline, progress } = this.#context;
    const { profile } = step.spec;
    try {
      const source = step.source && (await this.#obtained.get(step.source));
      for (let attempt = 0; ; attempt++) {
        const obtained = await this.#limit(() => this.#fly(step, source, expectation));
        if (obtained !== "busy") return obtained;
        expectation.away();
        progress.set(profile, "waiting for another rolefresh");
        // Without a slot: whoever holds the locks of one file could starve the profiles of all others.
        await waitForFlight(step.spec, attempt, world, deadline);
      }
    } catch (error) {
      expectation.away();
      if (!(error instanceof Failure)) return { outcome: this.#broken(step, error) };
      progress.set(profile, "failed");
      return { outcome: failed(step, namingProfile(error, profile)) };
    }
  }

  async #fly(step: Step, source: Obtained | undefined, expectation: Expectation): Promise<Obtained | "busy"> {
    const { world, force, progress, reporter, deadline } = this.#context;
    const { spec } = step;
    const view = this.#view(step);
    deadline.signal.throwIfAborted();
    const flight = await takeFlight(spec, view, () => !force && this.#isFreshNow(step, view), deadline);
    if (flight === "busy") return flight;
    if (flight === "fresh") {
      expectation.away();
      return { outcome: this.#byAnother(step, view) };
    }
    expectation.back();
    try {
      progress.set(spec.profile, spec.role ? `assuming ${spec.role.name}` : "getting keys");
      reporter.detail(
        `${spec.profile}: ${step.state.reason}, ${spec.role ? `assuming ${spec.role.arn}` : "getting keys"}`,
      );
      const keys = () => sourceKeysOf(step, source, step.source ? this.#view(step.source) : view, world.now());
      const session = await this.#sessions.obtain(spec, keys);
      return { session, flight, expectation };
    } catch (error) {
      await flight.release();
      throw error;
    }
  }

  async #finish(step: Step, obtained: Obtained): Promise<Outcome> {
    if ("outcome" in obtained) return obtained.outcome;
    const { session, flight, expectation } = obtained;
    const { spec } = step;
    let isNewer = true;
    try {
      const written = this.#queueOf(spec).submit({
        profile: spec.profile,
        edit: { kind: "write", keys: session },
        overwrite: spec.overwrite,
        stillWanted: (section) => {
          // Under the lock: this is what the tool has read until now.
          isNewer = !isHeldBy(section, session);
          return this.#context.force || this.#isDueNow(spec, section && toWritten(section));
        },
      });
      expectation.away();
      const result = await written;
      return await this.#settle(step, session, result, isNewer);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return failed(step, error);
    } finally {
      await flight.release();
    }
  }

  async #settle(step: Step, session: RoleSession, result: EditResult, isNewer: boolean): Promise<Outcome> {
    const { progress, reporter } = this.#context;
    const view = this.#view(step);
    switch (result.kind) {
      case "failed":
        progress.set(step.spec.profile, "failed");
        return failed(step, result.failure);
      case "skipped":
        await view.lookAgain();
        return this.#byAnother(step, view);
      case "written":
        progress.set(step.spec.profile, isNewer ? "refreshed" : "fresh");
        reporter.detail(
          `${step.spec.profile}: ${isNewer ? `written to ${view.path}` : "the source has nothing newer than the keys in the file"}`,
        );
        return handedOn(step, session, isNewer);
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

  #isFreshNow(step: Step, view: CredentialsView): boolean {
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
}

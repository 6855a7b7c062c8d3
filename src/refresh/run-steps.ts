import pLimit from "p-limit";

import type { Deadline } from "../base/deadline.ts";
import { Failure } from "../base/failure.ts";
import { renderBug } from "../output/bug.ts";
import type { Progress } from "../output/progress.ts";
import type { Reporter } from "../output/report.ts";
import type { ProfileSpec } from "../config/config.ts";
import type { EditResult } from "../credentials-file/edit.ts";
import type { Step } from "../plan/plan.ts";
import type { RoleSession } from "../sts/session.ts";
import type { World } from "../base/world.ts";
import { type CredentialsView, toWritten } from "./credentials-view.ts";
import { acquireSingleFlight, isDueNow, stateNow, waitForSingleFlight } from "./single-flight.ts";
import type { Loaded } from "./load.ts";
import {
  failed,
  isHeldBy,
  type Obtained,
  type Outcome,
  settleAtOnce,
  unchanged,
  withProfile,
  afterWrite,
} from "./outcome.ts";
import { openRoleSessions, type RoleSessions } from "./role-sessions.ts";
import { sourceKeysOf } from "./source-keys.ts";
import { openWriteQueues, type Pending, type WriteQueue } from "./write-queue.ts";

/** What all steps of a run share. */
export interface RunContext {
  readonly world: World;
  /** The run's deadline: network calls and waits end with it. */
  readonly deadline: Deadline;
  /** A few seconds longer: credentials obtained in time are still written. */
  readonly writeDeadline: Deadline;
  readonly concurrency: number;
  readonly force: boolean;
  readonly reporter: Reporter;
  readonly progress: Progress;
  /** Runs the profile's `on_refresh` command if its keys changed. */
  readonly runHook: (outcome: Outcome) => Promise<Outcome>;
}

/**
 * Executes the steps of a plan. Each due profile acquires its single-flight lock, looks at the file again, gets its session
 * and submits it to the write queue of its file. One profile's failure does not stop the others.
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
    // Announce every step to its file's queue before the first one starts: they share one write.
    const starts = steps.map((step): [Step, () => Promise<Obtained>] => {
      const outcome = settleAtOnce(step, this.#view(step));
      if (outcome) return [step, () => Promise.resolve({ outcome })];
      const pending = this.#queueOf(step.spec).expect();
      return [step, () => this.#obtain(step, pending)];
    });
    // In plan order: a step finds its source in the map.
    for (const [step, start] of starts) this.#obtained.set(step, start());
    return Promise.all(
      [...this.#obtained].map(async ([step, obtained]) => {
        try {
          return await this.#context.runHook(await this.#write(step, await obtained));
        } catch (error) {
          if (error instanceof Failure) throw error;
          return this.#bug(step, error);
        }
      }),
    );
  }

  /** Everything up to the session; a step that signs with its keys does not wait for the write. */
  async #obtain(step: Step, pending: Pending): Promise<Obtained> {
    const { world, deadline, progress } = this.#context;
    const { profile } = step.spec;
    try {
      const source = step.source && (await this.#obtained.get(step.source));
      for (let attempt = 0; ; attempt++) {
        const obtained = await this.#limit(() => this.#assumeUnderLock(step, source, pending));
        if (obtained !== "busy") return obtained;
        pending.release();
        progress.set(profile, "waiting for another rolefresh");
        // Outside the limit: waiting for one file's locks must not starve the profiles of other files.
        await waitForSingleFlight(step.spec, attempt, world, deadline);
      }
    } catch (error) {
      pending.release();
      if (!(error instanceof Failure)) return { outcome: this.#bug(step, error) };
      progress.set(profile, "failed");
      return { outcome: failed(step, withProfile(error, profile)) };
    }
  }

  async #assumeUnderLock(step: Step, source: Obtained | undefined, pending: Pending): Promise<Obtained | "busy"> {
    const { world, progress, reporter, deadline } = this.#context;
    const { spec } = step;
    const view = this.#view(step);
    deadline.signal.throwIfAborted();
    const lease = await acquireSingleFlight(spec, view, this.#context);
    if (lease === "busy") return lease;
    if (lease === "fresh") {
      pending.release();
      return { outcome: this.#refreshedElsewhere(step, view) };
    }
    pending.resume();
    try {
      const { role } = spec;
      progress.set(spec.profile, role ? `assuming ${role.name}` : "getting keys");
      reporter.detail(`${spec.profile}: ${step.state.reason}, ${role ? `assuming ${role.arn}` : "getting keys"}`);
      const keys = () => sourceKeysOf(step, source, step.source ? this.#view(step.source) : view, world.now());
      return { session: await this.#sessions.obtain(spec, keys), lease, pending };
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  async #write(step: Step, obtained: Obtained): Promise<Outcome> {
    if ("outcome" in obtained) return obtained.outcome;
    const { session, lease, pending } = obtained;
    const { world, force } = this.#context;
    const { spec } = step;
    let isNewer = true;
    try {
      const submitted = this.#queueOf(spec).submit({
        profile: spec.profile,
        edit: { kind: "write", keys: session },
        overwrite: spec.overwrite,
        stillWanted: (section) => {
          // Under the file's lock: this is what tools have read until now.
          isNewer = !isHeldBy(section, session);
          return force || isDueNow(spec, section && toWritten(section), world);
        },
      });
      pending.release();
      return await this.#settle(step, session, await submitted, isNewer);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return failed(step, error);
    } finally {
      await lease.release();
    }
  }

  async #settle(step: Step, session: RoleSession, result: EditResult, isNewer: boolean): Promise<Outcome> {
    const { progress, reporter } = this.#context;
    const { profile } = step.spec;
    const view = this.#view(step);
    switch (result.kind) {
      case "failed":
        progress.set(profile, "failed");
        return failed(step, result.failure);
      case "skipped":
        await view.lookAgain();
        return this.#refreshedElsewhere(step, view);
      case "written":
        progress.set(profile, isNewer ? "refreshed" : "fresh");
        reporter.detail(`${profile}: ${isNewer ? `written to ${view.path}` : "the source has no newer keys"}`);
        return afterWrite(step, session, isNewer);
    }
  }

  /** A bug in one profile's step: its stack is shown at once, and the other profiles go on. */
  #bug(step: Step, error: unknown): Outcome {
    const { world, progress } = this.#context;
    const { profile } = step.spec;
    progress.set(profile, "failed");
    progress.done();
    world.err.write(renderBug(error));
    const failure = new Failure("BUG", "a bug in rolefresh stopped it; see the lines above", { cause: error });
    return failed(step, withProfile(failure, profile));
  }

  /** Another process was faster: the outcome is what the file holds now. */
  #refreshedElsewhere(step: Step, view: CredentialsView): Outcome {
    const { world, progress } = this.#context;
    const { spec } = step;
    progress.set(spec.profile, "fresh");
    const now = view.written(spec.profile);
    return unchanged({ ...step, written: now, state: stateNow(spec, now, world) }, "fresh");
  }

  #view(step: Step): CredentialsView {
    return this.#loaded.viewOf(step.spec);
  }
}

import { renderInstant } from "../base/duration.ts";
import { Failure } from "../base/failure.ts";
import type { WatchInvocation } from "../command-line/invocation.ts";
import { openReporter, type Reporter } from "../output/report.ts";
import type { Config } from "../config/config.ts";
import { expandPath, pathOrThrow } from "../base/expand-path.ts";
import { refreshAt, windowMs } from "../plan/due.ts";
import { isStillValid } from "../plan/profile-state.ts";
import { LONGEST_SLEEP_MS, lookAgainAfter, pauseAfter, sleepUntil } from "../plan/backoff.ts";
import type { World } from "../base/world.ts";
import { executePlan } from "../refresh/execute-plan.ts";
import { keepHealthFile, removeHealthFile } from "../output/health-file.ts";
import { type Loaded, loadProfiles, openFiles, planLoaded, refuseUnknown } from "../refresh/load.ts";
import type { Outcome } from "../refresh/outcome.ts";
import { outcomesToJson, reportOutcomes } from "../refresh/report-outcomes.ts";

/**
 * Runs until interrupted and refreshes each profile as it becomes due. The wall clock decides what is due and is read at
 * least once a minute, so that suspends and clock jumps are noticed; pauses after failures use the monotonic clock. SIGHUP
 * reloads the config; an invalid one keeps the previous one.
 *
 * @throws the first configuration's failure; USAGE for a profile that is not in it; INTERRUPTED
 */
export async function watch(invocation: WatchInvocation, world: World): Promise<number> {
  return new Watcher(invocation, world, await configFor(invocation, world)).run();
}

/** @throws Failure USAGE for a watched profile that is not configured */
async function configFor({ config: options, profiles }: WatchInvocation, world: World): Promise<Config> {
  const { config } = await loadProfiles(options, world);
  refuseUnknown(config, profiles);
  return config;
}

interface Pause {
  /** In a row; 0 where the source gave keys that are due already. */
  readonly failures: number;
  /** By the monotonic clock. */
  readonly until: number;
}

class Watcher {
  readonly #invocation: WatchInvocation;
  readonly #world: World;
  readonly #reporter: Reporter;
  readonly #pauses = new Map<string, Pause>();
  #config: Config;
  #hungUp = false;
  /** Ends the current sleep; a new one each time, because listeners on a long-lived signal pile up. */
  #wake = new AbortController();

  constructor(invocation: WatchInvocation, world: World, config: Config) {
    this.#invocation = invocation;
    this.#world = world;
    this.#config = config;
    this.#reporter = openReporter(world, invocation.global);
  }

  async run(): Promise<number> {
    const { interrupted } = this.#world;
    const onInterrupt = () => this.#wake.abort();
    interrupted.addEventListener("abort", onInterrupt, { once: true });
    const restore = this.#world.onHangup(() => {
      this.#hungUp = true;
      this.#wake.abort();
    });
    try {
      for (;;) {
        if (this.#hungUp) await this.#reload();
        await this.#sleep(await this.#round());
      }
    } finally {
      restore();
      interrupted.removeEventListener("abort", onInterrupt);
      const { healthFile } = this.#invocation;
      if (healthFile !== undefined) await removeHealthFile(this.#pathOf(healthFile), this.#world.uid);
    }
  }

  /** One round over all profiles; returns how long to sleep. */
  async #round(): Promise<number> {
    const { profiles, global } = this.#invocation;
    const startedMs = this.#world.monotonicMs();
    try {
      const loaded = await openFiles(this.#config, this.#world);
      const names = profiles.length > 0 ? profiles : this.#config.profiles.map((spec) => spec.profile);
      const awake = this.#awake(loaded, names);
      const steps = awake.length > 0 ? planLoaded(loaded, awake, false, this.#world) : [];
      const outcomes = await executePlan(
        steps,
        loaded,
        { global, force: false, reporter: this.#reporter },
        this.#world,
      );
      // Report what was written even when interrupted.
      this.#report(outcomes);
      this.#world.interrupted.throwIfAborted();
      this.#keepPauses(outcomes);
      if (global.metricsFile !== undefined) {
        const { recordMetrics } = await import("../refresh/run-metrics.ts");
        const durationMs = this.#world.monotonicMs() - startedMs;
        await recordMetrics(global.metricsFile, { outcomes, config: this.#config, durationMs }, this.#world);
      }
      return await this.#settle(names, loaded);
    } catch (error) {
      // A file that cannot be read now may be readable later.
      if (!(error instanceof Failure) || error.code === "INTERRUPTED") throw error;
      this.#reporter.error(error);
      return LONGEST_SLEEP_MS;
    }
  }

  /** The profiles that are not paused. Expired keys end a pause without failures: the monotonic clock stops during suspend. */
  #awake(loaded: Loaded, names: readonly string[]): readonly string[] {
    const [now, monotonic] = [this.#world.now(), this.#world.monotonicMs()];
    const expired = new Set(
      loaded.config.profiles
        .filter((spec) => (loaded.viewOf(spec).written(spec.profile)?.expiresAt ?? now) < now)
        .map(({ profile }) => profile),
    );
    return names.filter((name) => {
      const pause = this.#pauses.get(name);
      return !pause || pause.until <= monotonic || (pause.failures === 0 && expired.has(name));
    });
  }

  #report(outcomes: readonly Outcome[]): void {
    const { global } = this.#invocation;
    reportOutcomes(outcomes, global, this.#reporter, this.#world.now());
    for (const { step, outcome, expiresAt } of outcomes) {
      if (outcome === "refreshed" && expiresAt) {
        this.#reporter.info(`profile '${step.spec.profile}': refreshed, valid until ${renderInstant(expiresAt)}`);
      }
    }
    const notable = outcomes.filter(({ step, outcome }) => step.action !== "keep" || outcome === "failed");
    if (global.json && notable.length > 0) {
      this.#world.out.write(`${JSON.stringify({ profiles: outcomesToJson(notable, this.#world.now()) })}\n`);
    }
  }

  #keepPauses(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      const { profile } = outcome.step.spec;
      const isFailed = outcome.outcome === "failed";
      const failures = isFailed ? (this.#pauses.get(profile)?.failures ?? 0) + 1 : 0;
      const pauseMs = isFailed ? pauseAfter(failures, this.#world.random()) : this.#untilNextLook(outcome);
      if (pauseMs === undefined) this.#pauses.delete(profile);
      else this.#pauses.set(profile, { failures, until: this.#world.monotonicMs() + pauseMs });
    }
  }

  /** The pause after keys that are due already or have no expiry; milliseconds. */
  #untilNextLook({ step, expiresAt }: Outcome): number | undefined {
    const { spec } = step;
    if (step.action !== "refresh") return undefined;
    if (!expiresAt) return spec.recheckMs;
    const now = this.#world.now();
    if (refreshAt(expiresAt, spec, this.#world.hostname, spec.profile) > now) return undefined;
    return lookAgainAfter(expiresAt.getTime() - now.getTime(), windowMs(spec));
  }

  /** Computes the sleep from what the files hold now, and keeps the health file. */
  async #settle(names: readonly string[], loaded: Loaded): Promise<number> {
    for (const view of loaded.views) await view.lookAgain();
    const steps = planLoaded(loaded, names, false, this.#world);
    const [now, monotonic] = [this.#world.now(), this.#world.monotonicMs()];
    const moments = steps.map(({ spec, state }) => {
      const pause = this.#pauses.get(spec.profile);
      return pause ? pause.until - monotonic : (state.refreshAt?.getTime() ?? now.getTime()) - now.getTime();
    });
    const sleepMs = sleepUntil(moments);
    const { healthFile } = this.#invocation;
    if (healthFile !== undefined) {
      const healthy = steps.every(({ spec, written }) => isStillValid(spec, written, now));
      const wakesAt = new Date(now.getTime() + sleepMs);
      await keepHealthFile(this.#pathOf(healthFile), { healthy, profiles: steps.length, wakesAt }, this.#world);
    }
    return sleepMs;
  }

  async #sleep(ms: number): Promise<void> {
    this.#reporter.detail(`next look in ${Math.ceil(ms / 1000)} s`);
    const wake = new AbortController();
    this.#wake = wake;
    this.#world.interrupted.throwIfAborted();
    if (this.#hungUp) return;
    try {
      await this.#world.sleep(ms, wake.signal);
    } catch (error) {
      if (!wake.signal.aborted) throw error;
    }
    this.#world.interrupted.throwIfAborted();
  }

  async #reload(): Promise<void> {
    this.#hungUp = false;
    try {
      this.#config = await configFor(this.#invocation, this.#world);
      this.#pauses.clear();
      this.#reporter.info("config reloaded");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#reporter.error(error);
      this.#reporter.warning("invalid config; keeping the previous one");
    }
  }

  #pathOf(path: string): string {
    return pathOrThrow("--health-file", expandPath(path, this.#world, this.#world.cwd));
  }
}

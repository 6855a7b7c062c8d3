/**
 * What `scripts/torture` runs: every file of `test/torture` exports `suite`, and the runner finds them by looking there.
 * A suite tries to break one family of promises as often as its time allows, and counts.
 */
export interface TortureSuite {
  /** A few words, for the table: `faults: every system call fails`. */
  readonly title: string;
  /** Its part of the run's time, relative to the others. */
  readonly weight: number;
  readonly run: (context: TortureContext) => Promise<readonly TortureResult[]>;
}

export interface TortureContext {
  /** How long the suite should take; one that has a fixed amount of work may take less, or longer. */
  readonly budgetMs: number;
  /** Whether the suite's time is up. */
  readonly isOver: () => boolean;
  /** For property tests and random rounds, so that a failure can be repeated. */
  readonly seed: number;
  /** Prints a line of progress, or what failed and how to see it again. Never a secret. */
  readonly say: (line: string) => void;
}

/** A part of a suite's time that begins now: its budget divided by so many parts. */
export function shareOf({ budgetMs }: Pick<TortureContext, "budgetMs">, parts: number): Pick<TortureContext, "isOver"> {
  const until = performance.now() + budgetMs / parts;
  return { isOver: () => performance.now() > until };
}

/** The same items in another order, which the seed decides: so that a run that is cut short has tried some of all. */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const keyed = items.map((item, at) => ({
    item,
    key: (Math.imul(at + 1, 2_654_435_761) ^ Math.imul(seed, 40_503)) >>> 0,
  }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}

/** One promise, and how often the suite tried to break it. */
export interface TortureResult {
  /** The promise, as a sentence without a period. */
  readonly name: string;
  readonly tried: number;
  /** How often the promise was broken; what happened went to `say`. */
  readonly failed: number;
  /** What else was counted, or why nothing was tried. */
  readonly note?: string;
}

/** Counts attempts at one promise, and says what broke it. */
export class Tally {
  readonly #name: string;
  readonly #say: (line: string) => void;
  #tried = 0;
  #failed = 0;

  constructor(name: string, say: (line: string) => void) {
    this.#name = name;
    this.#say = say;
  }

  /** Makes one attempt; an error thrown by it is a broken promise. */
  async attempt(what: string, work: () => void | Promise<void>): Promise<void> {
    this.#tried++;
    try {
      await work();
    } catch (error) {
      this.#failed++;
      this.#say(`BROKEN ${this.#name}: ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Counts attempts that something else made and judged. */
  count(tried: number, failed: number): void {
    this.#tried += tried;
    this.#failed += failed;
  }

  get tried(): number {
    return this.#tried;
  }

  get failed(): number {
    return this.#failed;
  }

  result(note?: string): TortureResult {
    return {
      name: this.#name,
      tried: this.#tried,
      failed: this.#failed,
      ...(note === undefined ? {} : { note }),
    };
  }
}

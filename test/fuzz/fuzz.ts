import { Chance } from "./chance.ts";

/** One thing that reads what others wrote, and what must hold for whatever it is given. */
export interface FuzzTarget<Document> {
  /** `credentials files`. */
  readonly name: string;
  readonly make: (chance: Chance) => Document;
  /** @throws whatever shows that a promise is broken. */
  readonly check: (document: Document, chance: Chance) => void | Promise<void>;
  /** To show a document that broke something. */
  readonly show: (document: Document) => string;
  /** Waits for what was left to others in `check`, and throws what they found. */
  readonly settle?: () => Promise<void>;
  /** What was seen, for the report: how many documents were accepted, refused, compared. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface FuzzRun {
  readonly seed: number;
  readonly documents: number;
  /** Ends the run early. */
  readonly isOver?: () => boolean;
}

export interface FuzzOutcome {
  readonly tried: number;
  /** Each with the seed that makes its document again. */
  readonly broken: readonly string[];
}

const MOST_TOLD = 10;

/** Checks documents one after another. Each has a seed of its own, so that a broken one can be made again alone. */
export async function fuzz<Document>(target: FuzzTarget<Document>, run: FuzzRun): Promise<FuzzOutcome> {
  const broken: string[] = [];
  let tried = 0;
  const attempt = async (what: () => string, work: () => void | Promise<void>): Promise<void> => {
    try {
      const pending = work();
      if (pending !== undefined) await pending;
    } catch (error) {
      broken.push(`${what()}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  };
  for (; tried < run.documents && broken.length < MOST_TOLD; tried++) {
    if (run.isOver?.()) break;
    const seed = (run.seed + tried * 0x9e3779b1) >>> 0;
    const chance = new Chance(seed);
    const document = target.make(chance);
    await attempt(
      () => `${target.name}, seed ${seed}: ${target.show(document)}`,
      () => target.check(document, chance),
    );
  }
  await attempt(
    () => target.name,
    () => target.settle?.(),
  );
  return { tried, broken };
}

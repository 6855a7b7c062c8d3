import { Failure } from "../base/failure.ts";
import type { References } from "./config.ts";

/** Everything that is wrong with a configuration, at once: each mistake is one failure with its file and line. */
export class ConfigMistakes extends Failure {
  readonly mistakes: readonly Failure[];
  /** What can be checked besides, against the sections of the credentials files; absent: nothing. */
  readonly references: References | undefined;

  constructor(mistakes: readonly Failure[], references?: References) {
    super("CONFIG_INVALID", mistakes.map((mistake) => mistake.message).join("\n"));
    this.mistakes = mistakes;
    this.references = references;
  }
}

/** Collects mistakes while the rest of the configuration is still being looked at. */
export interface MistakeSink {
  /** @param where `file:line`, or what else leads to the place */
  add(where: string, message: string, hint?: string): void;
  readonly count: number;
}

/**
 * Collects mistakes until all are known, so that a person sees them at once.
 *
 * @param isHidden for a file that is not its reader's: then a mistake names its place and nothing of its content
 * @returns a sink whose `throwIfAny` throws Failure CONFIG_INVALID with every mistake, in the order of the file
 */
export function collectMistakes(isHidden = false): MistakeSink & { throwIfAny(references?: References): void } {
  const mistakes: { line: number; failure: Failure }[] = [];
  return {
    add(where, message, hint) {
      const failure = isHidden
        ? new Failure("CONFIG_INVALID", `${where}: not a valid line, and not shown: the file belongs to another user`)
        : new Failure("CONFIG_INVALID", `${where}: ${message}`, { hint });
      mistakes.push({ line: lineOf(where), failure });
    },
    get count() {
      return mistakes.length;
    },
    throwIfAny(references) {
      if (mistakes.length === 0) return;
      const inOrder = mistakes.toSorted((a, b) => a.line - b.line).map(({ failure }) => failure);
      throw new ConfigMistakes(inOrder, isHidden ? undefined : references);
    },
  };
}

/** Mistakes are read from the top of the file to its end. */
function lineOf(where: string): number {
  return Number(/:(\d+)$/.exec(where)?.[1] ?? 0);
}

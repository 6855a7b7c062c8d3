import { Failure } from "../base/failure.ts";

/** Everything that is wrong with a configuration, at once: each mistake is one failure with its file and line. */
export class ConfigMistakes extends Failure {
  readonly mistakes: readonly Failure[];

  constructor(mistakes: readonly Failure[]) {
    super("CONFIG_INVALID", mistakes.map((mistake) => mistake.message).join("\n"));
    this.mistakes = mistakes;
  }
}

/** Collects mistakes while the rest of the configuration is still being looked at. */
export interface MistakeSink {
  add(where: string, message: string, hint?: string): void;
  readonly count: number;
}

export function collectMistakes(): MistakeSink & { throwIfAny(): void } {
  const mistakes: Failure[] = [];
  return {
    add(where, message, hint) {
      mistakes.push(new Failure("CONFIG_INVALID", `${where}: ${message}`, { hint }));
    },
    get count() {
      return mistakes.length;
    },
    throwIfAny() {
      if (mistakes.length > 0) throw new ConfigMistakes(mistakes);
    },
  };
}

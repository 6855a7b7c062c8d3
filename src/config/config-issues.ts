import { Failure } from "../base/failure.ts";
import type { References } from "./config.ts";

/** Everything that is wrong with a configuration, each issue a failure with its file and line. */
export class ConfigIssues extends Failure {
  readonly issues: readonly Failure[];
  /** What can still be checked against the sections of the credentials files; absent: nothing. */
  readonly references: References | undefined;

  constructor(issues: readonly Failure[], references?: References) {
    super("CONFIG_INVALID", issues.map(({ message }) => message).join("\n"));
    this.issues = issues;
    this.references = references;
  }
}

/** Collects issues while the rest of the configuration is still being checked. */
export interface IssueSink {
  /** @param where `file:line`, or what else leads to the place; the same issue at the same place is kept once */
  add(where: string, message: string, hint?: string): void;
  readonly count: number;
}

/**
 * Collects issues until all are known.
 *
 * @param isHidden the file is not its reader's: an issue names its line and shows nothing of it
 * @returns a sink whose `throwIfAny` throws ConfigIssues, in the order of the file
 */
export function collectIssues(isHidden = false): IssueSink & { throwIfAny(references?: References): void } {
  const issues = new Map<string, { readonly line: number; readonly failure: Failure }>();
  return {
    add(where, message, hint) {
      const failure = isHidden
        ? new Failure(
            "CONFIG_INVALID",
            `${where}: this line is not valid (not shown: the file belongs to another user)`,
          )
        : new Failure("CONFIG_INVALID", `${where}: ${message}`, { hint });
      const line = Number(/:(\d+)$/.exec(where)?.[1] ?? 0);
      issues.set(`${where}: ${message}`, { line, failure });
    },
    get count() {
      return issues.size;
    },
    throwIfAny(references) {
      if (issues.size === 0) return;
      const inOrder = [...issues.values()].toSorted((a, b) => a.line - b.line).map(({ failure }) => failure);
      throw new ConfigIssues(inOrder, isHidden ? undefined : references);
    },
  };
}

import type { Failure } from "../base/failure.ts";
import { ConfigMistakes } from "../config/mistakes.ts";
import type { Output } from "../world.ts";

/*
 * The program's voice on standard error (after age's tui.go): every line begins with `rolefresh:`, no capital, no final
 * period; a hint stands on a line of its own and says what to type or look at next.
 */

/** Where messages go while a command runs. `quiet` drops all but errors, `verbose` lets the details through. */
export interface Reporter {
  error(failure: Failure): void;
  warning(message: string, hint?: string): void;
  detail(message: string): void;
}

export function openReporter(err: Output, options: { readonly quiet: boolean; readonly verbose: boolean }): Reporter {
  return {
    error: (failure) => err.write(renderFailure(failure)),
    warning: (message, hint) => {
      if (options.quiet) return;
      err.write(line("warning", message) + (hint === undefined ? "" : line("hint", hint)));
    },
    detail: (message) => {
      if (options.verbose) err.write(line("info", message));
    },
  };
}

/** A failure as lines: one `error` each, with its hint; a broken configuration shows all its mistakes. */
export function renderFailure(failure: Failure): string {
  const failures = failure instanceof ConfigMistakes ? failure.mistakes : [failure];
  return failures
    .map(({ message, hint }) => line("error", message) + (hint === undefined ? "" : line("hint", hint)))
    .join("");
}

/** A bug: what was thrown, with its stack and every cause. */
export function renderBug(error: unknown): string {
  const parts: string[] = [];
  for (let current = error, depth = 0; current !== undefined && depth < 5; depth++) {
    parts.push(current instanceof Error ? (current.stack ?? current.message) : "something that is no Error was thrown");
    current = current instanceof Error ? current.cause : undefined;
  }
  return `${line("error", "this is a bug in rolefresh, please report it with the lines below")}${parts.join("\ncaused by: ")}\n`;
}

function line(level: "error" | "warning" | "hint" | "info", message: string): string {
  return `rolefresh: ${level}: ${oneLine(message)}\n`;
}

/** A message is one line whatever a server or a file put into it: no control character reaches the terminal or the log. */
function oneLine(message: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return message.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}

import type { Failure } from "../base/failure.ts";
import { withoutSecrets } from "../base/printable.ts";
import { ConfigIssues } from "../config/config-issues.ts";
import type { Output, World } from "../base/world.ts";

/*
 * The program's voice on standard error (after age's tui.go): every line begins with `rolefresh:`, no capital, no final
 * period; a hint stands on a line of its own and says what to type or look at next.
 */

/** Where messages go while a command runs. `quiet` drops all but errors, `verbose` lets the details through. */
export interface Reporter {
  /** @param profile whose failure it is, for machines that read the log */
  error(failure: Failure, profile?: string): void;
  /** Anything that should be looked at; a failure is one that does no harm yet (`--lenient`). */
  warning(message: string, hint?: string): void;
  warning(failure: Failure, profile?: string): void;
  /** What a daemon's log should tell; a one-shot says nothing when all is well. */
  info(message: string): void;
  /** Only with `--verbose`. */
  detail(message: string): void;
}

/** How much is said, and in which form. */
export interface ReportOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly logFormat: "text" | "json";
}

/** A message's weight, the word behind `rolefresh: ` and the `level` of a JSON line. */
export type Level = "error" | "warning" | "hint" | "info";

/** One message before it has a form. */
interface Message {
  readonly level: Level;
  readonly text: string;
  readonly hint: string | undefined;
  readonly code: string | undefined;
  readonly profile: string | undefined;
}

/**
 * Says things on standard error: as lines for people, with systemd's priorities where the journal reads, or as JSON,
 * one object a line. Standard output is never touched: it belongs to what was asked for.
 */
export function openReporter({ err, now }: Pick<World, "err" | "now">, options: ReportOptions): Reporter {
  const write = (message: Message) =>
    err.write(options.logFormat === "json" ? toJsonLine(message, now()) : toLines(message, err));
  return {
    error: (failure, profile) => {
      for (const one of partsOf(failure)) write(messageOf("error", one, profile));
    },
    warning: (what: string | Failure, more?: string) => {
      if (options.quiet) return;
      if (typeof what === "string")
        write({ level: "warning", text: what, hint: more, code: undefined, profile: undefined });
      else for (const one of partsOf(what)) write(messageOf("warning", one, more));
    },
    info: (text) => {
      if (!options.quiet) write({ level: "info", text, hint: undefined, code: undefined, profile: undefined });
    },
    detail: (text) => {
      if (options.verbose) write({ level: "info", text, hint: undefined, code: undefined, profile: undefined });
    },
  };
}

/** A broken configuration shows all its issues. */
function partsOf(failure: Failure): readonly Failure[] {
  return failure instanceof ConfigIssues ? failure.issues : [failure];
}

function messageOf(level: Level, { message, hint, code }: Failure, profile: string | undefined): Message {
  return { level, text: message, hint, code, profile };
}

/** syslog's severities as sd-daemon(3) lets a service mark its lines. */
const PRIORITY: Readonly<Record<Level, number>> = { error: 3, warning: 4, hint: 5, info: 6 };

function toLines(message: Message, err: Pick<Output, "isJournal">): string {
  const line = (level: Level, text: string) =>
    `${err.isJournal ? `<${PRIORITY[level]}>` : ""}rolefresh: ${level}: ${oneLine(text)}\n`;
  return line(message.level, message.text) + (message.hint === undefined ? "" : line("hint", message.hint));
}

/** The fields are stable: `time`, `level`, `message`, `code`, `profile`, `hint`; absent ones are null. */
function toJsonLine({ level, text, hint, code, profile }: Message, now: Date): string {
  const fields = {
    time: now.toISOString(),
    level,
    message: oneLine(text),
    code,
    profile,
    hint: hint === undefined ? undefined : oneLine(hint),
  };
  return `${JSON.stringify(fields, (_, value: unknown) => value ?? null)}\n`;
}

/** A message is one line whatever a server or a file put into it: no control character and no secret reaches the terminal or the log. */
export function oneLine(message: string): string {
  const safe = withoutSecrets(message);
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return safe.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}

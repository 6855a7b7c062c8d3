import type { Failure } from "../base/failure.ts";
import { withoutSecrets } from "../base/printable.ts";
import { ConfigIssues } from "../config/config-issues.ts";
import type { Output, World } from "../base/world.ts";

// Messages on standard error: each line begins with `rolefresh:`, without capital or final period; a hint has its own line.

/** Where messages go while a command runs. `quiet` drops all but errors, `verbose` lets the details through. */
export interface Reporter {
  /** @param profile whose failure it is, for JSON */
  error(failure: Failure, profile?: string): void;
  /** A failure here does no harm yet (`--lenient`). */
  warning(message: string, hint?: string): void;
  warning(failure: Failure, profile?: string): void;
  /** For a daemon's log; a one-shot prints nothing when all is well. */
  info(message: string): void;
  /** Only with `--verbose`. */
  detail(message: string): void;
}

/** Which messages are printed, and how. */
export interface ReportOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly logFormat: "text" | "json";
}

/** The word after `rolefresh: ` and the `level` of a JSON line. */
export type MessageLevel = "error" | "warning" | "hint" | "info";

interface Message {
  readonly level: MessageLevel;
  readonly text: string;
  readonly hint: string | undefined;
  readonly code: string | undefined;
  readonly profile: string | undefined;
}

/**
 * Reports on standard error: text lines, with systemd's priorities where the journal reads, or one JSON object per line.
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

function messageOf(level: MessageLevel, { message, hint, code }: Failure, profile: string | undefined): Message {
  return { level, text: message, hint, code, profile };
}

/** syslog's severities as sd-daemon(3) lets a service mark its lines. */
const PRIORITY: Readonly<Record<MessageLevel, number>> = { error: 3, warning: 4, hint: 5, info: 6 };

function toLines(message: Message, err: Pick<Output, "isJournal">): string {
  const line = (level: MessageLevel, text: string) =>
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

/** The message on one line, without control characters and secrets. */
export function oneLine(message: string): string {
  const safe = withoutSecrets(message);
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return safe.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}

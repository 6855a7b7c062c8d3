import { Failure } from "../base/failure.ts";
import { shellWord } from "../base/shell-word.ts";
import { toCronFields } from "./interval.ts";
import { type ScheduledJob, wordsOf } from "./job.ts";

/** Our block of a crontab(5): the lines between two marks. */

const BEGIN = "# BEGIN rolefresh";
const END = "# END rolefresh";

/**
 * The block for a user's crontab. Nothing is left to cron's environment (HOME, PATH=/usr/bin:/bin, SHELL=/bin/sh), and no
 * variable is set on a line of its own: it would hold for the user's own lines further down.
 */
export function crontabBlock(job: ScheduledJob): string {
  return [
    `${BEGIN}: written by 'rolefresh schedule cron --install', removed by --uninstall; other lines are never touched`,
    "# Success prints nothing; failures are mailed to the user, or to the address of a line MAILTO=you@example.com above.",
    cronLine(job),
    END,
    "",
  ].join("\n");
}

/** One crontab line. A `%` is a newline to cron unless a backslash stands before it (crontab(5)). */
export function cronLine(job: ScheduledJob): string {
  const assignments = [...job.environment].map(([name, value]) => `${name}=${shellWord(value)}`);
  const command = [...assignments, ...wordsOf(job).map(shellWord)].join(" ");
  return `${toCronFields(job.interval)} ${command.replaceAll("%", "\\%")}`;
}

/**
 * A crontab with our block as given: in its old place, else at the end; taken out when `block` is undefined. Every other
 * byte stays (the text is Latin-1, so that bytes which are not UTF-8 survive).
 *
 * @throws Failure SCHEDULE_FOREIGN when the marks are not as they were written
 */
export function spliceCrontab(text: string, block: string | undefined): string {
  const lines = text.split(/(?<=\n)/);
  const begins = indexesOf(lines, BEGIN);
  const ends = indexesOf(lines, END);
  const [begin] = begins;
  const [end] = ends;
  if (begin === undefined && end === undefined) {
    if (block === undefined) return text;
    // crontab(5): a last line without a newline is refused, or worse, left out.
    return text + (text === "" || text.endsWith("\n") ? "" : "\n") + block;
  }
  if (begin === undefined || end === undefined || end < begin || begins.length > 1 || ends.length > 1) {
    throw new Failure("SCHEDULE_FOREIGN", `the lines '${BEGIN}' and '${END}' of the crontab do not match`, {
      hint: "remove the leftover lines with 'crontab -e', then run this again",
    });
  }
  return [...lines.slice(0, begin), block ?? "", ...lines.slice(end + 1)].join("");
}

function indexesOf(lines: readonly string[], mark: string): readonly number[] {
  return lines.flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === mark || trimmed.startsWith(`${mark}:`) ? [index] : [];
  });
}

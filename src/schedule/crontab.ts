import { Failure } from "../base/failure.ts";
import { shellWord } from "../base/shell-word.ts";
import { toCronFields } from "./interval.ts";
import { type ScheduledJob, wordsOf } from "./job.ts";

/** A crontab(5) and the lines of it that are ours: everything between the two marks, and no other. */

const BEGIN = "# BEGIN rolefresh";
const END = "# END rolefresh";

/**
 * The block for a user's crontab. Nothing is left to cron's environment (HOME, PATH=/usr/bin:/bin, SHELL=/bin/sh), and no
 * variable is set on a line of its own: it would hold for the user's own lines further down.
 */
export function crontabBlock(job: ScheduledJob): string {
  return [
    `${BEGIN}: written by 'rolefresh schedule cron --install', removed by --uninstall; other lines are never touched`,
    "# Success says nothing; a failure is mailed to the user, or where a line MAILTO=you@example.com above sends it.",
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
 * @throws Failure SCHEDULE_FOREIGN when the marks do not stand as they were written
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
    throw new Failure("SCHEDULE_FOREIGN", `the lines '${BEGIN}' and '${END}' of the crontab do not match each other`, {
      hint: "take the leftover lines out with 'crontab -e', then run this again",
    });
  }
  return [...lines.slice(0, begin), block ?? "", ...lines.slice(end + 1)].join("");
}

/** Whether our block stands in a crontab, whole or in parts. */
export function hasBlock(text: string): boolean {
  const lines = text.split(/(?<=\n)/);
  return indexesOf(lines, BEGIN).length + indexesOf(lines, END).length > 0;
}

function indexesOf(lines: readonly string[], mark: string): readonly number[] {
  return lines.flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === mark || trimmed.startsWith(`${mark}:`) ? [index] : [];
  });
}

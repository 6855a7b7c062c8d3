import { printable } from "../base/printable.ts";
import { type Colour, paint } from "../output/colour.ts";
import { counted, type Finding, type FindingLevel } from "./finding.ts";

/** Claims and paths may be long. */
const MAX_LINE = 2000;

const COLOURS: Readonly<Record<FindingLevel, Colour>> = { ok: "green", warning: "yellow", error: "red" };
const WIDTH = "warning".length;

/** A finding, and the name of its check. */
interface NamedFinding extends Finding {
  readonly check: string;
}

/** What scripts read. */
export function toJson(findings: readonly NamedFinding[]): string {
  const formatted = findings.map(({ check, level, profile, message, hint }) => ({
    check,
    level,
    profile: profile ?? null,
    message,
    hint: hint ?? null,
  }));
  return `${JSON.stringify({ findings: formatted })}\n`;
}

/**
 * One line per finding, its hint below it, and a summary.
 *
 * @param options.quiet only what is wrong; nothing at all when nothing is
 */
export function toText(
  findings: readonly NamedFinding[],
  options: { readonly colour: boolean; readonly quiet: boolean },
): string {
  const listed = options.quiet ? findings.filter(({ level }) => level !== "ok") : findings;
  const column = Math.max(...listed.map(({ check }) => check.length), 0);
  const lines = listed.map(({ check, level, profile, message, hint }) => {
    const about = profile === undefined ? "" : `[${profile}] `;
    const text = printable(`${about}${message}`, MAX_LINE);
    const line = `${options.colour ? paint(level.padEnd(WIDTH), COLOURS[level]) : level.padEnd(WIDTH)}  ${check.padEnd(column)}  ${text}\n`;
    return hint === undefined ? line : `${line}${" ".repeat(WIDTH + 2)}hint: ${printable(hint, MAX_LINE)}\n`;
  });
  if (options.quiet && listed.length === 0) return "";
  return `${lines.join("")}${summary(findings)}\n`;
}

/** `1 error, 2 warnings`. */
export function summary(findings: readonly Finding[]): string {
  const count = (level: FindingLevel) => findings.filter((found) => found.level === level).length;
  const errors = count("error");
  const warnings = count("warning");
  if (errors + warnings === 0) return "no errors, no warnings";
  return [errors > 0 ? counted(errors, "error") : "", warnings > 0 ? counted(warnings, "warning") : ""]
    .filter((part) => part !== "")
    .join(", ");
}

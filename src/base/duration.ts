/** Durations as people write them (`90s`, `25m`, `1h30m`) and as `status` shows them. */

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads a duration such as `90s`, `25m`, `1h30m` or `2d` (systemd's and Go's common subset; a bare number is refused
 * because nobody can tell its unit).
 *
 * @returns milliseconds, or undefined when the text is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(\d{1,9}[smhd]){1,4}$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, digits, unit] of trimmed.matchAll(/(\d+)([smhd])/g)) {
    total += Number(digits) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return total;
}

const pad = (value: number): string => String(value).padStart(2, "0");

/** A duration in milliseconds for people: `0s`, `59s`, `12m`, `1h05m`, `2d03h`; always rounded down. */
export function renderDuration(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const sign = ms < 0 && seconds > 0 ? "-" : "";
  if (seconds < 60) return `${sign}${seconds}s`;
  if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${sign}${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`;
  return `${sign}${Math.floor(seconds / 86_400)}d${pad(Math.floor((seconds % 86_400) / 3600))}h`;
}

/** An instant as it is written and printed everywhere: ISO 8601, UTC, `Z`, no fraction (DESIGN: `x_security_token_expires`). */
export function renderInstant(instant: Date): string {
  return instant.toISOString().replace(/\.\d{3}Z$/, "Z");
}

/**
 * Reads an instant in RFC 3339 with `Z` or an offset. Anything else (naive local times as aws-mfa and awsume write them,
 * unix numbers) is unknown rather than guessed.
 */
export function parseInstant(text: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  const ms = Date.parse(text.replace(" ", "T"));
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

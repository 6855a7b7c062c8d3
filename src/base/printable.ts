/** What others wrote (claims, a program's stderr), made fit for one line of a message. */

/**
 * The text on one line: control characters (ANSI sequences' ESC included), bidi overrides and line separators become
 * blanks, runs of blanks one blank, and what is longer than `limit` characters is cut.
 */
export function printable(text: string, limit = 120): string {
  const line = text
    // oxlint-disable-next-line no-control-regex -- they are what must go
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

/** Takes out anything that looks like a JWT or like a long secret, for text that a program wrote on stderr. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/\beyJ[\w-]*(\.[\w-]*)*/g, "[redacted]")
    .replace(/\bya29\.[\w.-]+/g, "[redacted]")
    .replace(/[A-Za-z0-9+/_=-]{40,}/g, "[redacted]");
}

/**
 * A server's words on one line, fit to be shown: no control characters, nothing that looks like a JWT, a key or a
 * session token, at most `limit` characters.
 */
export function redact(text: string, limit = 400): string {
  const clean = text
    .replace(/\beyJ[\w-]*(\.[\w-]*)*/g, "[redacted]")
    .replace(/\b(AKIA|ASIA)[A-Z0-9]{8,}/g, "$1[redacted]")
    // A secret key has 40 base64 characters. Words of a path in an ARN are shorter or hold a dash, colon or blank.
    .replace(/[A-Za-z0-9+/=]{40,}/g, "[redacted]");
  return printable(clean, limit);
}

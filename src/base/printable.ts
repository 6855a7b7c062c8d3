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

/** What is a secret wherever it stands, with what is shown instead. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // JWTs (RFC 7519: base64url of `{"`), Google's access tokens, GitHub's and GitLab's tokens by their prefixes.
  [/\beyJ[\w-]{4,}(\.[\w-]*)*/g, "[redacted]"],
  [/\bya29\.[\w.-]+/g, "[redacted]"],
  [/\b(gh[oprsu]_|github_pat_|glpat-)[\w-]{8,}/g, "[redacted]"],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*/g, "[redacted]"],
  // The user of a URL (RFC 3986 3.2.1), but not that of a hint.
  [/(\b[a-z][\w+.-]*:\/\/)(?!USER:PASSWORD@)[^\s/?#'"`]+@/gi, "$1[redacted]@"],
  [/\b(Bearer|Basic) +(?!\{)[\w+/=.~-]{8,}/gi, "$1 [redacted]"],
];

/** Names, for which the rule of length would take a long role's name for a key. */
const ARN = /\barn:[\w-]+:[\w-]*:[\w-]*:\d*:[\w+=,.@:/-]+/g;

/**
 * Takes out what is a secret wherever it stands. Every message passes through it (`Failure`, the reporter, doctor's findings): a
 * token that somebody pasted into the wrong place is not told to the log.
 */
export function withoutSecrets(text: string): string {
  return SECRETS.reduce((rest, [pattern, shown]) => rest.replaceAll(pattern, shown), text);
}

/**
 * Takes out also what may be a secret, from what others wrote (a server, a program, a value of the config): access key IDs, and
 * anything as long as a secret key, which has 40 base64 characters; the name of a variable stays.
 */
export function withoutSuspects(text: string): string {
  const clean = withoutSecrets(text);
  const names = clean.match(ARN) ?? [];
  const between = clean
    .split(ARN)
    .map((part) =>
      part
        .replaceAll(/\b(AKIA|ASIA)[A-Z0-9]{8,}/g, "$1[redacted]")
        .replaceAll(/(?![A-Z_]+\b)[A-Za-z0-9+/_=-]{40,}/g, "[redacted]"),
    );
  return between.map((part, index) => `${part}${names[index] ?? ""}`).join("");
}

/** What others wrote, without secrets, on one line of at most `limit` characters. */
export function redact(text: string, limit = 400): string {
  return printable(withoutSuspects(text), limit);
}

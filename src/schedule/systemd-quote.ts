/*
 * systemd.service(5), "Command lines": words are split at blanks and unquoted, `%` begins a specifier, `$` a variable.
 * Control characters never get here (the command refuses them).
 */

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A word of `ReadWritePaths=`, or the program in front of a command line: there `$` is an ordinary character. */
export function toPathWord(path: string): string {
  return quoted(path.replaceAll("%", "%%"));
}

/** A command line of `ExecStart=`. */
export function toCommandLine(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  return [toPathWord(program), ...rest.map((word) => toPathWord(word.replaceAll("$", "$$$$")))].join(" ");
}

/** An assignment of `Environment=`: always quoted, so that a blank in the value is part of it. */
export function toAssignment(name: string, value: string): string {
  const text = `${name}=${value}`.replaceAll("%", "%%");
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

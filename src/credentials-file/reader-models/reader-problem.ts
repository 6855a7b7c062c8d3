/** A line of a credentials file for which a reader loses the whole file, or the keys of some sections. */
export interface ReaderProblem {
  /** 1-based. */
  readonly line: number;
  readonly reader: string;
  /** Without capital or period; it shows nothing of a value. */
  readonly problem: string;
  /** The whole file, or the names of the sections whose keys the reader does not find. */
  readonly lost: "file" | readonly string[];
}

/** The keys that every SDK signs with; a section without one of them is of no use to it. */
export const SIGNING_KEYS: ReadonlySet<string> = new Set([
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
]);

/** What is between the first bracket and the next closing one: the name that people mean by a header. */
export function nameInBrackets(line: string): string | undefined {
  return /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim();
}

/** What is wrong with a line that begins like a header and is none to a reader. */
export function headerProblem(line: string): string {
  if (!line.includes("]")) return "a section header is not closed";
  return /^[^\]]*[#;]/.test(line) ? "'#' or ';' cuts the section header" : "text follows the section header";
}

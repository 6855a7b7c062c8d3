import type { Layout } from "./layout.ts";
import { CR, LF, lineAt } from "./lines.ts";

/** Something in a line that keeps a profile from being written. */
export interface Problem {
  readonly line: number;
  readonly problem: string;
  readonly hint: string;
}

/** What keeps every profile of the file from being written: a byte (GRAMMAR.md 8), or that it is no credentials file. */
export function fileProblem(layout: Layout): Problem | undefined {
  return badByte(layout.bytes) ?? foreignFormat(layout);
}

function badByte(bytes: Buffer): Problem | undefined {
  const nulAt = bytes.indexOf(0);
  if (nulAt !== -1) {
    return {
      line: lineAt(bytes, nulAt),
      problem: "the file contains a NUL byte",
      hint: "save it as UTF-8 (it may be in UTF-16), or delete the byte",
    };
  }
  let returnAt = bytes.indexOf(CR);
  while (returnAt !== -1 && bytes[returnAt + 1] === LF) returnAt = bytes.indexOf(CR, returnAt + 1);
  if (returnAt === -1) return undefined;
  return {
    line: lineAt(bytes, returnAt),
    problem: "a carriage return without a line feed ends a line for Python's readers but not for JavaScript's",
    hint: "end the lines of the file with LF or CRLF",
  };
}

/**
 * Why a file with content is not a credentials file: no line of it is a section header to any reader, or all of it is JSON,
 * where a line may look like one. A section appended to a Google key or to a CSV file would destroy it for its own readers.
 */
function foreignFormat({ bytes, hasBom, boundaries, firstContent }: Layout): Problem | undefined {
  if (!firstContent) return undefined;
  const start = hasBom ? 3 : 0;
  if (boundaries.length > 0 && !isJson(bytes, start)) return undefined;
  const line = firstContent.number;
  const first = firstContent.text.trim();
  if (/^\[[^\]{"]+$/.test(first))
    return { line, problem: "a section header is not closed", hint: "add the missing ']'" };
  if (/^aws_\w+\s*[=:]/.test(first)) {
    return {
      line,
      problem: "the file has keys before its first [section] header",
      hint: "add the missing [section] header above the first key",
    };
  }
  const format = formatOf(first, bytes.toString("utf8", start, start + HEAD));
  const problem =
    boundaries.length > 0
      ? `the file looks like ${format ?? "JSON"}`
      : `the file has no [section] header and ${format === undefined ? "does not look like a credentials file" : `looks like ${format}`}`;
  return { line, problem, hint: "check the path: rolefresh writes to credentials files only" };
}

/** What of a file is looked at to tell what it is. */
const HEAD = 4096;

/** `[1]` is JSON too, but a header: an array counts when it begins with another array or an object. */
function isJson(bytes: Buffer, start: number): boolean {
  if (!/^\s*(?:\{|\[\s*[{[])/.test(bytes.toString("utf8", start, start + HEAD))) return false;
  try {
    JSON.parse(bytes.toString("utf8", start));
    return true;
  } catch {
    return false;
  }
}

function formatOf(first: string, head: string): string | undefined {
  if (/^[{[]/.test(first)) {
    if (/"type"\s*:\s*"service_account"/.test(head)) return "a Google service account key (JSON)";
    if (/"type"\s*:\s*"(?:external_account|authorized_user)/.test(head)) return "a Google credentials file (JSON)";
    return "JSON";
  }
  if (first.startsWith("-----BEGIN ")) return "a PEM file";
  if (first.startsWith("<")) return "XML or HTML";
  if (/^eyJ[\w-]+\.eyJ/.test(first)) return "an identity token (JWT)";
  if (/^[^=]*access key id[^=]*,|,[^=]*access key id/i.test(first)) return "a CSV file of access keys";
  if (/^(?:export\s+)?[A-Z][A-Z0-9_]*=/.test(first)) return "a shell script";
  if (first === "---" || /^[\w-]+:(?:\s|$)/.test(first)) return "YAML";
  return undefined;
}

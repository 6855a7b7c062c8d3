import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Edit } from "../../src/credentials-file/edit.ts";
import { NEW_KEYS } from "./credentials-file-keys.ts";

/**
 * A file of `test/vectors`: one edit of one credentials file, and what is to come of it.
 *
 *     why this case exists
 *     profile: p
 *     edit: write                 (NEW_KEYS; write-without-facts: no principal, no expiry; remove)
 *     warned lines: 1 3           (of the file as it is then; left out for a refusal)
 *     --- before
 *     [p]
 *     --- after                   (or `--- unchanged`, or `--- refused` and the message)
 *     [p]
 *
 * Every line ends with LF unless a `\` is its last character. `\r \t \0 \\`, `\s` for a blank, `\xe9` for a byte and
 * `\u{feff}` for a character keep visible what an editor would hide or lose.
 */
export interface Vector {
  readonly name: string;
  readonly why: string;
  readonly profile: string;
  readonly edit: Edit;
  readonly warnedLines: readonly number[];
  readonly before: Buffer;
  readonly expected:
    | { readonly kind: "after"; readonly bytes: Buffer }
    | { readonly kind: "unchanged" }
    | { readonly kind: "refused"; readonly message: string };
}

const DIRECTORY = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../vectors/" : "../../../test/vectors/", import.meta.url),
);

export async function readVectors(): Promise<readonly Vector[]> {
  const names = (await readdir(DIRECTORY)).filter((name) => name.endsWith(".txt"));
  return await Promise.all(
    names
      .toSorted()
      .map(async (name) => parseVector(basename(name, ".txt"), await readFile(join(DIRECTORY, name), "utf8"))),
  );
}

function parseVector(name: string, text: string): Vector {
  const parts = /^(?<head>.*?\n)--- before\n(?<before>.*?)--- (?<kind>after|unchanged|refused)\n(?<rest>.*)$/s.exec(
    text,
  )?.groups;
  if (!parts) throw new Error(`vector ${name} is not well-formed`);
  const { head = "", before = "", kind, rest = "" } = parts;
  const [why = "", ...fields] = head.split("\n");
  const field = (key: string): string =>
    fields.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2) ?? "";
  return {
    name,
    why,
    profile: field("profile"),
    edit: editOf(name, field("edit")),
    warnedLines: (field("warned lines").match(/\d+/g) ?? []).map(Number),
    before: unescape(before),
    expected:
      kind === "after"
        ? { kind, bytes: unescape(rest) }
        : kind === "unchanged"
          ? { kind }
          : { kind: "refused", message: rest.trimEnd() },
  };
}

function editOf(name: string, text: string): Edit {
  if (text === "write") return { kind: "write", keys: NEW_KEYS };
  if (text === "write-without-facts")
    return { kind: "write", keys: { ...NEW_KEYS, principalArn: undefined, expiresAt: undefined } };
  if (text === "remove") return { kind: "remove" };
  throw new Error(`vector ${name} has no edit`);
}

const SIMPLE: Readonly<Record<string, string>> = { r: "\r", t: "\t", "0": "\0", s: " ", "\\": "\\", "\n": "" };

function unescape(text: string): Buffer {
  const pieces: Buffer[] = [];
  for (const [all, simple, byte, character] of text.matchAll(
    /\\(?:([rt0s\\\n])|x([0-9a-f]{2})|u\{([0-9a-f]+)\})|[^\\]+/g,
  )) {
    if (simple !== undefined) pieces.push(Buffer.from(SIMPLE[simple] ?? ""));
    else if (byte !== undefined) pieces.push(Buffer.from([Number.parseInt(byte, 16)]));
    else pieces.push(Buffer.from(character === undefined ? all : String.fromCodePoint(Number.parseInt(character, 16))));
  }
  return Buffer.concat(pieces);
}

import { MANAGED_KEYS } from "../../src/credentials-file/managed.ts";
import type { Chance } from "./chance.ts";
import { mutate } from "./mutate.ts";

/** Credentials files as people, other tools and attackers leave them: every trap of the readers' grammars. */

export const NAMES = [
  "default",
  "p",
  "q",
  "r.s",
  "x@y/z",
  "a b",
  "pr\u00e9",
  "p;q",
  "profile p",
  "P",
  "a-b_c:d+e%f",
] as const;

const KEYS = [
  ...MANAGED_KEYS,
  ...MANAGED_KEYS,
  "AWS_Access_Key_Id",
  "AWS_SESSION_TOKEN",
  "region",
  "s3",
  "role_arn",
  "credential_process",
  "aws_access_key_id_old",
  "x aws_access_key_id",
  "expiration",
  "a[]",
] as const;

const VALUES = [
  "ASIAXXXXXXXXXXXXXXXX",
  "AKIAXXXXXXXXXXXXXXXX",
  "se/cr+et=",
  "a b",
  "",
  "",
  '"q"',
  "'q'",
  "`q`",
  "x # c",
  "x ; c",
  "x\t#c",
  "a=b:c",
  "\u00e9",
  "x;y",
  "#",
  "rolefresh",
  "saml2aws",
  "\u2028",
  "2026-11-23T10:00:00Z",
  "%(x)s",
  "$HOME",
  "\\",
  "x \\",
  "[p]",
  "aws_access_key_id = nested",
] as const;

const INDENTS = [
  "",
  "",
  "",
  "",
  "",
  "",
  " ",
  "  ",
  "\t",
  "    ",
  "\u00a0",
  "\u000c",
  "\u0085",
  "\ufeff",
  "\u001f",
  "\u3000",
] as const;
const TAILS = ["", "", "", "", " ", " # c", " ; c", " junk", "; x", "#x", " # [p]", "]", "\t"] as const;
const ODDITIES = [
  "[p",
  "[ p ]",
  "[p]q]",
  "[]",
  "[[p]]",
  "[q]=[r]",
  "[p] = x",
  "junk",
  "= x",
  ": y",
  "x[] = 1",
  "rem x",
  "[DEFAULT]",
  "[__proto__]",
  "[constructor]",
  "[profile p]",
  "\u2028[p]",
  "x = \u0085[p]",
  "[p\u0000]",
  "[p]\u2028aws_access_key_id = x",
] as const;

function line(chance: Chance): string {
  return chance.weighted([
    [
      6,
      () =>
        `${chance.pick(INDENTS)}${chance.pick(KEYS)}${chance.pick([" = ", " = ", "=", ": ", " =", " : ", ":"])}${chance.pick(VALUES)}`,
    ],
    [3, () => `${chance.pick(INDENTS)}[${chance.pick(NAMES)}]${chance.pick(TAILS)}`],
    [2, () => chance.pick(["", "", " ", "\t"])],
    [1, () => `${chance.pick(INDENTS)}${chance.pick(["# c", "; c", "#[p]", "#", ";aws_access_key_id = x"])}`],
    [1, () => `${chance.pick(INDENTS)}${chance.pick(ODDITIES)}`],
  ]);
}

function ugly(chance: Chance): Buffer {
  const ends = chance.pick([["\n"], ["\n"], ["\r\n"], ["\n", "\n", "\r\n"], ["\n", "\n", "\n", "\n", "\r"]]);
  const lines = chance.many(16, () => line(chance) + chance.pick(ends));
  return Buffer.concat([
    Buffer.from(chance.oneIn(12) ? "\ufeff" : ""),
    chance.oneIn(12) ? Buffer.from("# caf\u00e9\n", "latin1") : Buffer.alloc(0),
    Buffer.from(lines.join("") + chance.pick(["", "", "region = x", "[p]", "# end"])),
  ]);
}

/** Files that can mostly be written: sections once, keys once, plain lines. */
function decent(chance: Chance): Buffer {
  const eol = chance.oneIn(3) ? "\r\n" : "\n";
  const lines: string[] = [];
  for (const name of NAMES) {
    if (!chance.oneIn(2)) continue;
    lines.push(`[${name}]${chance.oneIn(6) ? " # note" : ""}`);
    const indent = chance.oneIn(12) ? " " : "";
    for (const key of new Set(chance.many(7, () => chance.pick(KEYS))))
      lines.push(`${indent}${key} = ${chance.pick(VALUES)}`);
    if (chance.oneIn(4)) lines.push("s3 =", "  max_concurrent_requests = 20", "\taws_access_key_id = nested");
    if (chance.oneIn(3)) lines.push(chance.pick(["", "# about the next", "; c", "  # indented"]));
  }
  return Buffer.from(lines.join(eol) + (chance.oneIn(4) ? "" : eol));
}

/** Files that hold nothing but what strict readers take: nearly all of them can be written. */
function tidy(chance: Chance): Buffer {
  const lines = NAMES.filter(() => chance.oneIn(2)).flatMap((name) => [
    `[${name}]`,
    ...[...new Set(chance.many(6, () => chance.pick(MANAGED_KEYS)))].map((key) => `${key} = ASIA${chance.below(1e6)}`),
    ...(chance.oneIn(2) ? ["region = eu-west-1"] : []),
    ...(chance.oneIn(2) ? [""] : []),
  ]);
  return Buffer.from(lines.map((text) => `${text}\n`).join(""));
}

export function credentialsBytes(chance: Chance): Buffer {
  return chance.weighted([
    [4, () => ugly(chance)],
    [4, () => decent(chance)],
    [2, () => tidy(chance)],
    [3, () => mutate(decent(chance), chance)],
    [2, () => mutate(tidy(chance), chance)],
    [1, () => mutate(ugly(chance), chance)],
    [1, () => Buffer.from(chance.many(120, () => chance.below(256)))],
  ]);
}

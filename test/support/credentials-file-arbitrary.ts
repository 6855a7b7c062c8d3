import { fc } from "./property.ts";

const MANAGED = [
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
  "aws_security_token",
  "x_principal_arn",
  "x_security_token_expires",
  "manager",
];
export const PROFILES = ["p", "q", "r.s", "x@y/z", "a b", "pré"] as const;

const indentation = fc.oneof(
  { weight: 8, arbitrary: fc.constant("") },
  { weight: 3, arbitrary: fc.constantFrom(" ", "  ", "\t", "    ") },
  { weight: 1, arbitrary: fc.constantFrom("\u00a0", "\u000c", "\u0085", "\ufeff", "\u001f") },
);
const key = fc.constantFrom(...MANAGED, "AWS_Access_Key_Id", "region", "s3", "role_arn", "aws_access_key_id_old");
const value = fc.constantFrom(
  "ASIAX",
  "se/cr+et=",
  "a b",
  "",
  '"q"',
  "x # c",
  "x ; c",
  "a=b:c",
  "é",
  "x;y",
  "rolefresh",
  "\u2028",
);
const option = fc
  .tuple(indentation, key, fc.constantFrom(" = ", "=", ": ", " =", " : "), value)
  .map((parts) => parts.join(""));
const header = fc
  .tuple(
    indentation,
    fc.constantFrom(...PROFILES, "DEFAULT", "other"),
    fc.constantFrom("", "", "", " ", " # c", " ; c", " junk", "; x", " # [p]"),
  )
  .map(([indent, name, tail]) => `${indent}[${name}]${tail}`);
const oddity = fc.constantFrom(
  "[p",
  "[ p ]",
  "[p]q]",
  "[]",
  "[[p]]",
  "[q]=[r]",
  "junk",
  "= x",
  ": y",
  "x[] = 1",
  "rem x",
);
const comment = fc.tuple(indentation, fc.constantFrom("# c", "; c", "#[p]", "#")).map((parts) => parts.join(""));
const blank = fc.constantFrom("", "", " ", "\t");
const line = fc.oneof(
  { weight: 5, arbitrary: option },
  { weight: 3, arbitrary: header },
  { weight: 2, arbitrary: blank },
  { weight: 1, arbitrary: comment },
  { weight: 1, arbitrary: oddity },
);
const plainLine = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(key, value).map(([k, v]) => `${k} = ${v}`) },
  { weight: 2, arbitrary: fc.constantFrom("", "# c", "; c", "\tx = y", "region = z") },
);

/** Any text: nothing that looks like a file in particular. */
const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** Files as ugly as people and other tools leave them: every trap of GRAMMAR.md, mixed line ends, odd bytes. */
const ugly = fc
  .record({
    lines: fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\n", "\r\n")), { maxLength: 16 }),
    bom: fc.constantFrom("", "", "", "\ufeff"),
    tail: fc.constantFrom("", "", "region = x", "[p]"),
    odd: fc.boolean(),
  })
  .map(({ lines, bom, tail, odd }) =>
    Buffer.concat([
      Buffer.from(bom),
      ...(odd ? [Buffer.from("# caf\u00e9\n", "latin1")] : []),
      Buffer.from(lines.flat().join("") + tail),
    ]),
  );

/** Files that can mostly be written. */
const decent = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom(...PROFILES, "other"), { minLength: 1 }),
    fc.array(fc.array(plainLine, { maxLength: 6 }), { minLength: 8, maxLength: 8 }),
    fc.constantFrom("\n", "\r\n"),
    fc.boolean(),
  )
  .map(([names, bodies, eol, final]) => {
    const text = names.map((name, at) => [`[${name}]`, ...(bodies[at] ?? [])].join(eol)).join(eol);
    return Buffer.from(final ? text + eol : text);
  });

export const credentialsFile = fc.oneof(
  { weight: 4, arbitrary: ugly },
  { weight: 4, arbitrary: decent },
  { weight: 1, arbitrary: noise },
);

import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { suite, test } from "node:test";

import { MODELLED_READERS, readerProblems } from "../../src/credentials-file/reader-models/problems.ts";
import { readVectors } from "../support/credentials-file-vector.ts";

/** What a text costs each reader: `Java v2:3:file`, `C++:2:p`. */
function costs(text: string | Buffer): readonly string[] {
  const bytes = Buffer.from(text);
  return readerProblems(bytes.toString("utf8"), isUtf8(bytes)).map(
    ({ reader, line, lost }) => `${reader}:${line}:${lost === "file" ? lost : lost.join("+")}`,
  );
}

const MODERN = (line: number) => [`Java v2:${line}:file`, `Rust:${line}:file`, `the CRT:${line}:file`];

/**
 * What each file of the corpus costs: the CRT (aws-crt 1.33), Java v1's rules and PHP as found by running them over it, the
 * others by their sources (named in each model). A file that is not listed costs nobody anything that the editor does not refuse.
 */
const CORPUS: Readonly<Record<string, readonly string[]>> = {
  bom: ["Java v1:1:file", ...MODERN(1), "C++:1:p", "Ruby v3:1:p"],
  "colon-sep": ["Java v1:2:file", ...MODERN(2), "C++:2:p", ".NET:2:file"],
  "comments-between": ["Java v1:5:file"],
  continuation: ["Java v2:5:p", "Rust:5:p", "the CRT:5:p"],
  "dup-key": ["Java v1:3:file", ".NET:3:p"],
  "header-comment": ["Java v1:1:file", ".NET:1:file"],
  "header-indented": [...MODERN(1), "Ruby v3:1:p", "PHP:1:file"],
  "header-trailing-junk": ["Java v1:1:file", "Java v2:1:file", "Rust:1:file", "C++:1:p", ".NET:1:file", "Ruby v3:1:p"],
  "indented-comment": MODERN(2),
  "indented-keys": [...MODERN(2), "Ruby v3:2:file"],
  "name-bracket": ["C++:1:p", "Ruby v3:1:p"],
  "no-sep-line": ["Java v1:2:file", ...MODERN(2), "C++:2:p", ".NET:2:file"],
  "unclosed-header": ["Java v1:1:file", ...MODERN(1), "C++:2:file", ".NET:1:file"],
};

const KEYS = "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\n";

const files: readonly (readonly [string, string, readonly string[]])[] = [
  ["a nested block", `[p]\ns3 =\n  max_queue_size = 1\n${KEYS}`, []],
  [
    "a nested block with a line of text",
    `[p]\n${KEYS}s3 =\n  text\n`,
    ["Java v1:6:file", ...MODERN(6), "C++:6:p", ".NET:6:file"],
  ],
  ["a comment in a nested block", `[p]\n${KEYS}s3 =\n  a = b\n  # c\n`, MODERN(7)],
  ["an indented comment below a key that signs", `[p]\n${KEYS}  # mine\n`, ["Java v2:5:p", "Rust:5:p", "the CRT:5:p"]],
  ["a header with ;", "[a;b]\nk = v\n", MODERN(1)],
  ["a header with #", "[a#b]\nk = v\n", MODERN(1)],
  ["a header with =", `[a=b]\nk = v\n`, [".NET:1:a=b"]],
  ["a comment behind a header", `[p] # why = x\n${KEYS}`, ["Java v1:1:file", ".NET:1:p"]],
  ["brackets in a value", `[p]\nx = a [b]\n${KEYS}`, ["C++:2:p"]],
  ["brackets in a value below the keys", `[p]\n${KEYS}x = a [b]\n[q]\n${KEYS}`, []],
  [
    "a line without = in the second section",
    `[p]\n${KEYS}[q]\ntext\n${KEYS}[r]\nk = v\n`,
    ["Java v1:6:file", ...MODERN(6), "C++:6:q+r", ".NET:6:file"],
  ],
  [
    "indented keys below one at the margin",
    `[p]\nregion = x\n  aws_access_key_id = ASIAX\n`,
    ["Java v2:3:p", "Rust:3:p", "the CRT:3:p", "Ruby v3:3:p"],
  ],
  ["the same key in another case", `[p]\n${KEYS}AWS_SESSION_TOKEN = t\n`, [".NET:5:p"]],
  [
    "a section whose name Java v2 passes over",
    `[a b]\n  indented\n${KEYS}`,
    ["Java v1:2:file", "Rust:2:file", "the CRT:2:file", "C++:2:a b", ".NET:2:file"],
  ],
  ["a key before the first section", "k = v\n", ["Java v1:1:file", ...MODERN(1), "C++:1:file"]],
  ["a line without a key", `[p]\n= v\n${KEYS}`, MODERN(2)],
  [
    "an odd key with an indented line",
    `[p]\na b = v\n  more\n${KEYS}`,
    ["Java v1:3:file", "the CRT:3:file", "C++:3:p", ".NET:3:file"],
  ],
  ["nothing", "", []],
  ["comments alone", "# a\n; b = c\n", ["Java v1:2:file"]],
];

suite("the models of readers", () => {
  test("cost of each file of the corpus", async () => {
    const corpus = (await readVectors()).filter(({ name }) => name.startsWith("corpus-"));
    assert.ok(corpus.length >= 30);
    for (const { name, before } of corpus) {
      const short = name.replace(/^corpus-|\.txt$/g, "");
      assert.deepEqual(costs(before), CORPUS[short] ?? [], short);
    }
  });

  for (const [what, text, expected] of files) {
    test(`cost of ${what}`, () => {
      assert.deepEqual(costs(text), expected);
      assert.deepEqual(costs(text.replaceAll("\n", "\r\n")), expected, "with CRLF");
    });
  }

  test("bytes that are not UTF-8 cost Rust the file", () => {
    assert.deepEqual(costs(Buffer.from("[p]\nk = \xe9\n", "latin1")), ["Rust:1:file"]);
  });

  test("what is written costs nobody more than what was there", async () => {
    for (const { name, before, expected } of await readVectors()) {
      // A byte order mark is there whatever is written below it.
      if (expected.kind !== "after" || before.toString("utf8").startsWith("\uFEFF")) continue;
      const kinds = (bytes: Buffer) =>
        new Set(
          readerProblems(bytes.toString("utf8"), isUtf8(bytes)).map(({ reader, problem }) => `${reader}: ${problem}`),
        );
      const was = kinds(before);
      assert.deepEqual(
        [...kinds(expected.bytes)].filter((kind) => !was.has(kind)),
        [],
        name,
      );
    }
  });

  test("every model has a name of its own, and shows nothing of a value", async () => {
    const texts = [
      "sesame = 1\n",
      "[p]\nsesame\n",
      "[p]\nk = sesame\nK = sesame\n",
      "[p]\n  sesame = sesame\n",
      "[p]\nk = [sesame]\n",
    ];
    for (const text of texts)
      for (const { reader, problem } of readerProblems(text, true)) {
        assert.ok(MODELLED_READERS.some((name) => name === reader));
        assert.doesNotMatch(problem, /sesame/);
      }
  });
});

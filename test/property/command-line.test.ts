import assert from "node:assert/strict";
import { test } from "node:test";

import { Failure } from "../../src/base/failure.ts";
import { COMMANDS, DEFAULT_COMMAND } from "../../src/command-line/commands.ts";
import { helpParser } from "../../src/command-line/help.ts";
import type { Invocation } from "../../src/command-line/invocation.ts";
import { optionsOf } from "../../src/command-line/parse.ts";
import { readInvocation, toInvocation } from "../../src/command-line/to-invocation.ts";
import { fc } from "../support/property.ts";

const OPTIONS = [...new Set(COMMANDS.flatMap(optionsOf).map(({ name }) => `--${name}`))];

const word = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom("90s", "2d", "0", "12", "a.b", "x@y/z", "ls", "cron", "bash", "json", "true"),
  },
  { weight: 3, arbitrary: fc.constantFrom(...OPTIONS) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...OPTIONS)
      .chain((name) => fc.string({ maxLength: 4 }).map((text) => `${name}=${text}`)),
  },
  { weight: 1, arbitrary: fc.constantFrom("-q", "-v", "-f", "-n", "-qv", "-fn", "--", "--role-arn", "--config") },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);

/** What yargs makes of the same table; undefined where it refuses. */
async function ofYargs(argv: readonly string[]): Promise<Invocation | undefined> {
  const { error, found } = await new Promise<{ error: unknown; found: Readonly<Record<string, unknown>> }>(
    (resolve) => {
      void helpParser([], 100).parse([...argv], {}, (refusal: unknown, parsed: object) => {
        resolve({ error: refusal, found: { ...parsed } });
      });
    },
  );
  const [first] = listOf(found["_"]);
  const command = COMMANDS.find(({ name }) => name === first) ?? DEFAULT_COMMAND;
  if (error !== undefined && error !== null) return undefined;
  const names = new Set(optionsOf(command).map(({ name }) => name));
  const values = Object.entries(found).filter(([name, value]) => names.has(name) && value !== undefined);
  const words = command.positionals.flatMap(({ name }) => listOf(found[name]));
  const at = argv.indexOf("--");
  const hasCommandLine = command.name === "exec";
  try {
    return readInvocation({
      command,
      values: new Map(values.map(([name, value]) => [name, listOf(value)])),
      words: words.map(String),
      commandLine: hasCommandLine && at !== -1 ? listOf(found["--"]).map(String) : undefined,
      isMixed: hasCommandLine && !words.every((one, index) => one === argv[argv.length - words.length + index]),
    });
  } catch (failure) {
    assert.ok(failure instanceof Failure, String(failure));
    return undefined;
  }
}

function listOf(value: unknown): readonly (string | boolean)[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === "string" || typeof one === "boolean");
}

test("a command line that yargs accepts too means the same to both", async () => {
  let accepted = 0;
  const names = COMMANDS.map(({ name }) => name);
  const lines = fc.tuple(fc.constantFrom("", ...names), fc.array(word, { maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(lines, async ([name, rest]) => {
      const argv = name === "" ? rest : [name, ...rest];
      // yargs drops a lone dash, and what follows `--` where no other command is run.
      fc.pre(!argv.includes("-") && (name === "exec" || !argv.includes("--")));
      let ours: Invocation;
      try {
        ours = toInvocation(argv);
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === "USAGE", String(error));
        return;
      }
      if (ours.kind === "help" || ours.kind === "version") return;
      const theirs = await ofYargs(argv);
      if (!theirs) return;
      accepted++;
      assert.deepEqual(ours, theirs);
    }),
    { numRuns: 400 },
  );
  assert.ok(accepted > 40, `only ${accepted} command lines were accepted by both`);
});

test("an option of one name is of one kind in every command", () => {
  const kinds = new Map<string, string>();
  for (const { name, letter = "", value } of COMMANDS.flatMap(optionsOf)) {
    const kind = `${letter} ${value === undefined ? "flag" : "value"}`;
    assert.equal(kinds.get(name) ?? kind, kind, `--${name}`);
    kinds.set(name, kind);
  }
});

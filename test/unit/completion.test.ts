import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { COMMAND_LINES } from "../../src/command-line/args.ts";
import { describeCommands, describeGlobalOptions } from "../../src/command-line/command-table.ts";
import { complete, type CompletionTable } from "../../src/completion/complete.ts";

const TABLE: CompletionTable = {
  commands: describeCommands(),
  globalOptions: describeGlobalOptions(),
  values: new Map([
    ["identity", ["gcp-metadata", "gcloud", "file"]],
    ["shell", ["bash", "zsh", "fish"]],
  ]),
};

/** The answer in short: the values, then what else is asked for. */
function answer(...words: readonly string[]): readonly string[] {
  const { words: values, also } = complete(words, TABLE);
  return [...values.map(({ value }) => value), ...(also === undefined ? [] : [`<${also}>`])];
}

suite("the command table", () => {
  test("has every command, with what its help says", () => {
    assert.equal(TABLE.commands.length, COMMAND_LINES.length);
    for (const { name, describe, synopsis } of TABLE.commands) {
      assert.match(name, /^[a-z-]+$/);
      assert.notEqual(describe, "");
      assert.ok(synopsis.startsWith(`rolefresh ${name}`), synopsis);
    }
  });

  test("knows each option's letter, value, choices and words", () => {
    const refresh = TABLE.commands.find(({ isDefault }) => isDefault);
    assert.equal(refresh?.name, "refresh");
    const force = refresh.options.find(({ name }) => name === "force");
    assert.equal(force?.alias, "f");
    assert.equal(force.takesValue, false);
    const format = TABLE.globalOptions.find(({ name }) => name === "log-format");
    assert.deepEqual([format?.takesValue, format?.choices, format?.default], [true, ["text", "json"], "text"]);
    const all = [...TABLE.globalOptions, ...TABLE.commands.flatMap(({ options }) => options)];
    for (const { name, describe } of all) assert.notEqual(describe, "", `--${name} says what it is`);
  });
});

suite("complete", () => {
  test("the first word is a command or a profile", () => {
    assert.deepEqual(answer("re"), ["refresh", "remove", "<profiles>"]);
    assert.ok(answer("").includes("exec"));
  });

  test("after a command that takes profiles come profiles, as many as one likes", () => {
    assert.deepEqual(answer("refresh", ""), ["<profiles>"]);
    assert.deepEqual(answer("refresh", "a", ""), ["<profiles>"]);
    assert.deepEqual(answer("a", ""), ["<profiles>"], "the default command");
    assert.deepEqual(answer("credential-process", "a", ""), [], "which takes one");
    assert.deepEqual(answer("remove", ""), ["<written>"]);
  });

  test("options of the command and the global ones, each once", () => {
    assert.deepEqual(answer("refresh", "--fo"), ["--force"]);
    assert.deepEqual(answer("refresh", "--force", "--fo"), []);
    assert.deepEqual(answer("refresh", "-f", "--fo"), [], "by its letter too");
    assert.deepEqual(answer("status", "--fo"), []);
    assert.deepEqual(answer("status", "--ver"), ["--verbose", "--version"]);
  });

  test("values of an option, in both ways of writing it", () => {
    assert.deepEqual(answer("--log-format", ""), ["text", "json"]);
    assert.deepEqual(answer("--log-format", "j"), ["json"]);
    assert.deepEqual(answer("--log-format=j"), ["--log-format=json"]);
    assert.deepEqual(answer("refresh", "--identity", "gc"), ["gcp-metadata", "gcloud"]);
    assert.deepEqual(answer("--config", "x"), ["<files>"]);
    assert.deepEqual(answer("--timeout", ""), []);
  });

  test("a word after an option's value is what it is without the option", () => {
    assert.deepEqual(answer("--config", "x", "ref"), ["refresh", "<profiles>"]);
    assert.deepEqual(answer("--config=x", "status", ""), ["<profiles>"]);
  });

  test("positionals with fixed words", () => {
    assert.deepEqual(answer("completion", "z"), ["zsh"]);
    assert.deepEqual(answer("completion", "zsh", ""), []);
  });

  test("exec: a profile, then --, then a command line of its own", () => {
    assert.deepEqual(answer("exec", ""), ["<profiles>"]);
    assert.deepEqual(answer("exec", "a", ""), ["--"]);
    assert.deepEqual(answer("exec", "a", "--", "l"), ["<command>"]);
    assert.deepEqual(answer("exec", "a", "--", "ls", "--all"), ["<command>"]);
  });
});

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { GLOBAL_SWITCHES } from "../../src/base/global-options.ts";
import { COMMANDS, DEFAULT_COMMAND } from "../../src/command-line/commands.ts";
import { GLOBAL_OPTIONS } from "../../src/command-line/options.ts";
import { optionsOf } from "../../src/command-line/parse.ts";
import { complete } from "../../src/completion/complete.ts";

/** The answer in short: the values, then what else is asked for. */
function answer(...words: readonly string[]): readonly string[] {
  const { words: values, also } = complete(words);
  return [...values.map(({ value }) => value), ...(also === undefined ? [] : [`<${also}>`])];
}

suite("the command table", () => {
  test("has every command, with what its help says", () => {
    for (const { name, describe, synopsis, positionals } of COMMANDS) {
      assert.match(name, /^[a-z-]+$/);
      for (const text of [describe, ...positionals.map((positional) => positional.describe)]) assert.notEqual(text, "");
      assert.ok(synopsis.startsWith(name), synopsis);
    }
  });

  test("knows each option's letter, value, choices and words", () => {
    assert.equal(DEFAULT_COMMAND.name, "refresh");
    const force = optionsOf(DEFAULT_COMMAND).find(({ name }) => name === "force");
    assert.deepEqual([force?.letter, force?.value], ["f", undefined]);
    const switches = GLOBAL_OPTIONS.filter(({ value }) => value === undefined).map(({ name, letter }) => [
      name,
      letter,
    ]);
    assert.deepEqual(Object.fromEntries(switches), { ...GLOBAL_SWITCHES, help: "h", version: "V" });
    const format = GLOBAL_OPTIONS.find(({ name }) => name === "log-format");
    assert.deepEqual([format?.value, format?.choices, format?.default], ["text|json", ["text", "json"], "text"]);
    for (const { name, describe } of COMMANDS.flatMap(optionsOf))
      assert.notEqual(describe, "", `--${name} says what it is`);
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
    assert.deepEqual(answer("refresh", "--identity", "gc"), ["gcp-metadata", "gcp-adc", "gcloud"]);
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

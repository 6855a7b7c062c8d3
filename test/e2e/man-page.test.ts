import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { COMMANDS } from "../../src/command-line/commands.ts";
import { renderManPage } from "../../src/command-line/man-page.ts";
import { GLOBAL_OPTIONS, INLINE_OPTIONS } from "../../src/command-line/options.ts";
import { CONFIG_KEYS } from "../../src/config/keys.ts";
import { type RunResult, runProgram } from "../support/run-bin.ts";
import { toolMissing } from "../support/tool.ts";

/** Runs a reader of manual pages on ours. */
async function read(program: string, args: readonly string[]): Promise<RunResult> {
  const folder = await mkdtemp(join(tmpdir(), "rolefresh-man-"));
  try {
    const page = join(folder, "rolefresh.1");
    await writeFile(page, renderManPage());
    const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", MANWIDTH: "200", MAN_KEEP_FORMATTING: "" };
    return await runProgram(program, [...args, page], { env });
  } finally {
    await rm(folder, { recursive: true });
  }
}

suite("the manual page", () => {
  test("man renders it without a warning, with every command, option, key and exit status", async (t) => {
    const missing = toolMissing("man", ["--version"]);
    if (missing !== undefined) return t.skip(missing);
    const { code, stdout, stderr } = await read("man", ["--warnings", "-E", "ascii", "-P", "cat", "-l"]);
    assert.deepEqual([code, stderr], [0, ""]);
    // Overstrikes make bold.
    // oxlint-disable-next-line no-control-regex -- backspaces are what is taken out
    const text = stdout.replaceAll(/.\u0008/g, "");
    for (const { name, groups } of COMMANDS) {
      assert.match(text, new RegExp(`^   rolefresh ${name}`, "m"));
      for (const { options } of groups.filter((group) => group.options !== INLINE_OPTIONS))
        for (const option of options) assert.match(text, new RegExp(`^ +(-\\w, )?--${option.name}\\b`, "m"));
    }
    for (const { name } of GLOBAL_OPTIONS) assert.match(text, new RegExp(`^ +(-\\w, )?--${name}\\b`, "m"));
    for (const { name, value } of CONFIG_KEYS) assert.ok(text.includes(`${name} = ${value}`), name);
    for (const status of ["0", "64", "65", "66", "69", "70", "73/74", "75", "76", "77", "78"])
      assert.match(text, new RegExp(`^ +${status} `, "m"));
  });

  test("mandoc finds nothing to mend in it but the date, which would change with every build", async (t) => {
    const missing = toolMissing("mandoc", ["-Tlint", "/dev/null"]);
    if (missing?.includes("not installed")) return t.skip(missing);
    const { stdout } = await read("mandoc", ["-Tlint", "-Wwarning"]);
    const found = stdout.split("\n").filter((line) => line !== "" && !line.includes("missing date"));
    assert.deepEqual(found, []);
  });

  test("is the same each time it is made", () => {
    assert.equal(renderManPage(), renderManPage());
  });
});

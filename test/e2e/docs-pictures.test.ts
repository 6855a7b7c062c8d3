import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

import { DOMParser } from "@xmldom/xmldom";

import { BIN, runProgram } from "../support/run-bin.ts";
import { tempHome } from "../support/temp-home.ts";
import { toolMissing } from "../support/tool.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const noTmux = process.env["TEST_BIN"] === undefined ? toolMissing("tmux", ["-V"]) : "draws with the unbundled program";

/** The words of a picture, line by line, without their places and colours. */
function wordsOf(svg: string): readonly string[] {
  const { documentElement } = new DOMParser().parseFromString(svg, "image/svg+xml");
  return [...(documentElement?.getElementsByTagName("text") ?? [])].map((line) => line.textContent?.trim() ?? "");
}

suite("the pictures in README.md", () => {
  test("are what the program shows today (else: scripts/record-terminal)", { skip: noTmux ?? false }, async () => {
    await using home = await tempHome();
    const build = relative(root, dirname(dirname(BIN)));
    const env = { HOME: home.path, PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, BUILD_DIR: build };
    const drawn = await runProgram("/bin/sh", [join(root, "scripts/record-terminal"), home.path], { env });
    assert.equal(drawn.code, 0, drawn.stderr);
    for (const name of ["refresh.svg", "status.svg", "doctor.svg"]) {
      const kept = wordsOf(await readFile(join(root, "docs/images", name), "utf8"));
      const now = wordsOf(await home.read(name));
      if (name !== "doctor.svg") {
        assert.deepEqual(now, kept, name);
        continue;
      }
      // What doctor finds is the machine's own, a timer for example; what it looks at is not.
      const checks = (lines: readonly string[]) =>
        new Set(lines.flatMap((line) => /^(?:ok|warning|error) +([a-z-]+) /.exec(line)?.[1] ?? []));
      assert.deepEqual(checks(now), checks(kept), name);
    }
  });
});

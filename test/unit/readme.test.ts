import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { COMMANDS } from "../../src/command-line/commands.ts";
import { GLOBAL_OPTIONS } from "../../src/command-line/options.ts";
import { CONFIG_KEYS } from "../../src/config/keys.ts";

const root = new URL("../../../", import.meta.url);
const readme = await readFile(new URL("README.md", root), "utf8");

suite("the README", () => {
  test("lists every config key as the program knows it (node scripts/readme-keys.mjs)", () => {
    for (const { name, value, help } of CONFIG_KEYS) {
      const row = `| \`${name}\` | ${value.replaceAll("|", " or ")} | ${help.replaceAll("|", "\\|")} |`;
      assert.ok(readme.includes(row), row);
    }
    const rows = readme.slice(readme.indexOf("keys:begin"), readme.indexOf("keys:end")).match(/^\| `/gm);
    assert.equal(rows?.length, CONFIG_KEYS.length);
  });

  test("names every command and every global option", () => {
    for (const { name } of COMMANDS) assert.match(readme, new RegExp(`rolefresh \\[?${name}\\b`), name);
    for (const { name } of GLOBAL_OPTIONS) assert.ok(readme.includes(`--${name}`), name);
  });

  test("explains only messages that the program has", async () => {
    const sources: string[] = [];
    for (const entry of await readdir(new URL("src", root), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && entry.name.endsWith(".ts"))
        sources.push(await readFile(`${entry.parentPath}/${entry.name}`, "utf8"));
    }
    const code = sources.join("\n");
    const start = readme.indexOf("## Troubleshooting by message");
    const rows = readme
      .slice(start, readme.indexOf("\n## ", start + 1))
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    assert.ok(rows.length > 10);
    // AWS's own words come through as they are; ours must be in the source, up to what is filled in.
    const ofAws = /^(AccessDenied|InvalidIdentityToken|DurationSeconds)/;
    for (const row of rows) {
      for (const [, message = ""] of (row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)) {
        if (ofAws.test(message)) continue;
        const fixed = message.replace(/ …$/, "").split(/ N s ahead\/behind| '[^']*'$/)[0] ?? "";
        assert.ok(code.includes(fixed), `'${fixed}' is no message of the program`);
      }
    }
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const SOME = '"node_modules/@oxlint/binding-darwin-arm64": {';

/** What `--check` says of the lockfile after a change to its text. */
function check(change: (text: string) => string): string {
  const copy = mkdtempSync(join(tmpdir(), "rolefresh-lockfile-"));
  try {
    cpSync(join(root, "scripts/complete-lockfile.mjs"), join(copy, "scripts/complete-lockfile.mjs"));
    writeFileSync(join(copy, "package-lock.json"), change(readFileSync(join(root, "package-lock.json"), "utf8")));
    const args = [join(copy, "scripts/complete-lockfile.mjs"), "--check"];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status === 0, stderr === "", stderr);
    return stderr;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

suite("package-lock.json", () => {
  test("has every platform, a hash for every package, and no download address", () => {
    assert.equal(
      check((text) => text),
      "",
    );
  });

  test("is refused without a platform, without a hash, or with a download address", () => {
    assert.match(
      check((text) => text.replace(SOME, '"node_modules/@oxlint/other": {')),
      /@oxlint\/binding-darwin-arm64@\S+ is missing/,
    );
    assert.match(
      check((text) => {
        const at = text.indexOf(SOME);
        return text.slice(0, at) + text.slice(at).replace(/"integrity": "[^"]+",/, "");
      }),
      /@oxlint\/binding-darwin-arm64@\S+ has no sha512 integrity hash/,
    );
    assert.match(
      check((text) => text.replace('"integrity":', '"resolved": "https://registry.example/x.tgz", "integrity":')),
      /1 download addresses/,
    );
  });
});

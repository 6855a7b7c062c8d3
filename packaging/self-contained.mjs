// The self-contained binary: Node.js with the bundle in it (a single executable application; nodejs.org/api/single-executable-applications.html).
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundledTexts, programReading } from "./one-file.mjs";

/** Node looks for this in itself to see whether there is anything to run (same page, "Injecting the blob"). */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/**
 * Writes the binary.
 *
 * @param runtime from `openRuntime`; it makes the blob too, because that has no format that another version would read
 */
export function writeSelfContained(dist, runtime, path) {
  const folder = mkdtempSync(join(tmpdir(), "rolefresh-sea-"));
  try {
    const texts = bundledTexts(dist);
    for (const [name, text] of texts) writeFileSync(join(folder, name), text);
    const program = programReading('(name) => require("node:sea").getAsset(name, "utf8")', "__dirname");
    // Node puts the word that the program was called by where the script's path would be; `schedule` needs the program's path.
    writeFileSync(join(folder, "program.cjs"), `process.argv[1] = process.execPath;\n${program}`);
    // Relative paths: Node keeps that of `main` in the blob.
    const config = {
      main: "program.cjs",
      output: "rolefresh.blob",
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: false,
      assets: Object.fromEntries([...texts.keys()].map((name) => [name, name])),
    };
    writeFileSync(join(folder, "sea-config.json"), JSON.stringify(config));
    const options = { cwd: folder, stdio: ["ignore", "ignore", "pipe"] };
    execFileSync(runtime.program, ["--experimental-sea-config", "sea-config.json"], options);
    copyFileSync(runtime.program, path);
    chmodSync(path, 0o755);
    const postject = fileURLToPath(import.meta.resolve("postject/dist/cli.js"));
    const args = [path, "NODE_SEA_BLOB", "rolefresh.blob", "--sentinel-fuse", FUSE];
    execFileSync(process.execPath, [postject, ...args], options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// The Node.js that goes into the self-contained binary: one version, whatever machine builds, held to its checksum.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const {
  version,
  package: name,
  sha256,
} = JSON.parse(readFileSync(new URL("node-runtime.json", import.meta.url), "utf8"));

/** Why there can be none here; undefined when there can. */
export function runtimeMissing() {
  const platform = `${process.platform}-${process.arch}`;
  return platform === "linux-x64" ? undefined : `it is made on linux-x64 only, and this is ${platform}`;
}

/**
 * From npm into the cache that scripts/node-matrix has too, unless it is there.
 *
 * @returns its version, checksum, the paths of the program and of its licences
 * @throws when it cannot be had or is not the one whose checksum is kept in node-runtime.json
 */
export function openRuntime() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const prefix = join(cache, "rolefresh-node", version);
  const folder = join(prefix, "node_modules", name);
  const program = join(folder, "bin", "node");
  if (!existsSync(program)) {
    mkdirSync(prefix, { recursive: true });
    // A package.json of its own: npm would otherwise look for one in the folders above.
    writeFileSync(join(prefix, "package.json"), '{"private":true}\n');
    const options = [
      "--silent",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--no-package-lock",
      "--prefix",
      prefix,
    ];
    execFileSync("npm", ["install", ...options, `${name}@${version}`], {
      cwd: prefix,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const found = createHash("sha256").update(readFileSync(program)).digest("hex");
  if (found !== sha256) throw new Error(`${program} is not Node.js ${version} as it was published: remove ${prefix}`);
  return { version, sha256, program, licence: join(folder, "LICENSE") };
}

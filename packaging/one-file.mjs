// The whole bundle in one text: its files as strings, because a string is not compiled before it is needed.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The texts of the bundle, by the name of their file. */
export function bundledTexts(dist) {
  const names = readdirSync(dist).filter((name) => name.endsWith(".cjs"));
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(dist, name), "utf8").replace(/^#!.*\n/, "")]));
}

/**
 * A program that runs the bundle from texts. `require` must be in its scope.
 *
 * @param readText JavaScript: a function from a name to its text
 * @param directory JavaScript: where the files seem to be, for stacks and for `__filename`
 */
export function programReading(readText, directory) {
  return `const { compileFunction } = require("node:vm");
const { join } = require("node:path");
const readText = ${readText};
const directory = ${directory};
const loaded = new Map();
function load(id) {
  if (!id.startsWith("./")) return require(id);
  const filename = join(directory, id);
  const module = loaded.get(filename) ?? { exports: {} };
  if (loaded.has(filename)) return module.exports;
  loaded.set(filename, module);
  const run = compileFunction(readText(id.slice(2)), ["exports", "require", "module", "__filename"], { filename });
  run(module.exports, load, module, filename);
  return module.exports;
}
load("./rolefresh.cjs");
`;
}

/** The ES module `rolefresh.mjs`, with the licences and the bill of materials of what is in it as a comment at its end. */
export function renderOneFile(dist, version) {
  const texts = JSON.stringify(Object.fromEntries(bundledTexts(dist)));
  const papers = ["THIRD-PARTY-LICENSES.txt", "sbom.cdx.json"].map((name) => readFileSync(join(dist, name), "utf8"));
  return `#!/usr/bin/env node
// rolefresh ${version}: keeps AWS role credentials fresh in ~/.aws/credentials. Licence: Apache-2.0. Needs Node.js 20.19 or
// later and nothing else. What else is in this file, with its licences and a bill of materials, stands at its end.
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const TEXTS = ${texts};
${programReading("(name) => TEXTS[name]", "import.meta.dirname")}
/*
${papers.join("\n").replaceAll("*/", "* /")}
*/
`;
}

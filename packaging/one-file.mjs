// The whole bundle in one text: the launcher with the files that it loads as strings, because a string is not compiled
// before it is needed, and because V8's code cache (scripts/bundle/launch.cjs) takes it as it takes a file.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LAUNCHER = "rolefresh.cjs";
const READ_TEXT = /^const readText = .*$/m;

/** The texts that the launcher loads, by name. */
export function bundledTexts(dist) {
  const names = readdirSync(dist).filter((name) => name.endsWith(".cjs") && name !== LAUNCHER);
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(dist, name), "utf8")]));
}

/**
 * The launcher with another way to its texts.
 *
 * @param readText JavaScript: a function from a name to its text
 */
export function launcherReading(dist, readText) {
  const launcher = readFileSync(join(dist, LAUNCHER), "utf8").replace(/^#!.*\n/, "");
  if (!READ_TEXT.test(launcher)) throw new Error("the launcher no longer has a line `const readText = …`");
  return launcher.replace(READ_TEXT, () => `const readText = ${readText};`);
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
const __dirname = import.meta.dirname;
const TEXTS = ${texts};
(() => {
${launcherReading(dist, "(name) => TEXTS[name]")}
})();

/*
${papers.join("\n").replaceAll("*/", "* /")}
*/
`;
}

// Makes what is published: dist/rolefresh.cjs and the few files that it loads when they are needed, with every package in
// them and the packages' licences beside them. One CommonJS file starts twenty times as fast as the same code in
// ES modules does, and each of its files is read when it is needed. Node.js loads them as they are.
// usage: node scripts/bundle/build.mjs [--report]      after `tsc`, which checks the types and makes the tests
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { rolldown } from "rolldown";

import { renderBillOfMaterials } from "../../packaging/bill-of-materials.mjs";
import { collectLicences } from "./third-party-licences.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "src");
const out = join(root, "dist");

/** The file that is started. */
const ENTRY = "rolefresh";

/** The SDK's own ways to keys. */
const PROVIDERS =
  /(?:^|\/)@(?:aws-sdk\/(?:credential-providers|credential-provider-(?!node|env)|nested-clients|token-providers)|smithy\/credential-provider-imds)/;

/** What gives an identity token. */
const TOKEN_SOURCES = [
  ...["obtain-token", "token-command", "token-file", "read-secret-file", "token-url", "environment-variable"],
  ...["gcp-adc", "gcp-metadata", "gcp-impersonation", "gcloud", "google-client", "google-fetch"],
  ...["azure", "github-actions", "gitlab", "kubernetes"],
];

/** Which file each dynamically imported module goes to, with all that it alone needs. Everything else: `commands`. */
const CHUNKS = {
  // The command line, the config, the plan.
  main: ["src/main.ts"],
  // One role refreshed, up to its identity token.
  refresh: [
    "src/net/outbound.ts",
    "src/output/progress.ts",
    "src/refresh/run-steps.ts",
    "src/refresh/hook.ts",
    "src/refresh/run-metrics.ts",
    "src/refresh/update-credentials-file.ts",
    "src/output/prometheus-text.ts",
    "src/safe-file/",
    ...TOKEN_SOURCES.map((name) => `src/sources/${name}.ts`),
    "node_modules/proper-lockfile/",
  ],
  // The call of STS, loaded while the answers of a metadata server are on their way.
  sts: [
    ...["client", "sdk", "assume-role-with-web-identity"].map((name) => `src/sts/${name}.ts`),
    "src/net/sdk-transport.ts",
    "node_modules/@aws-sdk/client-sts/",
  ],
  terminal: ["node_modules/log-update/", "node_modules/@clack/", "src/init/ask.ts", "src/output/table.ts"],
  google: ["node_modules/google-auth-library/", "node_modules/gcp-metadata/"],
  // Keys and assertions that come another way.
  providers: ["src/sts/", "src/sources/", "node_modules/@xmldom/"],
  proxy: ["node_modules/https-proxy-agent/", "node_modules/http-proxy-agent/", "node_modules/proxy-agent/"],
  // yargs, but for what other commands print with, too.
  help: ["src/command-line/help.ts"],
};

/** What a package loads at its start although our runs have no use for it: by name, who, and what does until they have. */
const LATE = {
  // Opens standard error to learn its colours.
  assert: {
    importer: /\/node_modules\/signal-exit\//,
    code: `module.exports = { equal(a, b, message) { if (a != b) require("node:assert").equal(a, b, message); } };`,
  },
  // A default that is never used: each lock brings its own file system (`lock-directory.ts`).
  "graceful-fs": { importer: /\/node_modules\/proper-lockfile\//, code: `module.exports = require("fs");` },
  "node:https": {
    importer: /\/node_modules\/@smithy\/node-http-handler\//,
    code: `module.exports = { get Agent() { return require("https").Agent; }, request: (...request) => require("https").request(...request) };`,
  },
  "node:zlib": {
    importer: /\/node_modules\/@smithy\/core\/.*\/Crc32Node\.js$/,
    code: `module.exports = { crc32: (...data) => require("zlib").crc32(...data) };`,
  },
};

/** Only the providers call it, but in a module of which another part is needed without them. */
const CALLED_WITH_OTHERS = /\/getSSOTokenFilepath\.js$/;

/** What rolldown adds for the packages that are CommonJS. */
const RUNTIME = "\0rolldown/runtime.js";

const modules = new Set();
let plan;

/** The packages' modules of which something is used without the SDK's providers; what these alone use goes to their file. */
const withoutProviders = await bundleWith({ external: PROVIDERS }, {});
const called = new Set(
  withoutProviders.flatMap((file) =>
    Object.entries(file.modules ?? {}).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : [])),
  ),
);
const isCalled = (id) => called.has(id) || CALLED_WITH_OTHERS.test(id);

const output = await bundleWith(
  { plugins: [{ name: "all-modules", moduleParsed: ({ id }) => void modules.add(id) }] },
  {
    includeDependenciesRecursively: false,
    groups: [{ debugName: "by use", name: (id, context) => (plan ??= planChunks(context)).get(id) ?? null }],
  },
);

async function bundleWith({ plugins = [], external }, codeSplitting) {
  const bundle = await rolldown({
    input: { [ENTRY]: join(source, "bin.ts") },
    platform: "node",
    // Modules may move into the entry's file although only others use them.
    preserveEntrySignatures: "allow-extension",
    // The SDK's ES modules, of which what is not used can be left out.
    resolve: { mainFields: ["module", "main"] },
    transform: { target: "node20.19", define: { "import.meta.url": "__url", "import.meta": "undefined" } },
    checks: { ineffectiveDynamicImport: false },
    // A part of Node.js that nothing uses need not be loaded.
    treeshake: { moduleSideEffects: [{ external: true, sideEffects: false }] },
    plugins: [...plugins, lateParts()],
    external,
  });
  const { output } = await bundle.generate({
    format: "cjs",
    dynamicImportInCjs: false,
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    // Names stay, so that the stack in a report of a bug can be read.
    minify: {
      compress: { keepNames: { function: true, class: true } },
      mangle: false,
      codegen: { removeWhitespace: true },
    },
    codeSplitting,
  });
  await bundle.close();
  return output;
}

await rm(out, { recursive: true, force: true });
await mkdir(out);
for (const { fileName, code } of output) {
  const url = code.includes("__url") ? `const __url=require("node:url").pathToFileURL(__filename).href;` : "";
  const text = `${url}${toAscii(code.replace(/^#!.*\n/, ""))}`;
  const isEntry = fileName === `${ENTRY}.cjs`;
  await writeFile(join(out, fileName), isEntry ? `#!/usr/bin/env node\n${text}` : text, { mode: isEntry ? 0o755 : 0o644 });
}
const stray = output.filter(({ code }) => /\bimport\(|\bimport\.meta\b/.test(code)).map(({ fileName }) => fileName);
if (stray.length > 0) throw new Error(`ES module syntax is left in ${stray.join(", ")}`);
const circles = output.filter(({ fileName }) => needs(fileName).has(fileName)).map(({ fileName }) => fileName);
if (circles.length > 0) throw new Error(`these files need each other before they are loaded: ${circles.join(", ")}`);
await writeFile(join(out, "THIRD-PARTY-LICENSES.txt"), await collectLicences(root, [...plan.keys()]));
await writeFile(join(out, "sbom.cdx.json"), await renderBillOfMaterials(root, [...plan.keys()]));
const manual = join(root, "build", "man", "rolefresh.1");
if (existsSync(manual)) await copyFile(manual, join(out, "rolefresh.1"));
if (process.argv.includes("--report")) {
  for (const { fileName, code, imports } of output) console.log(`${fileName}\t${code.length}\t${imports.join(" ")}`);
}

/** The files that are loaded with one. */
function needs(name, found = new Set()) {
  for (const next of output.find(({ fileName }) => fileName === name)?.imports ?? []) {
    if (found.has(next)) continue;
    found.add(next);
    needs(next, found);
  }
  return found;
}

function lateParts() {
  return {
    name: "late-parts",
    resolveId: (source, importer = "") => (LATE[source]?.importer.test(importer) ? `\0late:${source}` : null),
    load: (id) => (id.startsWith("\0late:") ? LATE[id.slice(6)].code : null),
  };
}

/** Pure ASCII, which V8 keeps in half the room and Node.js reads without decoding it. */
function toAscii(code) {
  return code.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * A module goes to the file of the dynamic imports that lead to it: to the first that needs it. What the entry needs goes
 * to the file that is started.
 */
function planChunks(context) {
  const infoOf = (id) => context.getModuleInfo(id);
  const entry = closureOf(join(source, "bin.ts"), infoOf);
  const roots = new Set([...modules].flatMap((id) => infoOf(id)?.dynamicallyImportedIds ?? []));
  const closures = new Map();
  for (const id of roots) {
    if (!infoOf(id) || entry.has(id)) continue;
    const name = chunkOf(id);
    const members = closures.get(name) ?? new Set();
    for (const member of closureOf(id, infoOf)) members.add(member);
    closures.set(name, members);
  }
  const planned = new Map([...entry, RUNTIME].map((id) => [id, ENTRY]));
  for (const name of [...Object.keys(CHUNKS), "commands"]) {
    for (const id of closures.get(name) ?? []) {
      if (planned.has(id) || (name === "sts" && id.includes("/node_modules/") && !isCalled(id))) continue;
      planned.set(id, name);
    }
  }
  return planned;
}

function chunkOf(id) {
  const path = relative(root, id).split(sep).join("/");
  const inRoot = path.slice(Math.max(0, path.lastIndexOf("node_modules/")));
  if (PROVIDERS.test(inRoot)) return "providers";
  return Object.entries(CHUNKS).find(([, roots]) => roots.some((one) => inRoot.startsWith(one)))?.[0] ?? "commands";
}

function closureOf(id, infoOf, seen = new Set()) {
  if (seen.has(id)) return seen;
  const info = infoOf(id);
  if (!info) return seen;
  seen.add(id);
  for (const imported of info.importedIds) closureOf(imported, infoOf, seen);
  return seen;
}

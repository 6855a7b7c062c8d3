// Makes .oxlintrc.json from the table of rooms (rooms.mjs).
// usage: node scripts/house/lint-rules.mjs [--check]      --check: ends with 1 when the file is not what the table makes
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { EFFECTS, ENTRIES, ROOMS } from "./rooms.mjs";

const target = fileURLToPath(new URL("../../.oxlintrc.json", import.meta.url));
const rooms = Object.keys(ROOMS);

/** Imports of this room or file that the table does not allow. */
function arrows(owner, uses) {
  const closed = rooms.filter((room) => room !== owner && !uses.includes(room));
  const group = [...closed.map((room) => `**/${room}/**`), ...(owner === "main.ts" || owner === "bin.ts" ? [] : ["**/main.ts"]), "**/bin.ts"];
  const allowed = uses.length === 0 ? "no other room" : uses.map((room) => `${room}/`).join(", ");
  return { group, message: `${owner} may import ${allowed} (scripts/house/rooms.mjs)` };
}

/** What opens a path to read it. */
const READING = ["readFile", "readFileSync", "open", "openSync", "openAsBlob", "createReadStream", "read", "readSync", "cp", "cpSync", "copyFile", "copyFileSync"];
const reading = ["node:fs", "node:fs/promises"].map((name) => ({ name, importNames: READING, message: "safe-file/read-file.ts is the only way to read a file by its path" }));

const processModule = { name: "node:process", message: "only bin.ts touches the process; take what you need from World" };

function override(files, owner, uses) {
  const paths = [...(owner === "safe-file" ? [] : reading), ...(EFFECTS.process.includes(`src/${owner}`) ? [] : [processModule])];
  return { files, rules: { "no-restricted-imports": ["error", { patterns: [arrows(owner, uses)], paths }] } };
}

const config = {
  $schema: "./node_modules/oxlint/configuration_schema.json",
  plugins: ["typescript", "import", "node", "unicorn", "oxc"],
  categories: { correctness: "error", suspicious: "error" },
  rules: {
    // Type imports are arrows like any other.
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "import/no-default-export": "error",
    "node/no-process-env": "error",
    "unicorn/no-process-exit": "error",
    "no-console": "error",
    "max-lines": ["error", { max: 220, skipBlankLines: false, skipComments: false }],
    "max-lines-per-function": ["error", { max: 60, skipBlankLines: false, skipComments: false }],
    "max-params": ["error", { max: 4 }],
    "no-await-in-loop": "off",
    "typescript/consistent-type-imports": "error",
    "typescript/consistent-return": "off",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-unsafe-type-assertion": "error",
    "typescript/only-throw-error": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/no-floating-promises": ["error", { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test", "describe", "suite", "it", "before", "after"] }] }],
    "typescript/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
    "no-restricted-globals": [
      "error",
      { name: "fetch", message: "use net/http.ts, the only HTTP client" },
      { name: "process", message: "only bin.ts touches the process; take what you need from World" },
    ],
    "no-restricted-properties": [
      "error",
      { object: "Date", property: "now", message: "take the clock from World" },
      { object: "Math", property: "random", message: "take randomness from World" },
    ],
    "unicorn/consistent-function-scoping": "off",
    "import/no-named-as-default-member": "off",
  },
  overrides: [
    {
      files: ["test/**"],
      rules: {
        "no-restricted-globals": "off",
        "no-restricted-properties": "off",
        "node/no-process-env": "off",
        "no-console": "off",
        "import/no-cycle": "error",
        "max-lines": "off",
        "max-lines-per-function": "off",
        "max-params": "off",
        "typescript/no-unsafe-type-assertion": "off",
      },
    },
    { files: EFFECTS.process, rules: { "no-restricted-globals": "off", "node/no-process-env": "off" } },
    { files: EFFECTS.clock, rules: { "no-restricted-properties": "off" } },
    ...Object.entries(ROOMS).map(([room, { uses }]) => override([`src/${room}/**`], room, uses)),
    ...Object.entries(ENTRIES).map(([file, { uses }]) => override([`src/${file}`], file, uses)),
  ],
};

const text = `${JSON.stringify(config, undefined, 2)}\n`;
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error(".oxlintrc.json is not what scripts/house/rooms.mjs makes: run 'node scripts/house/lint-rules.mjs'");
  process.exitCode = 1;
}

// Writes the table of config keys into README.md from src/config/keys.ts (built): node scripts/readme-keys.mjs [--check]
import { readFileSync, writeFileSync } from "node:fs";

import { CONFIG_KEYS } from "../build/src/config/keys.js";

const path = new URL("../README.md", import.meta.url);
const readme = readFileSync(path, "utf8");
const rows = CONFIG_KEYS.map(({ name, value, help }) => `| \`${name}\` | ${value.replaceAll("|", " or ")} | ${help.replaceAll("|", "\\|")} |`);
const table = ["| key | value | |", "|---|---|---|", ...rows].join("\n");
const updated = readme.replace(/(<!-- keys:begin[^\n]*\n)[\s\S]*?(<!-- keys:end -->)/, (_, begin, end) => `${begin}${table}\n${end}`);
if (process.argv.includes("--check")) {
  if (updated !== readme) {
    console.error("README.md is out of step with src/config/keys.ts: node scripts/readme-keys.mjs");
    process.exit(1);
  }
} else writeFileSync(path, updated);

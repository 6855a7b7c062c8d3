// Writes the manual page beside the built program: build/man/rolefresh.1.
import { mkdirSync, writeFileSync } from "node:fs";

import { renderManPage } from "../build/src/command-line/man-page.js";

const folder = new URL("../build/man/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("rolefresh.1", folder), renderManPage());

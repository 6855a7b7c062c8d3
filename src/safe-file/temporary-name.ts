import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { beside } from "./sibling-paths.ts";
import type { ResolvedFile } from "./resolve-file.ts";

/** A new temp file's name: `.credentials.rolefresh-0123456789abcdef`. */
export function temporaryName(file: ResolvedFile): string {
  return beside(file, `rolefresh-${randomBytes(8).toString("hex")}`);
}

/** Whether a name in the file's directory is a temp file's. */
export function isTemporaryName(file: ResolvedFile, name: string): boolean {
  const prefix = `.${basename(file.target)}.rolefresh-`;
  return name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length));
}

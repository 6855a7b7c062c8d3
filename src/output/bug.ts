import { withoutSecrets } from "../base/printable.ts";

/** A message about a bug: the stack and every cause. */
export function renderBug(error: unknown): string {
  const parts: string[] = [];
  for (let current = error, depth = 0; current !== undefined && depth < 5; depth++) {
    parts.push(
      current instanceof Error ? (current.stack ?? current.message) : "a value that is not an Error was thrown",
    );
    current = current instanceof Error ? current.cause : undefined;
  }
  return `rolefresh: error: this is a bug in rolefresh, please report it with the lines below\n${withoutSecrets(parts.join("\ncaused by: "))}\n`;
}

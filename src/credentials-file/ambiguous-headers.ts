import { pythonStrip, withoutComment } from "./lines.ts";

const JAVA_LINE_END = /[\u0085\u2028\u2029]/;

/**
 * The profiles for which a line is dangerous: those that some reader would find in it (GRAMMAR 6: `[ p ]`, `[p] x`, `[p`,
 * `[p]q]`, `[p]; x` and an indented `[p]` under a key) without all of them doing so.
 */
export function ambiguousNames(
  text: string,
  strictName: string | undefined,
  lenientName: string | undefined,
): ReadonlySet<string> {
  const names = new Set<string>();
  // Java v1 ends a line at U+0085, U+2028 and U+2029, so that a header may stand in the middle of what others take for one line.
  for (const part of JAVA_LINE_END.test(text) ? [text, ...text.split(JAVA_LINE_END)] : [text]) {
    const stripped = pythonStrip(part.trim());
    if (stripped[0] !== "[") continue;
    const close = stripped.indexOf("]");
    if (close !== -1) names.add(stripped.slice(1, close).trim());
    else names.add(stripped.slice(1).trim()).add(withoutComment(stripped).slice(1).trim());
    if (part !== text && close !== -1) names.add(stripped.slice(1, close));
  }
  if (strictName !== undefined) names.add(strictName).add(strictName.trim());
  if (lenientName !== undefined) names.add(lenientName).add(lenientName.trim());
  // White space that is not a blank is none to Ruby and Java.
  const isPlain = /^[\t ]*\[.*\](?:[\t ]+[#;].*|[\t ]*)$/.test(text) && !JAVA_LINE_END.test(text);
  if (strictName !== undefined && strictName === lenientName && isPlain) names.delete(strictName);
  return names;
}

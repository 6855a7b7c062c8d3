import type { CredentialsDocument } from "../../credentials-file/document.ts";
import { counted, finding, type Finding } from "./finding.ts";
import { javaProblem, phpProblem, type ReaderProblem } from "./strict-readers.ts";

/** More than these of one kind are counted and not shown. */
const SHOWN = 5;

/** Who cannot read a credentials file as it is (GRAMMAR.md 1 and 7). Nothing here keeps rolefresh from writing its part. */
export function readerFindings(document: CredentialsDocument | undefined): readonly Finding[] {
  if (document?.bytes === undefined) return [];
  const { path, warnings } = document;
  const hint = `it belongs to others, so rolefresh keeps it: edit ${path}`;
  const found = warnings
    .slice(0, SHOWN)
    .map(({ line, message }) => finding("readers", "warning", `${path}:${line}: ${message}`, { hint }));
  if (warnings.length > SHOWN)
    found.push(
      finding("readers", "warning", `${path} has ${counted(warnings.length - SHOWN, "more line")} of this kind`, {
        hint,
      }),
    );
  const text = document.bytes.toString("utf8");
  const told = new Set(warnings.flatMap((warning) => warning.readers));
  const other: readonly (ReaderProblem | undefined)[] = [
    told.has("Java") ? undefined : javaProblem(text),
    told.has("PHP") ? undefined : phpProblem(text),
  ];
  for (const problem of other) {
    if (!problem) continue;
    const { line, reader, problem: what } = problem;
    found.push(
      finding("readers", "warning", `${path}:${line}: ${what}: ${reader} cannot read this file at all`, {
        hint: `only if such a tool reads it: edit ${path}`,
      }),
    );
  }
  if (found.length > 0) return found;
  return [finding("readers", "ok", `botocore, boto2, Go, Java, JavaScript, PHP and Ruby can read ${path}`)];
}

/** Names that some readers do not find (GRAMMAR.md 9). */
export function nameFindings(profile: string): readonly Finding[] {
  const hint = "use letters, digits and - / . % @ _ : + where such a tool reads it";
  if (/\s/.test(profile))
    return [
      finding("profile-name", "warning", "the name holds a blank: the SDKs for JavaScript v3 and Rust do not find it", {
        profile,
        hint,
      }),
    ];
  if (!/^[A-Za-z0-9/.%@_:+-]+$/.test(profile))
    return [
      finding("profile-name", "warning", "the name holds an unusual character: the SDK for Rust does not find it", {
        profile,
        hint,
      }),
    ];
  return [];
}

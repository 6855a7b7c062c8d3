import { fileProblem, type Problem } from "./file-problem.ts";
import { type Layout, layOut, linesOf } from "./layout.ts";
import type { Line } from "./lines.ts";
import { entriesOf, type Entry, type ProfileSection, toSection } from "./section.ts";
import { type FileWarning, warningsOf } from "./warnings.ts";

/** A credentials file, read without loss. Reading never fails; `writability.ts` says which profiles cannot be written. */
export interface CredentialsDocument {
  /** The file's path for messages. */
  readonly path: string;
  /** Undefined when there is no file. */
  readonly bytes: Buffer | undefined;
  readonly layout: Layout;
  /** Section names in the order of the file, each once. */
  readonly names: readonly string[];
  /** What makes the file unreadable to botocore, Go or Java although rolefresh can write it; another pass over the file. */
  readonly warnings: readonly FileWarning[];
  /** What keeps every profile of the file from being written. */
  readonly problem: Problem | undefined;
  /** The section of a profile, whose name must match exactly. */
  profile(name: string): ProfileSection | undefined;
  /** The lines of a profile's section without its header; undefined when it has none or more than one. */
  body(name: string): SectionBody | undefined;
}

/** A section's lines, for the editor. */
export interface SectionBody {
  readonly header: Line;
  readonly lines: readonly Line[];
  readonly entries: readonly Entry[];
  /** The header of the section below; undefined for the last. */
  readonly next: Line | undefined;
}

/** A file as it was read; without bytes it does not exist. */
interface FileContent {
  readonly file: { readonly path: string };
  readonly bytes: Buffer | undefined;
}

/** Reads a credentials file in one pass over its lines; everything else is worked out when it is first used. */
export function parseDocument({ file: { path }, bytes }: FileContent): CredentialsDocument {
  const layout = layOut(bytes ?? Buffer.alloc(0));
  const warnings = remembering(() => warningsOf(layout));
  const problem = remembering(() => fileProblem(layout));
  const body = remembering((name: string) => readBody(layout, name));
  return {
    path,
    bytes,
    layout,
    names: [...new Set(layout.boundaries.map(({ strictName, lenientName }) => strictName ?? lenientName ?? ""))],
    get warnings() {
      return warnings();
    },
    get problem() {
      return problem();
    },
    profile: remembering((name: string) => readProfile(layout, name, body(name), problem() !== undefined)),
    body,
  };
}

/** Calls `work` once for each argument. */
function remembering<A extends readonly string[], T>(work: (...args: A) => T): (...args: A) => T {
  const results = new Map<string | undefined, { readonly value: T }>();
  return (...args) => {
    const known = results.get(args[0]);
    if (known) return known.value;
    const value = work(...args);
    results.set(args[0], { value });
    return value;
  };
}

function readBody(layout: Layout, name: string): SectionBody | undefined {
  const [index, second] = layout.clean.get(name) ?? [];
  const header = index === undefined ? undefined : layout.boundaries[index]?.header;
  if (index === undefined || second !== undefined || !header) return undefined;
  const lines = linesOf(layout, index);
  return { header, lines, entries: entriesOf(lines), next: layout.boundaries[index + 1]?.header };
}

function readProfile(
  layout: Layout,
  name: string,
  body: SectionBody | undefined,
  isUncertain: boolean,
): ProfileSection | undefined {
  const { boundaries, clean, ambiguousHeaders } = layout;
  const indexes = clean.get(name) ?? [];
  const [first] = indexes;
  const header = first === undefined ? undefined : boundaries[first]?.header;
  if (first === undefined || !header) return undefined;
  const lines = body?.lines ?? indexes.flatMap((index) => linesOf(layout, index));
  const next = boundaries[first + 1];
  // Where the next header is one to some readers only, the section has no certain end; where another line is this
  // section's header to some readers, they merge the two; where a carriage return ends a line for some, nothing is certain.
  const isAmbiguous =
    isUncertain ||
    indexes.length > 1 ||
    ambiguousHeaders.has(name) ||
    (next !== undefined && (next.strictName === undefined || next.lenientName === undefined));
  return toSection(name, header, { lines, entries: body?.entries ?? entriesOf(lines) }, isAmbiguous);
}

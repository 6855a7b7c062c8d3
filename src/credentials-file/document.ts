import type { Failure } from "../base/failure.ts";
import { type Layout, layOut, linesOf } from "./layout.ts";
import type { Line } from "./lines.ts";
import { entriesOf, type Entry, type ProfileSection, toSection } from "./section.ts";
import { type Problem, problemOf, refusal } from "./writability.ts";
import { type FileWarning, warningsOf } from "./warnings.ts";

export type { Entry, ProfileSection } from "./section.ts";
export type { FileWarning } from "./warnings.ts";

/** A credentials file, read without loss. Reading never fails: what prevents writing is told per profile. */
export interface CredentialsDocument {
  /** The file's path for messages. */
  readonly path: string;
  /** Undefined when there is no file. */
  readonly bytes: Buffer | undefined;
  readonly layout: Layout;
  /** Section names in the order of the file, each once. */
  readonly names: readonly string[];
  /**
   * What makes the file unreadable to botocore, Go or Java although rolefresh can write it. Computed when first asked
   * for: it takes another pass over the file.
   */
  readonly warnings: readonly FileWarning[];
  /** What keeps every profile of the file from being written; found when first asked for. */
  readonly problem: Problem | undefined;
  /** The section of a profile, by its name to the letter. */
  profile(name: string): ProfileSection | undefined;
  /** The lines of a profile's section without its header; undefined when it has none or more than one. */
  body(name: string): SectionBody | undefined;
  /** Why a profile cannot be written safely in this file (FILE_UNSAFE, with `file:line`), or undefined when it can. */
  refusalOf(name: string): Failure | undefined;
}

/** A section's lines, for the splice. */
export interface SectionBody {
  readonly header: Line;
  readonly lines: readonly Line[];
  readonly entries: readonly Entry[];
  /** The header of the section below; undefined for the last. */
  readonly next: Line | undefined;
}

/** A file as it was read; without bytes it does not exist. */
export interface FileContent {
  readonly file: { readonly path: string };
  readonly bytes: Buffer | undefined;
}

/** Reads a credentials file in one pass over its lines; a section is read when it is first asked for. */
export function parseDocument(snapshot: FileContent): CredentialsDocument {
  return new ParsedDocument(snapshot);
}

class ParsedDocument implements CredentialsDocument {
  readonly path: string;
  readonly bytes: Buffer | undefined;
  readonly layout: Layout;
  readonly #profiles = new Map<string, ProfileSection | undefined>();
  readonly #bodies = new Map<string, SectionBody | undefined>();
  #warnings: readonly FileWarning[] | undefined;
  #problem: Problem | undefined | null = null;

  constructor({ file, bytes }: FileContent) {
    this.path = file.path;
    this.bytes = bytes;
    this.layout = layOut(bytes ?? Buffer.alloc(0));
  }

  get names(): readonly string[] {
    const { boundaries } = this.layout;
    return [...new Set(boundaries.map(({ strictName, lenientName }) => strictName ?? lenientName ?? ""))];
  }

  get warnings(): readonly FileWarning[] {
    return (this.#warnings ??= warningsOf(this.layout));
  }

  get problem(): Problem | undefined {
    if (this.#problem === null) this.#problem = problemOf(this.layout);
    return this.#problem;
  }

  profile(name: string): ProfileSection | undefined {
    if (!this.#profiles.has(name)) this.#profiles.set(name, this.#readProfile(name));
    return this.#profiles.get(name);
  }

  #readProfile(name: string): ProfileSection | undefined {
    const { boundaries, clean, ambiguousHeaders } = this.layout;
    const indexes = clean.get(name) ?? [];
    const [first] = indexes;
    const header = first === undefined ? undefined : boundaries[first]?.header;
    if (first === undefined || !header) return undefined;
    const body = this.body(name);
    const lines = body?.lines ?? indexes.flatMap((index) => linesOf(this.layout, index));
    const next = boundaries[first + 1];
    // Where the next header is one to some readers only, the section has no certain end; where another line is this
    // section's header to some readers, they merge the two; where a carriage return ends a line for some, nothing is certain.
    const isAmbiguous =
      indexes.length > 1 ||
      ambiguousHeaders.has(name) ||
      (next !== undefined && (next.strictName === undefined || next.lenientName === undefined)) ||
      this.problem !== undefined;
    return toSection(name, header, { lines, entries: body?.entries ?? entriesOf(lines) }, isAmbiguous);
  }

  body(name: string): SectionBody | undefined {
    if (!this.#bodies.has(name)) this.#bodies.set(name, this.#readBody(name));
    return this.#bodies.get(name);
  }

  #readBody(name: string): SectionBody | undefined {
    const { boundaries, clean } = this.layout;
    const [index, second] = clean.get(name) ?? [];
    const header = index === undefined ? undefined : boundaries[index]?.header;
    if (index === undefined || second !== undefined || !header) return undefined;
    const lines = linesOf(this.layout, index);
    return { header, lines, entries: entriesOf(lines), next: boundaries[index + 1]?.header };
  }

  refusalOf(name: string): Failure | undefined {
    return refusal(this, name);
  }
}

import { Failure } from "../base/failure.ts";
import type { CredentialsDocument, ProfileSection } from "./document.ts";

import { guardRefusal } from "./guard.ts";
import { isManagedKey } from "./managed.ts";
import { ownershipOf } from "./ownership.ts";
import { applyEdits, type PreparedEdit, prepareEdit } from "./splice.ts";
import type { Edit, EditResult, PendingEdit } from "./edit.ts";

/** An edit that may be made. */
export interface AcceptedEdit extends PreparedEdit {
  /** It overwrites a section of somebody else, so a backup comes first. */
  readonly isForeign: boolean;
}

/** Sorts out the edits that are not wanted any more or not allowed; their results go into `results`. */
export function acceptEdits(
  document: CredentialsDocument,
  edits: readonly PendingEdit[],
  results: Map<string, EditResult>,
): readonly AcceptedEdit[] {
  const accepted: AcceptedEdit[] = [];
  for (const pending of edits) {
    const { profile, edit } = pending;
    const section = document.profile(profile);
    if (!pending.stillWanted(section)) {
      results.set(profile, { kind: "skipped", section });
      continue;
    }
    const foreign = foreignness(document, profile, section, edit);
    try {
      if (foreign && !pending.overwrite) throw foreign;
      const prepared = prepareEdit(document, profile, edit);
      const ownership = ownershipOf(section);
      const isTakenOver = ownership.kind === "foreign" && ownership.isTakenOver;
      accepted.push({ ...prepared, isForeign: foreign !== undefined && !isTakenOver });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      results.set(profile, { kind: "failed", failure: error });
    }
  }
  return accepted;
}

/** Why the section may not be written or emptied without `overwrite`. */
function foreignness(
  document: CredentialsDocument,
  profile: string,
  section: ProfileSection | undefined,
  edit: Edit,
): Failure | undefined {
  const ownership = ownershipOf(section);
  if (ownership.kind === "foreign") return foreignFailure(document, profile, ownership.line, ownership.reason);
  // Temporary keys that nobody manages may be replaced by fresher ones, but they are not ours to take away.
  const theirs =
    edit.kind === "remove" && ownership.kind === "free" && section?.entries.find(({ key }) => isManagedKey(key));
  return theirs ? foreignFailure(document, profile, theirs.line.number, "rolefresh did not write it") : undefined;
}

function foreignFailure(document: CredentialsDocument, profile: string, line: number, reason: string): Failure {
  return new Failure(
    "SECTION_FOREIGN",
    `the section of profile '${profile}' belongs to somebody else: ${document.path}:${line}: ${reason}`,
    {
      hint: `choose another profile name, or set overwrite = true for [${profile}] (a backup is kept)`,
    },
  );
}

/** What is to be written with one write. */
export interface Composition {
  /** The whole new file; undefined where nothing changes. */
  readonly content: Buffer | undefined;
  readonly accepted: readonly AcceptedEdit[];
  /** Called before anything is replaced, while the disk takes the new content in: the guard reads much of a large file. */
  readonly passesGuard: () => boolean;
}

/** All edits together; when the guard refuses them, `composeApart` finds those that it lets pass. */
export function composeFile(document: CredentialsDocument, edits: readonly AcceptedEdit[]): Composition {
  const content = applyEdits(document, edits);
  return { content, accepted: edits, passesGuard: () => refusal(document, edits, content) === undefined };
}

/**
 * The edits that pass the guard; the result of one that is refused goes into `results`.
 *
 * @param pause awaited before each try, which takes long with a large file; it may throw.
 */
export async function composeApart(
  document: CredentialsDocument,
  edits: readonly AcceptedEdit[],
  results: Map<string, EditResult>,
  pause: () => Promise<void>,
): Promise<Composition> {
  const refuse = (profile: string, failure: Failure) => results.set(profile, { kind: "failed", failure });
  const passing = async (some: readonly AcceptedEdit[]): Promise<readonly AcceptedEdit[]> => {
    await pause();
    const [first, second] = some;
    if (!first) return [];
    const failure = refusal(document, some, applyEdits(document, some));
    if (!failure) return some;
    if (second) {
      const half = some.length / 2;
      return [...(await passing(some.slice(0, half))), ...(await passing(some.slice(half)))];
    }
    refuse(first.profile, failure);
    return [];
  };
  const passesGuard = () => true;
  const good = await passing(edits);
  const content = applyEdits(document, good);
  const failure = refusal(document, good, content);
  if (!failure) return { content, accepted: good, passesGuard };
  for (const { profile } of good) refuse(profile, failure);
  return { content: undefined, accepted: [], passesGuard };
}

function refusal(
  { path, bytes: before = Buffer.alloc(0) }: CredentialsDocument,
  edits: readonly AcceptedEdit[],
  after: Buffer | undefined,
): Failure | undefined {
  if (!after) return undefined;
  return guardRefusal(path, { before, after }, new Map(edits.map(({ profile, edit }) => [profile, edit])));
}

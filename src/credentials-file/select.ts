import { Failure } from "../base/failure.ts";
import type { CredentialsDocument, ProfileSection } from "./document.ts";
import { checkSectionName, type Edit, managedValues } from "./edit.ts";
import { changedPart, type Versions } from "./changed-part.ts";
import { guardSplice } from "./guard.ts";
import { isManagedKey } from "./managed.ts";
import { ownershipOf } from "./ownership.ts";
import { spliceProfiles } from "./splice.ts";
import type { EditResult, PendingEdit } from "./update.ts";

/** An edit that may be made. */
export interface Accepted {
  readonly profile: string;
  readonly edit: Edit;
  /** It overwrites a section of somebody else, so a backup comes first. */
  readonly isForeign: boolean;
}

/** Sorts out the edits that are not wanted any more or not allowed; their results go into `results`. */
export function chooseEdits(
  document: CredentialsDocument,
  edits: readonly PendingEdit[],
  results: Map<string, EditResult>,
): readonly Accepted[] {
  const accepted: Accepted[] = [];
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
      checkSectionName(profile);
      managedValues(profile, edit);
      const unsafe = document.refusalOf(profile);
      if (unsafe) throw unsafe;
      const ownership = ownershipOf(section);
      const isTakenOver = ownership.kind === "foreign" && ownership.isTakenOver;
      accepted.push({ profile, edit, isForeign: foreign !== undefined && !isTakenOver });
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

/**
 * The new content of the file, checked by the guard. An edit that the guard refuses is left out; its result goes into
 * `results`, and the others go in.
 */
export function composeFile(
  document: CredentialsDocument,
  edits: readonly Accepted[],
  results: Map<string, EditResult>,
): { readonly bytes: Buffer; readonly accepted: readonly Accepted[] } {
  const all = compose(document, edits);
  if (!(all instanceof Failure)) return { bytes: all, accepted: edits };
  const good: Accepted[] = [];
  for (const edit of edits) {
    const alone = edits.length === 1 ? all : compose(document, [edit]);
    if (alone instanceof Failure) results.set(edit.profile, { kind: "failed", failure: alone });
    else good.push(edit);
  }
  const rest = compose(document, good);
  if (!(rest instanceof Failure)) return { bytes: rest, accepted: good };
  for (const { profile } of good) results.set(profile, { kind: "failed", failure: rest });
  return { bytes: document.bytes ?? Buffer.alloc(0), accepted: [] };
}

function compose(document: CredentialsDocument, edits: readonly Accepted[]): Buffer | Failure {
  const before = document.bytes ?? Buffer.alloc(0);
  const byProfile = new Map(edits.map(({ profile, edit }) => [profile, edit]));
  const narrow = (versions: Versions, profiles: readonly string[]) =>
    changedPart({ ...versions, text: document.layout.text }, profiles);
  try {
    const after = spliceProfiles(document, byProfile);
    if (after !== before) guardSplice(document.path, before, after, byProfile, narrow);
    return after;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

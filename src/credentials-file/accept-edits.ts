import { Failure } from "../base/failure.ts";
import type { CredentialsDocument, ProfileSection } from "./document.ts";
import { checkSectionName, type Edit, managedValues } from "./edit.ts";
import { guardSplice } from "./guard.ts";
import { isManagedKey } from "./managed.ts";
import { ownershipOf } from "./ownership.ts";
import type { Replacement } from "../base/byte-patch.ts";
import { spliceProfiles } from "./splice.ts";
import type { EditResult, PendingEdit } from "./pending-edit.ts";

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

/** What is to be written with one write. */
export interface Composition {
  /** Undefined where nothing changes. */
  readonly replacement: Replacement | undefined;
  readonly accepted: readonly Accepted[];
  /** Asked before anything is replaced, while the disk takes the new content in: the guard reads much of a large file. */
  readonly passesGuard: () => boolean;
}

/** All edits together, which the guard has yet to pass; a failure, or one of the guard, calls for `composeApart`. */
export function composeFile(document: CredentialsDocument, edits: readonly Accepted[]): Composition | Failure {
  const all = splice(document, edits);
  if (all instanceof Failure) return all;
  return { replacement: all, accepted: edits, passesGuard: () => guard(document, edits, all) === undefined };
}

/**
 * The edits that pass the guard; the result of one that is refused goes into `results`.
 *
 * @param pause awaited before each try, which takes long with a large file; it may throw.
 */
export async function composeApart(
  document: CredentialsDocument,
  edits: readonly Accepted[],
  results: Map<string, EditResult>,
  pause: () => Promise<void>,
): Promise<Composition> {
  const refuse = (profile: string, failure: Failure) => results.set(profile, { kind: "failed", failure });
  const passing = async (some: readonly Accepted[]): Promise<readonly Accepted[]> => {
    await pause();
    const [first, second] = some;
    if (!first) return [];
    const failure = compose(document, some);
    if (!(failure instanceof Failure)) return some;
    if (second) {
      const half = some.length / 2;
      return [...(await passing(some.slice(0, half))), ...(await passing(some.slice(half)))];
    }
    refuse(first.profile, failure);
    return [];
  };
  const passesGuard = () => true;
  const good = await passing(edits);
  const together = compose(document, good);
  if (!(together instanceof Failure)) return { replacement: together, accepted: good, passesGuard };
  for (const { profile } of good) refuse(profile, together);
  return { replacement: undefined, accepted: [], passesGuard };
}

function compose(document: CredentialsDocument, edits: readonly Accepted[]): Replacement | Failure | undefined {
  const replacement = splice(document, edits);
  return replacement instanceof Failure ? replacement : (guard(document, edits, replacement) ?? replacement);
}

function splice(document: CredentialsDocument, edits: readonly Accepted[]): Replacement | Failure | undefined {
  return orFailure(() => spliceProfiles(document, byProfile(edits)));
}

function guard(
  { path, bytes = Buffer.alloc(0) }: CredentialsDocument,
  edits: readonly Accepted[],
  replacement: Replacement | undefined,
): Failure | undefined {
  if (!replacement) return undefined;
  return orFailure(() => {
    guardSplice(path, bytes, replacement, byProfile(edits));
    return undefined;
  });
}

function byProfile(edits: readonly Accepted[]): ReadonlyMap<string, Edit> {
  return new Map(edits.map(({ profile, edit }) => [profile, edit]));
}

function orFailure<T>(work: () => T): T | Failure {
  try {
    return work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

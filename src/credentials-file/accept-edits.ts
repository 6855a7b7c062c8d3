import { Failure } from "../base/failure.ts";
import type { CredentialsDocument } from "./document.ts";
import type { EditResult, PendingEdit } from "./edit.ts";
import { guardRefusal } from "./guard.ts";
import { foreignFailure, foreignTo } from "./ownership.ts";
import { applyEdits, type PreparedEdit, prepareEdit } from "./splice.ts";

/** An edit that may be made. */
export interface AcceptedEdit extends PreparedEdit {
  /** It overwrites a section that rolefresh did not write, so a backup comes first. */
  readonly isForeign: boolean;
}

/** The edits that are still wanted and allowed; the results of the others go into `results`. */
export function acceptEdits(
  document: CredentialsDocument,
  edits: readonly PendingEdit[],
  results: Map<string, EditResult>,
): readonly AcceptedEdit[] {
  const accepted: AcceptedEdit[] = [];
  for (const { profile, edit, overwrite, stillWanted } of edits) {
    const section = document.profile(profile);
    if (!stillWanted(section)) {
      results.set(profile, { kind: "skipped", section });
      continue;
    }
    const foreign = foreignTo(edit.kind, section);
    try {
      if (foreign && !overwrite) throw foreignFailure(edit.kind, profile, document.path, foreign);
      const isForeign = foreign !== undefined && !foreign.isTakenOver;
      accepted.push({ ...prepareEdit(document, profile, edit), isForeign });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      results.set(profile, { kind: "failed", failure: error });
    }
  }
  return accepted;
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

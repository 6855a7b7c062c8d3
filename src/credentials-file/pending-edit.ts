import type { Failure } from "../base/failure.ts";
import type { ProfileSection } from "./document.ts";
import type { Edit } from "./edit.ts";

/** One profile's part of an update. */
export interface PendingEdit {
  readonly profile: string;
  readonly edit: Edit;
  /** Write over a section that somebody else owns, after a backup. */
  readonly overwrite: boolean;
  /** Asked under the lock with what the file holds now; false when somebody else was faster. */
  readonly stillWanted: (section: ProfileSection | undefined) => boolean;
}

/** What became of one profile's edit. */
export type EditResult =
  /** The file holds it; `changed` is false when it did so before. */
  | { readonly kind: "written"; readonly changed: boolean }
  /** No longer wanted; `section` is what the file holds. */
  | { readonly kind: "skipped"; readonly section: ProfileSection | undefined }
  | { readonly kind: "failed"; readonly failure: Failure };

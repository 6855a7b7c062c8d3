import { Failure } from "../base/failure.ts";
import { type CredentialsDocument, parseDocument } from "../credentials-file/document.ts";
import type { ProfileSection } from "../credentials-file/section.ts";
import { refusalOf } from "../credentials-file/writability.ts";
import type { ResolvedFile } from "../safe-file/sibling-paths.ts";
import { resolveFile } from "../safe-file/resolve-file.ts";
import { ownershipOf } from "../credentials-file/ownership.ts";
import { type FileStamp, readTarget, sameStamp, stampOf } from "../safe-file/read-target.ts";
import type { WrittenProfile } from "../plan/profile-state.ts";
import { awaitFileSystem, type TimeLimit } from "../safe-file/time-limit.ts";
import type { World } from "../base/world.ts";

/** A credentials file as last read. */
export interface CredentialsView {
  /** As configured. */
  readonly path: string;
  /** Undefined when the path itself is refused (see `failure`). */
  readonly file: ResolvedFile | undefined;
  /** Undefined when the file cannot be read (see `failure`). */
  readonly document: CredentialsDocument | undefined;
  readonly failure: Failure | undefined;
  written(profile: string): WrittenProfile | undefined;
  /** Why this profile cannot be written safely in this file, or undefined when it can. */
  refusalOf(profile: string): Failure | undefined;
  /** Reads the file again if it changed; true when it did. */
  lookAgain(): Promise<boolean>;
}

/** Reads a credentials file as configured. What is wrong with it becomes the view's `failure`. */
export async function openCredentialsView(
  path: string,
  world: Pick<World, "uid"> & TimeLimit,
): Promise<CredentialsView> {
  const view = new FileView(path, world);
  await view.read();
  return view;
}

class FileView implements CredentialsView {
  readonly path: string;
  readonly #world: Pick<World, "uid"> & TimeLimit;
  #stamp: FileStamp | undefined;
  #isIncomplete = false;
  file: ResolvedFile | undefined;
  document: CredentialsDocument | undefined;
  failure: Failure | undefined;

  constructor(path: string, world: Pick<World, "uid"> & TimeLimit) {
    this.path = path;
    this.#world = world;
  }

  async read(): Promise<void> {
    try {
      const { uid } = this.#world;
      await awaitFileSystem(this.path, this.#world);
      this.file = await resolveFile(this.path, uid);
      const snapshot = await readTarget(this.file, uid);
      this.#stamp = snapshot.stamp;
      this.#isIncomplete = snapshot.isIncomplete;
      this.document = parseDocument(snapshot);
      this.failure = undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.document = undefined;
      this.failure = error;
    }
  }

  written(profile: string): WrittenProfile | undefined {
    const section = this.document?.profile(profile);
    if (!section) return undefined;
    // A write in place was cut off: the next one heals the file, so there must be a next one.
    return this.#isIncomplete ? { ...toWritten(section), complete: false } : toWritten(section);
  }

  refusalOf(profile: string): Failure | undefined {
    return this.failure ?? (this.document && refusalOf(this.document, profile));
  }

  async lookAgain(): Promise<boolean> {
    if (this.file && !this.failure && sameStamp(await stampOf(this.file), this.#stamp)) return false;
    await this.read();
    return true;
  }
}

/** A section as the plan sees it, without secrets. */
export function toWritten(section: ProfileSection): WrittenProfile {
  const ownership = ownershipOf(section);
  const { secretAccessKey, sessionToken, securityToken } = section;
  return {
    accessKeyId: section.accessKeyId,
    complete:
      !section.hasStrayLine &&
      secretAccessKey !== undefined &&
      sessionToken !== undefined &&
      securityToken !== undefined &&
      sessionToken.equals(securityToken),
    principalArn: section.principalArn,
    expiresAt: section.expiresAt,
    foreign: ownership.kind === "foreign" ? ownership.reason : undefined,
    isTakenOver: ownership.kind === "foreign" && ownership.isTakenOver,
  };
}

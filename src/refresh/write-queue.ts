import type { Deadline } from "../base/deadline.ts";
import type { Reporter } from "../output/report.ts";
import type { ProfileSpec } from "../config/config.ts";
import type { ResolvedFile } from "../safe-file/sibling-paths.ts";
import type { EditResult, PendingEdit } from "../credentials-file/edit.ts";
import type { World } from "../base/world.ts";
import type { Loaded } from "./load.ts";

/** How long new credentials wait for others of the same file; milliseconds. A crash loses no more than these. */
const GATHER_MS = 1000;

/** The writes of one credentials file: edits that are ready together share one write. */
export interface WriteQueue {
  /** Announces an edit that is worth waiting for. */
  expect(): Pending;
  /** Resolves when the edit is in the file, or is known not to be. */
  submit(edit: PendingEdit): Promise<EditResult>;
}

/** One announced edit. Both calls may be repeated. */
export interface Pending {
  /** It ended, or waits for another process: the queue does not wait for it. */
  release(): void;
  /** It is on its way again. */
  resume(): void;
}

/** What the queues of a run share. */
export interface WriteQueuesContext {
  readonly world: World;
  /** Longer than the run's: credentials obtained in time are still written. */
  readonly writeDeadline: Deadline;
  readonly reporter: Reporter;
}

/** The queues of a run, one per file whatever path it is configured by, opened on first use. */
export function openWriteQueues(
  { config, viewOf }: Loaded,
  context: WriteQueuesContext,
): (spec: ProfileSpec) => WriteQueue {
  const queues = new Map<string, WriteQueue>();
  return (spec) => {
    const { file } = viewOf(spec);
    if (!file) throw new Error(`${spec.credentialsFile} was not resolved`);
    const existing = queues.get(file.target);
    if (existing) return existing;
    const inPlace = config.profiles.some(
      (other) => other.writeMode === "in-place" && viewOf(other).file?.target === file.target,
    );
    const queue = new FileQueue(file, inPlace ? "in-place" : "atomic", context);
    queues.set(file.target, queue);
    return queue;
  };
}

interface Submitted {
  readonly edit: PendingEdit;
  readonly resolve: (result: EditResult) => void;
  readonly reject: (error: unknown) => void;
}

class FileQueue implements WriteQueue {
  readonly #file: ResolvedFile;
  readonly #writeMode: "atomic" | "in-place";
  readonly #context: WriteQueuesContext;
  #expected = 0;
  #submitted: Submitted[] = [];
  #writing: Promise<void> = Promise.resolve();
  #gathering = new AbortController();

  constructor(file: ResolvedFile, writeMode: "atomic" | "in-place", context: WriteQueuesContext) {
    this.#file = file;
    this.#writeMode = writeMode;
    this.#context = context;
  }

  expect(): Pending {
    let isCounted = true;
    this.#expected++;
    return {
      release: () => {
        if (isCounted) this.#expected--;
        isCounted = false;
        this.#writeIfComplete();
      },
      resume: () => {
        if (!isCounted) this.#expected++;
        isCounted = true;
      },
    };
  }

  submit(edit: PendingEdit): Promise<EditResult> {
    return new Promise((resolve, reject) => {
      this.#submitted.push({ edit, resolve, reject });
      if (this.#submitted.length === 1) void this.#writeLater();
      this.#writeIfComplete();
    });
  }

  #writeIfComplete(): void {
    if (this.#expected === 0 && this.#submitted.length > 0) this.#writeNext();
  }

  async #writeLater(): Promise<void> {
    const gathering = new AbortController();
    this.#gathering = gathering;
    const { world, writeDeadline } = this.#context;
    try {
      await world.sleep(GATHER_MS, AbortSignal.any([gathering.signal, writeDeadline.signal]));
    } catch {
      // Either the batch was written meanwhile, or time is up and it is written now.
    }
    if (!gathering.signal.aborted) this.#writeNext();
  }

  /** One write at a time. */
  #writeNext(): void {
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    const batch = this.#submitted;
    this.#submitted = [];
    this.#gathering.abort();
    if (batch.length === 0) return;
    const { world, writeDeadline: deadline, reporter } = this.#context;
    try {
      const { updateCredentialsFile } = await import("./update-credentials-file.ts");
      const { results, warnings } = await updateCredentialsFile(
        { file: this.#file, edits: batch.map(({ edit }) => edit), writeMode: this.#writeMode },
        { clock: world, deadline, uid: world.uid, umask: world.umask },
      );
      for (const { line, message } of warnings) reporter.warning(`${this.#file.path}:${line}: ${message}`);
      for (const { edit, resolve, reject } of batch) {
        const result = results.get(edit.profile);
        if (result) resolve(result);
        else reject(new Error(`no result for profile ${edit.profile}`));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

import type { Deadline } from "../base/deadline.ts";
import type { Reporter } from "../output/report.ts";
import type { ProfileSpec } from "../config/config.ts";
import type { FileWarning } from "../credentials-file/warnings.ts";
import type { ResolvedFile } from "../safe-file/resolve-file.ts";
import type { EditResult, PendingEdit } from "../credentials-file/edit.ts";
import type { World } from "../base/world.ts";
import type { Loaded } from "./load.ts";

/** New credentials wait at most this long for others of the same file, so that a crash in a long run loses little. */
const GATHER_MS = 1000;

/**
 * Gathers the new credentials of one file, so that all that are obtained together go in with one write, and writes what
 * there is when nothing more is under way or a second has passed.
 */
export interface WriteQueue {
  /** Another profile of this file is on its way: its write is worth waiting for. */
  expect(): Pending;
  /** Resolves when the edit is in the file, or is known not to be. */
  submit(edit: PendingEdit): Promise<EditResult>;
}

/** One announced profile. Saying the same twice changes nothing. */
export interface Pending {
  /** It ended, or it waits for another process: nobody should wait for it. */
  release(): void;
  /** It is on its way again. */
  resume(): void;
}

/** What the queues of a run need of it. */
export interface WriteQueuesContext {
  readonly world: World;
  readonly writeDeadline: Deadline;
  readonly reporter: Reporter;
}

/** The queues of a run, each opened when it is first asked for: one for each file, whatever path it is configured by. */
export function openWriteQueues(
  { config, viewOf }: Loaded,
  { world, writeDeadline, reporter }: WriteQueuesContext,
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
    const queue = openWriteQueue(file, inPlace ? "in-place" : "atomic", {
      world,
      deadline: writeDeadline,
      onWarnings: (target, warnings) => {
        for (const warning of warnings) reporter.warning(`${target.path}:${warning.line}: ${warning.message}`);
      },
    });
    queues.set(file.target, queue);
    return queue;
  };
}

/** What the queue's writes need. */
interface WriteQueueContext {
  readonly world: World;
  /** Longer than the run's: what was obtained in time is still written. */
  readonly deadline: Deadline;
  readonly onWarnings: (file: ResolvedFile, warnings: readonly FileWarning[]) => void;
}

interface Waiting {
  readonly edit: PendingEdit;
  readonly settle: (result: EditResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens the queue of one credentials file: edits that are ready together go in with one write, and one that is ready
 * is not kept waiting for long by those that are still on their way.
 */
function openWriteQueue(file: ResolvedFile, writeMode: "atomic" | "in-place", context: WriteQueueContext): WriteQueue {
  let expected = 0;
  let waiting: Waiting[] = [];
  let writing: Promise<void> = Promise.resolve();
  let timer = new AbortController();

  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    timer.abort();
    if (batch.length === 0) return;
    try {
      const { updateCredentialsFile } = await import("./update-credentials-file.ts");
      const { results, warnings } = await updateCredentialsFile(
        { file, edits: batch.map(({ edit }) => edit), writeMode },
        { clock: context.world, deadline: context.deadline, uid: context.world.uid },
      );
      context.onWarnings(file, warnings);
      for (const { edit, settle, reject } of batch) {
        const result = results.get(edit.profile);
        if (result) settle(result);
        else reject(new Error(`no result for profile ${edit.profile}`));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  const flushNext = () => {
    writing = writing.then(flush);
  };
  const flushLater = async (): Promise<void> => {
    const mine = new AbortController();
    timer = mine;
    try {
      await context.world.sleep(GATHER_MS, AbortSignal.any([mine.signal, context.deadline.signal]));
    } catch {
      // Aborted: either this batch has been written meanwhile, or time is up and it goes out now.
    }
    if (!mine.signal.aborted) flushNext();
  };
  const flushIfAlone = () => {
    if (expected === 0 && waiting.length > 0) flushNext();
  };

  return {
    expect: () => {
      let counted = true;
      expected++;
      return {
        release: () => {
          if (counted) expected--;
          counted = false;
          flushIfAlone();
        },
        resume: () => {
          if (!counted) expected++;
          counted = true;
        },
      };
    },
    submit: (edit) =>
      new Promise((settle, reject) => {
        waiting.push({ edit, settle, reject });
        if (waiting.length === 1) void flushLater();
        flushIfAlone();
      }),
  };
}

import { type BigIntStats, statSync } from "node:fs";

import { type CacheOwner, keepCached, readCached } from "../../base/cache.ts";
import { errnoOf } from "../../base/failure.ts";
import { isSettled, stampText } from "../../base/file-stamp.ts";
import { CONFIG_VARIABLES } from "../../config/config.ts";
import type { ConfigOptions } from "../../config/read.ts";
import { fractionOf } from "../../plan/due.ts";
import type { Step } from "../../plan/plan.ts";
import { VERSION } from "../../version.ts";
import type { World } from "../../world.ts";
import type { Loaded } from "./load.ts";

/**
 * The one fast path. A run that found every profile fresh leaves a note in the cache: until when that holds, and the stamps
 * of all files that it was read from. While the clock is between the two and the stamps are the same, the same question has
 * the same answer, and nothing needs to be read. Anything else, a note that is not there or cannot be read included, goes
 * the usual way.
 */
interface FreshNote {
  /** What was asked, and all that the answer depends on besides files and time. */
  readonly question: string;
  /** Milliseconds since 1970. Before it the clock was put back, and the note says nothing. */
  readonly from: number;
  /** When the first of the profiles becomes due. */
  readonly until: number;
  /** Every file by its path, with its stamp; null: it must not be there. */
  readonly files: Readonly<Record<string, string | null>>;
}

/** What `refresh` and `check` are asked. Of the config-free form no note is kept: its flags may hold secrets. */
export interface Question {
  readonly config: ConfigOptions;
  readonly profiles: readonly string[];
}

/** What an answer depends on, and whose cache it is in. */
export type NoteWorld = Pick<World, "now" | "env" | "home" | "cwd" | "hostname"> & CacheOwner;

/** Whether an earlier run found that nothing is due before now, and nothing has changed since. It reads no file but the note. */
export function isKnownFresh(question: Question, world: NoteWorld): boolean {
  if (question.config.inline) return false;
  const asked = renderQuestion(question, world);
  const text = readCached(nameOf(asked), world);
  const note = text === undefined ? undefined : parseNote(text);
  if (note?.question !== asked) return false;
  const now = world.now().getTime();
  if (now < note.from || now >= note.until) return false;
  return Object.entries(note.files).every(([path, stamp]) => stampAt(path) === stamp);
}

/**
 * Leaves a note that nothing is due, if that is so for every step and if the next change of a file will be seen by its
 * stamp.
 *
 * @param steps the plan for `question`
 */
export function noteFresh(question: Question, loaded: Loaded, steps: readonly Step[], world: NoteWorld): void {
  if (question.config.inline) return;
  const now = world.now();
  let until = Number.POSITIVE_INFINITY;
  for (const { action, state } of steps) {
    if (action !== "keep" || !state.refreshAt) return;
    until = Math.min(until, state.refreshAt.getTime());
  }
  const files: Record<string, string | null> = {};
  for (const seen of [loaded.config.seen, ...loaded.views.map((view) => view.seen)]) {
    if (!seen) return;
    for (const [path, stamp = null] of seen) {
      const stats = statsAt(path);
      if (stats === "unknown" || (stats && !isSettled(stats, now))) return;
      if ((stats ? stampText(stats) : null) !== stamp) return;
      files[path] = stamp;
    }
  }
  const asked = renderQuestion(question, world);
  const note: FreshNote = { question: asked, from: now.getTime(), until, files };
  keepCached(nameOf(asked), JSON.stringify(note), world);
}

function renderQuestion({ config, profiles }: Question, { env, home, cwd, hostname, uid }: NoteWorld): string {
  const { configFile, credentialsFile } = config;
  const variables = CONFIG_VARIABLES.map((name) => env[name] ?? null);
  return JSON.stringify([VERSION, configFile, credentialsFile, profiles, variables, home, cwd, hostname, uid]);
}

/** Notes of two questions that share a name replace each other; each says which question it answers. */
function nameOf(question: string): string {
  return `fresh-${Math.floor(fractionOf(question) * 2 ** 32).toString(16)}.json`;
}

function parseNote(text: string): FreshNote | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A power cut may leave anything.
    return undefined;
  }
  return isNote(value) ? value : undefined;
}

function isNote(value: unknown): value is FreshNote {
  if (typeof value !== "object" || value === null) return false;
  if (!("question" in value && "from" in value && "until" in value && "files" in value)) return false;
  const { question, from, until, files } = value;
  return (
    typeof question === "string" &&
    typeof from === "number" &&
    typeof until === "number" &&
    typeof files === "object" &&
    files !== null
  );
}

/** Null when nothing is there; a path that cannot be looked at is like no stamp: the usual way tells why. */
function stampAt(path: string): string | null {
  const stats = statsAt(path);
  if (stats === "unknown") return stats;
  return stats ? stampText(stats) : null;
}

function statsAt(path: string): BigIntStats | undefined | "unknown" {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return "unknown";
  }
}

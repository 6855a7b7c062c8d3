import type { Output } from "../base/world.ts";

/** One changing line per profile, on a terminal only. */
export interface Progress {
  set(profile: string, phase: string): void;
  /** Clears the lines. */
  done(): void;
}

const SILENT: Progress = { set: () => undefined, done: () => undefined };

/** More lines would scroll and flicker: only the last ones that changed are shown. */
const MAX_LINES = 20;

/** Progress on `err` when it is a terminal, else nothing. The terminal library is loaded only then. */
export async function openProgress(err: Output, wanted: boolean): Promise<Progress> {
  if (!wanted || !err.isTTY) return SILENT;
  const { createLogUpdate } = await import("log-update");
  const { Writable } = await import("node:stream");
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: unknown, _encoding, callback) => {
      err.write(String(chunk));
      callback();
    },
  });
  const terminal = Object.assign(stream, { isTTY: true as const, columns: err.columns ?? 80, rows: 24 });
  const show = createLogUpdate(terminal, { showCursor: true });
  const phases = new Map<string, string>();
  const render = () => {
    const lines = [...phases].slice(-MAX_LINES).map(([profile, phase]) => `${profile}: ${phase}`);
    show(lines.join("\n"));
  };
  return {
    set(profile, phase) {
      phases.delete(profile);
      phases.set(profile, phase);
      render();
    },
    done() {
      show.clear();
    },
  };
}

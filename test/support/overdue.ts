import { existsSync } from "node:fs";

import type { RunOptions, RunResult } from "./run-bin.ts";
import type { Scene } from "./scene.ts";

const PRELOAD = `--import=${new URL("deadline-now.js", import.meta.url).href}`;
const POLL_MS = 20;

/**
 * Runs the program so that its deadline comes when the test says, however fast the machine is: with `--timeout 1h`, and as
 * soon as `isReached` that hour is over. A run that never gets there ends by itself, or hangs the test.
 */
export async function runOverdue(
  scene: Pick<Scene, "run">,
  args: readonly string[],
  isReached: () => boolean,
  options: Partial<RunOptions> = {},
): Promise<RunResult> {
  let poll: NodeJS.Timeout | undefined;
  try {
    return await scene.run([...args, "--timeout", "1h"], {
      ...options,
      env: { ...options.env, NODE_OPTIONS: PRELOAD },
      onSpawn: (child) => {
        poll = setInterval(() => {
          if (!isReached()) return;
          clearInterval(poll);
          child.kill("SIGUSR2");
        }, POLL_MS);
        options.onSpawn?.(child);
      },
    });
  } finally {
    clearInterval(poll);
  }
}

/** For `runOverdue`: a command that the program starts has made this file. */
export const isThere = (path: string) => (): boolean => existsSync(path);

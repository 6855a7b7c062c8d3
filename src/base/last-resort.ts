import type { Worker } from "node:worker_threads";

import type { LastResort } from "./world.ts";

/** Most runs are over by then, and pay nothing. */
const LOOK_AFTER_MS = 2000;

/**
 * Counts seconds in a thread of its own, so that it goes on where the main thread is stuck in a file call. In steps: one step
 * passes, not an hour, while the machine or the process is stopped.
 */
const COUNTER = `
const { workerData } = require("node:worker_threads");
let seconds = 0;
setInterval(() => {
  if (++seconds >= workerData.seconds) process.kill(workerData.pid, "SIGKILL");
}, 1000);`;

/**
 * The end of a process that the kernel holds: a file on a mount whose server is gone. SIGKILL is the one thing that such a
 * process obeys, and its locks then die with it.
 *
 * @param kill sends it to this process
 */
export function openLastResort(pid: number, kill: () => void): LastResort {
  let counting: Promise<Worker | undefined> | undefined;

  const count = async (ms: number): Promise<Worker | undefined> => {
    const { Worker } = await import("node:worker_threads");
    const workerData = { pid, seconds: Math.ceil(ms / 1000) };
    // Without the options of this process, which are about its own script.
    const worker = new Worker(COUNTER, { eval: true, workerData, execArgv: [] });
    // No memory or no threads left: then the timers of the main thread are all there is.
    worker.on("error", () => undefined);
    worker.unref();
    return worker;
  };

  return {
    killAfter: (ms) => {
      const timer = setTimeout(kill, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
    watch: (ms) => {
      // One is enough: what begins later ends a moment later.
      const timer = setTimeout(() => (counting ??= count(ms)), LOOK_AFTER_MS);
      timer.unref();
      return () => {
        clearTimeout(timer);
        void counting?.then((worker) => worker?.terminate());
        counting = undefined;
      };
    },
  };
}

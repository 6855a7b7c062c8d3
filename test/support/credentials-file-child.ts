import { startDeadline } from "../../src/base/deadline.ts";
import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { lockFile, tryFlight } from "../../src/safe-file/lock.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { REMOVE, WRITE } from "./credentials-file-keys.ts";
import { clock, pending, UID } from "./credentials-file-home.ts";
import { failNth } from "./fail-nth.ts";

/**
 * A process of its own for the tests of locks and crashes. It prints a line when it is where the test wants it.
 *
 *     crash PATH MODE N      update profile p; SIGKILL itself before the N-th file operation
 *     update PATH PROFILE…   update each profile in turn, then print `done`
 *     update-counting PATH P update profile P, then print how often the file looked half-written
 *     update-forever PATH    print `started`, then take and release locks and write until it is killed
 *     hold PATH WHAT         take the file's lock or profile p's flight, print `held`, keep it until told by a signal
 *     handled PATH           as hold, with a signal handler that releases, prints `released` and dies of the signal
 *     busy PATH MS           take the flight, print `held`, block the event loop for MS, print `lost` or `kept`
 */
const [, , task = "", path = "", ...rest] = process.argv;
const deadline = startDeadline(60_000, clock, new AbortController().signal);
const never = new AbortController().signal;

async function run(): Promise<void> {
  const file = await resolveFile(path, UID);
  switch (task) {
    case "crash": {
      const [mode = "", n = ""] = rest;
      let left = Number(n);
      const { ops } = failNth(undefined, "", () => {
        if (left-- === 0) process.kill(process.pid, "SIGKILL");
      });
      const writeMode = mode === "in-place" ? "in-place" : "atomic";
      await updateCredentialsFile({ file, edits: [pending("p")], writeMode }, { clock, deadline, uid: UID, ops });
      process.stdout.write("done\n");
      break;
    }
    case "update":
      for (const profile of rest)
        await updateCredentialsFile(
          { file, edits: [pending(profile)], writeMode: "atomic" },
          { clock, deadline, uid: UID },
        );
      process.stdout.write("done\n");
      break;
    case "update-counting": {
      let waited = 0;
      const counting = {
        ...clock,
        sleep: async (ms: number, signal: AbortSignal) => {
          // Waiting for the lock or trying again takes less than a tenth of a second at a time (lock.ts, update.ts).
          if (ms >= 100) waited++;
          await clock.sleep(ms, signal);
        },
      };
      const edits = [pending(rest[0] ?? "")];
      await updateCredentialsFile({ file, edits, writeMode: "atomic" }, { clock: counting, deadline, uid: UID });
      process.stdout.write(`waited ${waited} times\n`);
      break;
    }
    case "update-forever":
      for (let n = 0; ; n++) {
        const flight = await tryFlight(file, "p");
        await updateCredentialsFile(
          {
            file,
            edits: [pending(`p${n % 2}`), pending("p", { edit: n % 2 === 0 ? REMOVE : WRITE })],
            writeMode: "atomic",
          },
          { clock, deadline, uid: UID },
        );
        await flight?.release();
        if (n === 0) process.stdout.write("started\n");
      }
    case "hold":
    case "handled": {
      const lease = rest[0] === "file" ? await lockFile(file, clock, deadline) : await tryFlight(file, "p");
      if (task === "handled") {
        process.once("SIGTERM", () => {
          void lease?.release().then(() => {
            process.stdout.write("released\n", () => process.kill(process.pid, "SIGTERM"));
          });
        });
      }
      process.stdout.write(lease ? "held\n" : "not held\n");
      await clock.sleep(60_000, never);
      break;
    }
    case "busy": {
      const lease = await tryFlight(file, "p");
      process.stdout.write("held\n");
      const until = performance.now() + Number(rest[0]);
      while (performance.now() < until);
      // One heartbeat more, which would find the lock gone.
      await clock.sleep(2500, never);
      process.stdout.write(lease?.lost.aborted ? "lost\n" : "kept\n");
      await lease?.release();
      break;
    }
    default:
      throw new Error(`no task ${task}`);
  }
  deadline.clear();
}

await run();

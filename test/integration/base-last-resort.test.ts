import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { suite, test } from "node:test";

const MODULE = new URL("../../src/base/last-resort.js", import.meta.url).href;

/** Runs a script that has `resort` of a process of its own; how it ended, once it did. */
function endOf(script: string): Promise<string> {
  const source = `
    import { openLastResort } from ${JSON.stringify(MODULE)};
    const resort = openLastResort(process.pid, () => process.kill(process.pid, "SIGKILL"));
    ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  // Only a hang can miss it.
  const hang = setTimeout(() => child.kill("SIGQUIT"), 60_000);
  return new Promise((resolve) =>
    child.once("close", (code, signal) => {
      clearTimeout(hang);
      resolve(signal ?? `exit ${code}`);
    }),
  );
}

/** The main thread in a call that never returns, once the other one has had its time to start. */
const BLOCK = "setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 4000);";

suite("the last resort", () => {
  test("ends a process whose main thread is blocked", async () => {
    assert.equal(await endOf(`resort.watch(3000); ${BLOCK}`), "SIGKILL");
  });

  test("ends one by its own timer", async () => {
    assert.equal(await endOf("resort.killAfter(10); setInterval(() => {}, 60_000);"), "SIGKILL");
  });

  test("spares one that has called it off, before the thread started and after", async () => {
    assert.equal(await endOf("resort.watch(3000)(); resort.killAfter(1)();"), "exit 0");
    assert.equal(
      await endOf("const off = resort.watch(2500); setTimeout(off, 3000); setTimeout(() => {}, 6500);"),
      "exit 0",
    );
  });

  test("keeps no process alive", async () => {
    assert.equal(await endOf("resort.watch(3_600_000); resort.killAfter(3_600_000);"), "exit 0");
  });
});

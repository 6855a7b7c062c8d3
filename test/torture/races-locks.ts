import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { lstat, mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { resolveFile } from "../../src/safe-file/resolve-file.ts";
import { fileLockOf } from "../../src/safe-file/sibling-paths.ts";
import { flightLockOf } from "../../src/safe-file/lock.ts";
import { ageLocks, BEFORE, checkKeys, foreignBytes, leftovers, openFaultScene } from "../support/fault-scene.ts";
import { inParallel } from "../support/in-parallel.ts";
import { Mount, mountMissing, must } from "../support/mounts.ts";
import { BIN, runProgram, type RunResult } from "../support/run-bin.ts";
import { ONE_ROLE, type Scene } from "../support/scene.ts";
import { runStraced, straceMissing } from "../support/strace.ts";
import { toolMissing } from "../support/tool.ts";
import { Tally, type TortureResult, type TortureSuite } from "../support/torture.ts";
import { nameOf, recordCalls } from "./faults-syscalls.ts";

/** One state of the locks, and what is promised in it. */
export interface LockFault {
  readonly name: string;
  readonly missing: () => Promise<string | undefined>;
  /** Too long for every run of the tests. */
  readonly isLong?: boolean;
  /** @returns what was counted, for the table */
  readonly run: () => Promise<string | undefined>;
}

const SILENT = { code: 0, signal: null, stdout: "", stderr: "" };
const COARSE = new URL("../support/coarse-mtime.js", import.meta.url).href;
const always = (): Promise<undefined> => Promise.resolve(undefined);

const fileOf = (scene: Scene) => resolveFile(scene.home.credentials, process.geteuid?.());

interface Held {
  readonly child: { readonly pid?: number | undefined; kill(signal: NodeJS.Signals): boolean };
  readonly ended: Promise<RunResult>;
  /** When its lock was dated last, in milliseconds. */
  readonly datedMs: () => Promise<number>;
  /** Lets STS answer. */
  readonly letGo: () => void;
}

/** A run that holds the flight of `default`: STS keeps it waiting. */
async function hold(
  scene: Scene,
  options: { command?: string; args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Held> {
  scene.sandbox.misbehave("sts", { kind: "hold" }, { times: 1 });
  const called = scene.sandbox.nextCall("AssumeRoleWithWebIdentity");
  const { command = process.execPath, args = [BIN], env = {} } = options;
  let child: Held["child"] | undefined;
  const ended = runProgram(command, [...args, "refresh"], {
    env: { ...scene.env, ...env },
    onSpawn: (spawned) => {
      child = spawned;
    },
  });
  const early = await Promise.race([called.then(() => undefined), ended]);
  assert.equal(early, undefined, `it ended before it called: ${early?.stderr}`);
  const lock = flightLockOf(await fileOf(scene), "default");
  assert.ok(child);
  return {
    child,
    ended,
    datedMs: async () => (await lstat(lock)).mtimeMs,
    letGo: () => scene.sandbox.misbehave("sts", undefined),
  };
}

/** Resolves when the holder has touched its lock so many times more. */
async function heartbeats(held: Held, count: number): Promise<void> {
  let last = await held.datedMs();
  for (let left = count, polls = 0; left > 0; polls++) {
    assert.ok(polls < 1200, "its lock is no longer kept alive");
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    const now = await held.datedMs();
    if (now !== last) left--;
    last = now;
  }
}

const callsOf = (scene: Scene): number => scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length;

/** A dead lock, dated so many seconds from now; the next run takes it over. */
const deadLock = (what: string, seconds: number, hasTakeover = false): LockFault => ({
  name: `the locks of a dead process, dated ${what}, are taken over`,
  missing: always,
  run: async () => {
    await using scene = await openFaultScene();
    const file = await fileOf(scene);
    const at = Date.now() / 1000 + seconds;
    const locks = [fileLockOf(file), flightLockOf(file, "default")];
    for (const lock of [...locks, ...(hasTakeover ? [`${fileLockOf(file)}.takeover`] : [])]) {
      await mkdir(lock);
      await utimes(lock, at, at);
    }
    const startedAt = performance.now();
    assert.deepEqual(await scene.run(["refresh"]), SILENT);
    checkKeys(scene.sandbox, await scene.credentials(), "default");
    assert.deepEqual(await leftovers(scene), []);
    return `after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  },
});

/** A holder whose clock jumps while it waits for STS. */
const jump = (offset: string): LockFault => ({
  name: `the clock of a holder jumps by ${offset}: its lock stays alive or is taken over, the file is right, and one more STS call at most is made`,
  missing: () => Promise.resolve(toolMissing("faketime", ["-f", "+1h", "true"])),
  run: async () => {
    await using scene = await openFaultScene();
    const stamp = await scene.home.write("clock", "+0");
    const env = {
      FAKETIME_TIMESTAMP_FILE: stamp,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_XRESET: "0",
    };
    const held = await hold(scene, {
      command: "env",
      args: [`LD_PRELOAD=${faketimeLibrary()}`, process.execPath, BIN],
      env,
    });
    await writeFile(stamp, offset);
    await heartbeats(held, 2);
    const other = scene.run(["refresh"]);
    await Promise.race([other, heartbeats(held, 4).catch(() => undefined)]);
    held.letGo();
    const [first, second] = await Promise.all([held.ended, other]);
    assert.deepEqual(second, SILENT);
    assert.equal(first.code, 0);
    assert.match(first.stderr, /^(?:rolefresh: warning: this machine's clock is .*\n.*\n)?$/);
    checkKeys(scene.sandbox, await scene.credentials(), "default");
    assert.deepEqual(await leftovers(scene), []);
    assert.ok(callsOf(scene) <= 2);
    return `${callsOf(scene)} STS call(s)`;
  },
});

function faketimeLibrary(): string {
  const { stdout } = spawnSync(
    "sh",
    ["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib*/faketime/libfaketimeMT.so.1 2>/dev/null"],
    { encoding: "utf8" },
  );
  return stdout.split("\n")[0] ?? "";
}

/** Two runs, one after the other, on a file system with coarse times: the second waits for the first through heartbeats. */
async function waitThroughHeartbeats(scene: Scene, env: Record<string, string>): Promise<void> {
  const held = await hold(scene, { env });
  const other = scene.run(["refresh"], { env });
  await heartbeats(held, 3);
  held.letGo();
  assert.deepEqual(await Promise.all([held.ended, other]), [SILENT, SILENT]);
  assert.equal(callsOf(scene), 1);
  checkKeys(scene.sandbox, await scene.credentials(), "default");
  assert.deepEqual(await leftovers(scene), []);
}

const TWO_ROLES = `${ONE_ROLE}\n${ONE_ROLE.replace("[default]", "[second]")}`;

/** Freezes a run at a call; another one takes its locks over and writes another profile; then the first one wakes. */
async function freezeAt(call: Awaited<ReturnType<typeof recordCalls>>[number]): Promise<"kept" | "put back"> {
  await using scene = await openFaultScene("atomic", TWO_ROLES);
  const inject = { what: `${call.name}:signal=STOP:when=${call.ordinal}`, path: `${scene.home.path}${call.path}` };
  let strace = 0;
  const first = runStraced(["refresh", "default"], {
    env: scene.env,
    inject,
    onSpawn: ({ pid = 0 }) => {
      strace = pid;
    },
  });
  const pid = await untilStopped(() => strace);
  await ageLocks(scene.home.credentials);
  assert.deepEqual(await scene.run(["refresh", "second"]), SILENT);
  const between = await scene.credentials();
  process.kill(pid, "SIGCONT");
  const { code, stderr } = await first;
  assert.ok(code === 0 || code === 75, `exit ${code}: ${stderr}`);
  const content = await scene.credentials();
  assert.equal(
    foreignBytes(content, ["default", "second"]).trimEnd(),
    foreignBytes(between, ["default", "second"]).trimEnd(),
  );
  const isKept = content.includes("[second]");
  if (isKept) checkKeys(scene.sandbox, content, "second");
  await ageLocks(scene.home.credentials);
  assert.equal((await scene.run(["refresh"])).code, 0);
  const after = await scene.credentials();
  for (const profile of ["default", "second"]) checkKeys(scene.sandbox, after, profile);
  assert.ok(after.startsWith(BEFORE.slice(0, 100)));
  return isKept ? "kept" : "put back";
}

/**
 * strace is the parent, and the frozen program its child: in a tracing stop (t in ps), as it is for a moment at every call,
 * but this time for good.
 *
 * @returns its process id
 */
async function untilStopped(strace: () => number): Promise<number> {
  for (let polls = 0, seen = 0; polls < 2400; polls++) {
    const { stdout } = spawnSync("ps", ["-o", "pid=,stat=", "--ppid", String(strace())], { encoding: "utf8" });
    const [, pid] = /^\s*(\d+)\s+[Tt]/m.exec(stdout) ?? [];
    seen = pid === undefined ? 0 : seen + 1;
    if (seen === 8) return Number(pid);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error("nothing was stopped");
}

export const lockFaults: readonly LockFault[] = [
  deadLock("a minute ago", -60),
  deadLock("an hour ago", -3600),
  deadLock("an hour ago, and of one that was killed while it took one over", -3600, true),
  deadLock("in an hour, as after the clock was put back", 3600),
  {
    name: "a live process that hangs keeps its lock; who waits gives up in time, says so, and the old file stays",
    missing: always,
    run: async () => {
      await using scene = await openFaultScene();
      const held = await hold(scene);
      const { code, stderr } = await scene.run(["refresh", "--timeout", "15s"]);
      assert.equal(code, 75);
      assert.match(stderr, /another rolefresh has been refreshing it/);
      assert.equal(await scene.credentials(), BEFORE);
      held.letGo();
      assert.deepEqual(await held.ended, SILENT);
      assert.equal(callsOf(scene), 1);
      assert.deepEqual(await leftovers(scene), []);
      return undefined;
    },
  },
  {
    name: "a process that is frozen loses its lock after ten seconds; when it wakes, it finds the work done and leaves it so",
    missing: always,
    run: async () => {
      await using scene = await openFaultScene();
      const held = await hold(scene);
      held.child.kill("SIGSTOP");
      assert.deepEqual(await scene.run(["refresh"]), SILENT);
      const content = await scene.credentials();
      checkKeys(scene.sandbox, content, "default");
      held.child.kill("SIGCONT");
      held.letGo();
      assert.deepEqual(await held.ended, SILENT);
      assert.equal(await scene.credentials(), content);
      assert.deepEqual(await leftovers(scene), []);
      return undefined;
    },
  },
  jump("+1h"),
  jump("-1h"),
  {
    name: "the lock of a living process looks an hour old for a moment, as when the clock is put forward: the file is right, and one more STS call at most is made",
    missing: always,
    run: async () => {
      await using scene = await openFaultScene();
      const held = await hold(scene);
      const lock = flightLockOf(await fileOf(scene), "default");
      await utimes(lock, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600);
      const other = scene.run(["refresh"]);
      assert.deepEqual(await other, SILENT);
      held.letGo();
      const { code, stderr } = await held.ended;
      assert.deepEqual([code, stderr], [0, ""]);
      checkKeys(scene.sandbox, await scene.credentials(), "default");
      assert.deepEqual(await leftovers(scene), []);
      assert.ok(callsOf(scene) <= 2);
      return `${callsOf(scene)} STS call(s)`;
    },
  },
  {
    name: "on a file system with times in steps of one second (ext3, 128-byte inodes) a lock is kept alive and nobody takes it",
    missing: mountMissing,
    run: async () => {
      await using scene = await openFaultScene();
      const disk = join(scene.home.path, "disk");
      must("truncate", ["-s", "8M", disk]);
      must("mkfs.ext4", ["-q", "-F", "-t", "ext3", "-I", "128", disk]);
      const at = join(scene.home.path, "mounted");
      await mkdir(at);
      await using mount = Mount.on(at, ["-o", "loop", disk]);
      await scene.home.write("mounted/credentials", BEFORE);
      const config = await scene.home.read(".aws/rolefresh.ini");
      await writeFile(scene.home.config, config.replace("[*]", `[*]\ncredentials_file = ${mount.at}/credentials`));
      scene.sandbox.misbehave("sts", { kind: "latency", ms: 7000 });
      const runs = await Promise.all([scene.run(["refresh"]), scene.run(["refresh"]), scene.run(["refresh"])]);
      assert.deepEqual(runs, [SILENT, SILENT, SILENT]);
      assert.equal(callsOf(scene), 1);
      checkKeys(scene.sandbox, await scene.home.read("mounted/credentials"), "default");
      return undefined;
    },
  },
  {
    name: "where times come in steps of two seconds, as on FAT, a lock is kept alive and nobody takes it",
    missing: always,
    run: async () => {
      await using scene = await openFaultScene();
      await waitThroughHeartbeats(scene, { NODE_OPTIONS: `--import=${COARSE}` });
      return undefined;
    },
  },
  {
    isLong: true,
    name: "frozen at any call under the file's lock, overtaken by a run for another profile, and awake again: nothing of others is lost, and the next run has both profiles right",
    missing: () => Promise.resolve(straceMissing() ?? toolMissing("ps", ["-p", "1"])),
    run: async () => {
      const calls = await recordCalls("atomic", false);
      const first = calls.findIndex(({ name, path }) => name === "utimensat" && path?.endsWith("credentials.lock"));
      const last = calls.findIndex(({ name }) => name === "rename");
      const counts = { kept: 0, "put back": 0 };
      const putBackAt: string[] = [];
      await inParallel(calls.slice(first, last + 1), 2, async (call) => {
        const outcome = await freezeAt(call).catch((error: unknown) => {
          throw new Error(`${nameOf(call)}: ${error instanceof Error ? error.message : String(error)}`);
        });
        counts[outcome]++;
        if (outcome === "put back") putBackAt.push(nameOf(call));
      });
      // Woken in the rename itself there is no way to notice; everywhere else the lost lock, or the changed file, is seen.
      assert.ok(
        putBackAt.every((name) => name.startsWith("rename")),
        putBackAt.join(", "),
      );
      return `${last - first + 1} calls; the other's new keys stayed in ${counts.kept}, and were put back to older ones in ${counts["put back"]}`;
    },
  },
];

export const suite: TortureSuite = {
  title: "Races: dead, hung and frozen holders, clocks",
  weight: 1,
  run: async ({ say }): Promise<readonly TortureResult[]> => {
    const results = new Map<string, TortureResult>();
    await inParallel(lockFaults, 4, async ({ name, missing, run }) => {
      const tally = new Tally(name, say);
      const reason = await missing();
      let note: string | undefined = reason && `not tried here: ${reason}`;
      for (let round = 1; round <= (reason === undefined ? 2 : 0); round++) {
        await tally.attempt(`round ${round}`, async () => {
          note = await run();
        });
      }
      results.set(name, tally.result(note));
    });
    return lockFaults.flatMap(({ name }) => results.get(name) ?? []);
  },
};

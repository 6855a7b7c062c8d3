import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { Failure } from "../../src/base/failure.ts";
import { main } from "../../src/main.ts";
import type { World } from "../../src/base/world.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { ONE_ROLE } from "../support/scene.ts";
import { type TempHome, tempHome } from "../support/temp-home.ts";
import { testWorld } from "../support/test-world.ts";

const MINUTE = 60_000;

interface Watching {
  readonly world: World & { readonly written: { out: string; err: string } };
  /** The lengths of the sleeps so far, in milliseconds. */
  readonly sleeps: number[];
  readonly hangup: () => void;
}

/** A world whose sleeps take no time and move its clock; `onSleep` is told of each and may end the watch. */
function watchWorld(
  home: string,
  env: Readonly<Record<string, string>>,
  argv: readonly string[],
  onSleep: (count: number, stop: () => void) => void,
): Watching {
  const controller = new AbortController();
  const base = testWorld({ home, env, argv: ["watch", ...argv], interrupted: controller.signal });
  const sleeps: number[] = [];
  let listener: () => void = () => undefined;
  const world = {
    ...base,
    sleep: async (ms: number, signal: AbortSignal) => {
      // Short waits are those of locks and retries: they stay real.
      if (ms < 1000) return base.sleep(ms, signal);
      sleeps.push(ms);
      base.advance(ms);
      onSleep(sleeps.length, () => controller.abort(new Failure("INTERRUPTED", "stopped by the test")));
      signal.throwIfAborted();
      // Lets I/O and timers of the round before come to their end, as a real sleep would.
      return new Promise<void>((resolve) => setImmediate(resolve));
    },
    onHangup: (callback: () => void) => {
      listener = callback;
      return () => undefined;
    },
  };
  return { world, sleeps, hangup: () => listener() };
}

suite("watch", () => {
  test("refreshes when due, wakes once a minute at least, ends when told to", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", ONE_ROLE);
    const { world, sleeps } = watchWorld(home.path, {}, [], (count, stop) => {
      if (count === 200) stop();
    });
    await using sandbox = await startSandbox({ now: world.now });
    Object.assign(world, { env: sandbox.env });
    assert.equal(await main(world), 75);
    assert.match(world.written.err, /stopped by the test\n$/);
    assert.ok(sleeps.every((ms) => ms >= 1000 && ms <= MINUTE));
    const hours = sleeps.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
    const refreshes = sandbox.callsTo("AssumeRoleWithWebIdentity").length;
    // One refresh at the start and one every 24 to 30 minutes (half of an hour, and the jitter).
    assert.ok(
      refreshes >= 1 + Math.floor(hours / 0.5) && refreshes <= 2 + Math.ceil(hours / 0.4),
      `${refreshes} refreshes in ${hours} hours`,
    );
    assert.equal(world.written.err.match(/refreshed, valid until/g)?.length, refreshes);
  });

  test("backs off while STS refuses, keeps the old credentials, and recovers", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", ONE_ROLE);
    const { world } = watchWorld(home.path, {}, [], (count, stop) => {
      if (count === 1) sandbox.misbehave("sts", { kind: "aws-error", code: "AccessDenied" });
      if (count === 90) sandbox.misbehave("sts", undefined);
      if (count === 120) stop();
    });
    await using sandbox = await startSandbox({ now: world.now });
    Object.assign(world, { env: sandbox.env });
    await main(world);
    const calls = sandbox.callsTo("AssumeRoleWithWebIdentity");
    const denied = calls.filter((call) => call.errorCode === "AccessDenied").length;
    assert.ok(denied >= 4 && denied < 40, `${denied} refused calls`);
    assert.equal(calls.at(-1)?.errorCode, undefined);
    assert.match(world.written.err, /the old credentials are valid until/);
  });

  test("SIGHUP reads the config again; a broken one keeps the old", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", ONE_ROLE);
    const watching = watchWorld(home.path, {}, [], (count, stop) => {
      if (count === 1) writeFileSync(home.config, "[default\n");
      if (count === 3) watching.hangup();
      if (count === 5) writeFileSync(home.config, ONE_ROLE.replace("[default]", "[other]"));
      if (count === 8) watching.hangup();
      if (count === 12) stop();
    });
    const { world } = watching;
    await using sandbox = await startSandbox({ now: world.now });
    Object.assign(world, { env: sandbox.env });
    await main(world);
    assert.match(
      world.written.err,
      /a section header must end with[^\n]*\nrolefresh: warning: invalid config; keeping the previous one\n/,
    );
    assert.match(world.written.err, /config reloaded\n(.*\n)*rolefresh: info: profile 'other': refreshed/);
  });

  test("the clock jumping an hour either way, or a night's suspend, costs at most one look", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", ONE_ROLE);
    let jump = 0;
    const watching = watchWorld(home.path, {}, [], (count, stop) => {
      if (count === 5) jump = 8 * 60 * MINUTE;
      if (count === 7) stop();
    });
    const world = { ...watching.world, now: () => new Date(watching.world.now().getTime() + jump) };
    await using sandbox = await startSandbox({ now: world.now });
    Object.assign(world, { env: sandbox.env });
    await main(world);
    assert.equal(
      sandbox.callsTo("AssumeRoleWithWebIdentity").length,
      2,
      "expired while asleep: refreshed at the next look",
    );
  });

  const HANDED_ON = "identity = aws-profile\nsource_profile = dev\n";
  const COMMAND = 'echo asked >> "$HOME/asked"; cat "$HOME/keys.json"';
  const lines = async (home: TempHome, name: string) => (await home.read(name).catch(() => "")).split("\n").length - 1;

  /** What a `credential_process` prints, with an expiry by the world's clock. */
  function keysOf(id: number, expiresMs: number | undefined): string {
    const names = { AccessKeyId: `ASIA${id}`, SecretAccessKey: `secret${id}`, SessionToken: `token${id}` };
    const expiry = expiresMs === undefined ? {} : { Expiration: new Date(expiresMs).toISOString() };
    return JSON.stringify({ Version: 1, ...names, ...expiry });
  }

  /** Watches a profile with such a source for some minutes; `onSleep` may change what it prints. */
  async function watchSource(
    more: string,
    minutes: number,
    print: (nowMs: number, startMs: number) => string,
  ): Promise<{ readonly asked: number; readonly hooks: number; readonly sleeps: readonly number[] }> {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", `[legacy]\n${HANDED_ON}${more}on_refresh = "echo ran >> $HOME/hook"\n`);
    await home.write(".aws/config", `[profile dev]\ncredential_process = ${COMMAND}\n`);
    const env = { HOME: home.path, PATH: "/usr/bin:/bin" };
    const { world, sleeps } = watchWorld(home.path, env, [], (_count, stop) => {
      const now = world.now().getTime();
      writeFileSync(`${home.path}/keys.json`, print(now, start));
      if (now - start >= minutes * MINUTE) stop();
    });
    const start = Math.ceil(world.now().getTime() / 1000) * 1000;
    await home.write("keys.json", print(start, start));
    await main(world);
    assert.match(world.written.err, /stopped by the test\n$/);
    return { asked: await lines(home, "asked"), hooks: await lines(home, "hook"), sleeps };
  }

  test("a source that caches is left alone for half of what its keys have left, and the hook runs once", async () => {
    const { asked, hooks } = await watchSource("", 11, (_now, start) => keysOf(1, start + 12 * MINUTE));
    // After 0, 6, 9, 10.5 minutes, and then at a few shorter ones.
    assert.ok(asked >= 4 && asked <= 7, `asked ${asked} times`);
    assert.equal(hooks, 1);
  });

  test("keys that are new each time but due at once do not restart the tool each second", async () => {
    let id = 0;
    const { asked, hooks } = await watchSource("", 60, (now) => keysOf(id++, now + 15 * MINUTE));
    assert.ok(asked >= 6 && asked <= 12, `asked ${asked} times`);
    assert.equal(hooks, asked);
  });

  test("keys without an expiry are asked for at the interval of recheck, and hooked when they differ", async () => {
    const print = (now: number, start: number) => keysOf(now - start < 20 * MINUTE ? 1 : 2, undefined);
    const usual = await watchSource("", 40, print);
    assert.ok(usual.asked >= 8 && usual.asked <= 9, `asked ${usual.asked} times`);
    assert.equal(usual.hooks, 2);
    const often = await watchSource("recheck = 1m\n", 40, print);
    assert.ok(often.asked >= 38 && often.asked <= 41, `asked ${often.asked} times`);
    assert.equal(often.hooks, 2);
  });

  test("a source that had nothing newer is asked at the next look when its keys expired while the machine slept", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", `[legacy]\n${HANDED_ON}refresh_before = 2h\n`);
    await home.write(".aws/config", `[profile dev]\ncredential_process = ${COMMAND}\n`);
    let jump = 0;
    const watching = watchWorld(home.path, { HOME: home.path, PATH: "/usr/bin:/bin" }, [], (count, stop) => {
      if (count === 3) {
        jump = 3 * 60 * MINUTE;
        writeFileSync(`${home.path}/keys.json`, keysOf(2, world.now().getTime() + 60 * MINUTE));
      }
      if (count === 5) stop();
    });
    const world = { ...watching.world, now: () => new Date(watching.world.now().getTime() + jump) };
    await home.write("keys.json", keysOf(1, world.now().getTime() + 60 * MINUTE));
    await main(world);
    assert.equal(await lines(home, "asked"), 2);
    assert.match(await home.read(".aws/credentials"), /ASIA2/);
  });

  test("a profile whose source fails is tried again with growing pauses, and delays no other", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", `${ONE_ROLE}[broken]\n${HANDED_ON}`);
    await home.write(".aws/config", '[profile dev]\ncredential_process = echo asked >> "$HOME/asked"; exit 1\n');
    const { world, sleeps } = watchWorld(home.path, {}, [], (count, stop) => {
      if (count === 200) stop();
    });
    await using sandbox = await startSandbox({ now: world.now });
    Object.assign(world, { env: { ...sandbox.env, HOME: home.path, PATH: "/usr/bin:/bin" } });
    await main(world);
    const hours = sleeps.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
    const refreshes = sandbox.callsTo("AssumeRoleWithWebIdentity").length;
    assert.ok(refreshes >= 1 + Math.floor(hours / 0.5), `${refreshes} refreshes in ${hours} hours`);
    const asked = await lines(home, "asked");
    assert.ok(asked > hours * 12 && asked < hours * 24 + 8, `asked ${asked} times in ${hours} hours`);
  });

  test("a source section that disappears fails its own profile alone", async () => {
    await using home = await tempHome();
    const chained = "[chained]\nrole_arn = arn:aws:iam::999999999999:role/Billing\nsource_profile = theirs\n";
    await home.write(".aws/rolefresh.ini", ONE_ROLE + chained);
    await home.write(".aws/credentials", "[theirs]\naws_access_key_id = AKIAMINE\naws_secret_access_key = mine\n");
    let isEmptied = false;
    const { world } = watchWorld(home.path, {}, [], (count, stop) => {
      if (!isEmptied && world.written.err.includes("refreshed")) {
        isEmptied = true;
        writeFileSync(home.credentials, "");
      }
      if (count === 12) stop();
    });
    await using sandbox = await startSandbox({ now: world.now });
    Object.assign(world, { env: sandbox.env });
    await main(world);
    assert.match(world.written.err, /profile 'chained': its source_profile 'theirs' has no readable access key/);
    assert.equal(sandbox.callsTo("AssumeRoleWithWebIdentity").length, 2, world.written.err);
  });

  test("without the section that a profile calls with it does not start; SIGHUP to such a config keeps the old", async () => {
    await using home = await tempHome();
    const chained = "[chained]\nrole_arn = arn:aws:iam::999999999999:role/Billing\nsource_profile = nobody\n";
    await home.write(".aws/rolefresh.ini", ONE_ROLE + chained);
    const broken = watchWorld(home.path, {}, [], (_count, stop) => stop());
    assert.equal(await main(broken.world), 78);
    await home.write(".aws/rolefresh.ini", ONE_ROLE);
    const watching = watchWorld(home.path, {}, ["default"], (count, stop) => {
      if (count === 1) writeFileSync(home.config, ONE_ROLE.replace("[default]", "[other]"));
      if (count === 2) watching.hangup();
      if (count === 4) stop();
    });
    await using sandbox = await startSandbox({ now: watching.world.now });
    Object.assign(watching.world, { env: sandbox.env });
    await main(watching.world);
    assert.match(watching.world.written.err, /no profile 'default' is configured.*\n(.*\n)*.*invalid config; keeping/);
    assert.equal(sandbox.callsTo("AssumeRoleWithWebIdentity").length, 1);
  });

  test("memory stays flat over 3,000 simulated cycles", async (t) => {
    setFlagsFromString("--expose-gc");
    const gc: unknown = runInNewContext("gc");
    assert.ok(typeof gc === "function");
    const heap = () => {
      gc();
      return process.memoryUsage().heapUsed;
    };
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", ONE_ROLE);
    const marks: number[] = [];
    const { world } = watchWorld(home.path, {}, ["--quiet", "--health-file", "health"], (count, stop) => {
      if (count === 1000 || count === 3000) marks.push(heap());
      if (count === 3000) stop();
    });
    await using sandbox = await startSandbox({ now: world.now });
    Object.assign(world, { env: sandbox.env, cwd: home.path });
    await main(world);
    assert.equal(marks.length, 2, world.written.err);
    const [early = 0, late = 0] = marks;
    const perCall = 2000; // The sandbox keeps a record of every call, in this process.
    const own = late - early - sandbox.calls.length * perCall;
    t.diagnostic(
      `heap after 1,000 cycles ${early}, after 3,000 ${late}; ${sandbox.calls.length} calls recorded by the sandbox`,
    );
    assert.ok(own < 500_000, `the heap grew by ${late - early} bytes`);
  });
});

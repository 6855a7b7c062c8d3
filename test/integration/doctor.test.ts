import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Failure } from "../../src/base/failure.ts";
import { doctor } from "../../src/command/doctor.ts";
import { GLOBAL_DEFAULTS } from "../../src/command-line/invocation.ts";
import { addressOf } from "../../src/doctor/sts-probe.ts";
import { openHealthyScene } from "../support/doctor-scene.ts";
import { ONE_ROLE, type Scene } from "../support/scene.ts";
import { testWorld, type TestWorld, type TestWorldOptions } from "../support/test-world.ts";

/** Runs doctor in this process, for what only a World can make up: a terminal, another clock. */
async function run(scene: Scene, options: TestWorldOptions = {}, quiet = false): Promise<TestWorld & { code: number }> {
  const env = { ...scene.env, PATH: `${scene.home.path}/bin`, ...options.env };
  const world = testWorld({ ...options, env, home: scene.home.path });
  const code = await doctor(
    {
      kind: "doctor",
      global: { ...GLOBAL_DEFAULTS, quiet, timeoutMs: 20_000 },
      config: { configFile: undefined, credentialsFile: undefined, inline: undefined },
      profiles: [],
    },
    world,
  );
  return { ...world, code };
}

test("STS is called where the SDK calls it, by partition, FIPS and configured address", async () => {
  const table: readonly (readonly [string, string | undefined, boolean, string])[] = [
    ["ap-northeast-1", undefined, false, "https://sts.ap-northeast-1.amazonaws.com/"],
    ["cn-north-1", undefined, false, "https://sts.cn-north-1.amazonaws.com.cn/"],
    ["us-east-1", undefined, true, "https://sts-fips.us-east-1.amazonaws.com/"],
    ["us-east-1", "http://127.0.0.1:1", false, "http://127.0.0.1:1/"],
  ];
  for (const [region, url, useFips, expected] of table)
    assert.equal((await addressOf({ region, url, useFips, useDualstack: false })).href, expected);
  for (const region of ["not a region!", "us-east-1@evil.example", "", "a.b"])
    await assert.rejects(
      addressOf({ region, url: undefined, useFips: false, useDualstack: false }),
      (error: unknown) => error instanceof Failure && error.code === "ENDPOINT_REFUSED",
      region,
    );
});

suite("doctor on a terminal and at another time", () => {
  test("levels are coloured on a terminal, unless NO_COLOR is set (https://no-color.org)", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const coloured = await run(scene, { isTTY: true });
    assert.ok(coloured.written.out.startsWith("\u001b[32mok     \u001b[39m  config"));
    const plain = await run(scene, { isTTY: true, env: { NO_COLOR: "1" } });
    assert.ok(plain.written.out.startsWith("ok       config"));
    assert.ok(!(await run(scene)).written.out.includes("\u001b"));
  });

  test("a clock two hours ahead is an error, and the profiles look expired", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const { code, written } = await run(scene, { now: new Date(Date.now() + 2 * 3_600_000) }, true);
    assert.equal(code, 1);
    assert.match(written.out, /^error {4}profile +\[default\] expired: 1h00m ago/m);
    assert.match(written.out, /^error {4}clock +this machine's clock is (1h59m|2h00m) ahead of 127/m);
    assert.match(written.out, /\n\d errors?, \d warnings?\n$/);
  });

  test("a clock that is behind is a warning about STS and about the token", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const { written } = await run(scene, { now: new Date(Date.now() - 3 * 60_000) }, true);
    assert.match(written.out, /^warning {2}clock +.*clock is [23]m behind 127/m);
    assert.match(written.out, /^warning {2}clock +\[default\] .*clock is [23]m behind the token's issuer/m);
  });
});

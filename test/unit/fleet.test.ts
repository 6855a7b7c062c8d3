import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";

// The simulator runs the built rules of `src/plan`, so it is imported from where it stands.
const BUILT = new URL("../../../build/src/plan/due.js", import.meta.url);
const SIMULATOR = new URL("../../../scripts/fleet/simulate.mjs", import.meta.url);
const skip = existsSync(BUILT) ? false : "build/ is not there: npm run build";

interface Outcome {
  readonly peak: number;
  readonly expired: number;
  readonly throttled: number;
}

async function simulate(scenario: Readonly<Record<string, unknown>>): Promise<Outcome> {
  const { simulate: run } = (await import(SIMULATOR.href)) as { simulate: (scenario: unknown) => Outcome };
  return run({
    hosts: 400,
    roles: 5,
    hours: 3,
    seed: 7,
    start: "cron",
    intervalMs: 300_000,
    clockErrorMs: 0,
    jitter: true,
    ...scenario,
  });
}

const MINUTE = 60_000;
const outage = [25 * MINUTE, 40 * MINUTE];

test(
  "a fleet whose clocks differ by two minutes peaks at a tenth of a synchronised one, and outlives an outage",
  { skip },
  async () => {
    const synchronised = await simulate({ jitter: false });
    assert.ok(synchronised.peak >= 2000, "every profile in the same second");
    const spread = await simulate({ clockErrorMs: 2 * MINUTE, outage });
    assert.ok(spread.peak <= synchronised.peak / 10, `${spread.peak} of ${synchronised.peak}`);
    assert.deepEqual([spread.expired, spread.throttled], [0, 0]);
  },
);

test("watchers wake at moments of their own: no second sees a tenth of the fleet", { skip }, async () => {
  const { peak, expired } = await simulate({ start: "watch" });
  assert.ok(peak <= 200, String(peak));
  assert.equal(expired, 0);
});

test("the same fleet lives the same hours again", { skip }, async () => {
  const scenario = { clockErrorMs: 2 * MINUTE, outage };
  assert.deepEqual(await simulate(scenario), await simulate(scenario));
});

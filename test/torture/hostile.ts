import assert from "node:assert/strict";
import { main } from "../../src/main.ts";
import { Chance } from "../fuzz/chance.ts";
import { mutate } from "../fuzz/mutate.ts";
import { readWithSmithy } from "../fuzz/smithy-reader.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";
import { MarkedSecrets } from "../support/marked-secrets.ts";
import { ONE_ROLE, openScene, type Scene } from "../support/scene.ts";
import { testWorld } from "../support/test-world.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

const MARK = "MarkedByTheTest/NobodyMaySeeThis+0123456789";
const MINE = "# mine\n[mine]\naws_access_key_id = AKIAMINE\naws_secret_access_key = mine\n";
const FIELDS = ["accessKeyId", "secretAccessKey", "sessionToken", "arn"] as const;
/** The whole program each time, so some milliseconds each. */
const MOST = 10_000;

/** The whole program, in this process, against an STS that answers with somebody's lines in every field. */
export const suite: TortureSuite = {
  title: "hostile: an STS that injects lines",
  weight: 2,
  run: async (context) => {
    await using scene = await openScene(ONE_ROLE);
    return await inject(scene, context);
  },
};

async function inject(scene: Scene, { seed, say, isOver }: TortureContext): Promise<readonly TortureResult[]> {
  const lines = new Tally("no field of STS's answer makes a line that a reader takes for a key or a section", say);
  const secrets = new Tally("no answer that is not believed shows its keys with --verbose", say);
  const marked = new MarkedSecrets();
  marked.add(MARK);
  let refused = 0;
  for (let n = 0; n < MOST && !isOver(); n++) {
    const chance = new Chance(seed + n);
    const field = chance.pick(FIELDS);
    const good = field === "arn" ? "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/x" : `ASIA${MARK}`;
    // The longest ones are tried in scripts/test.
    const text = good + mutate(Buffer.from(chance.pick(HOSTILE_TEXTS).slice(0, 2000)), chance).toString();
    await scene.home.write(".aws/credentials", MINE);
    scene.sandbox.misbehave("sts", { kind: "hostile-field", field, text });
    const world = testWorld({ argv: ["refresh", "--force", "--verbose"], env: scene.env, home: scene.home.path });
    const code = await main(world);
    const file = await scene.credentials();
    const what = `seed ${seed + n}, ${field}`;
    await lines.attempt(what, async () => {
      assert.ok(code === 0 || code === 76, `exit ${code}`);
      if (code === 76) {
        refused++;
        assert.equal(file, MINE);
        return;
      }
      const found = await readWithSmithy(Buffer.from(file));
      assert.deepEqual(Object.keys(found ?? {}).toSorted(), ["default", "mine"]);
      assert.equal(Object.keys(found?.["default"] ?? {}).length, 7);
    });
    await secrets.attempt(what, () => marked.assertAbsent(world.written.out + world.written.err, "the log"));
  }
  return [lines.result(`${refused} answers refused`), secrets.result()];
}

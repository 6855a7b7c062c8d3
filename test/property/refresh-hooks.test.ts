import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { suite, test } from "node:test";

import { main } from "../../src/main.ts";
import { fc } from "../support/property.ts";
import { type Scene, openScene, valuesOf } from "../support/scene.ts";
import { testWorld } from "../support/test-world.ts";

/** Whatever a source does, `on_refresh` runs as often as the keys in the file change, and the file changes no oftener. */

const CONFIG = `[legacy]
identity = aws-profile
source_profile = dev
on_refresh = "echo ran >> $HOME/hook"
`;
const RUNS = process.env["SLOW"] === undefined ? 15 : 300;

/** What the source does until the next run. */
type Turn =
  | { readonly kind: "keys"; readonly id: number; readonly minutes: number | undefined }
  | { readonly kind: "same" }
  | { readonly kind: "fails" };

const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({
    kind: fc.constant("keys" as const),
    id: fc.integer({ min: 0, max: 2 }),
    minutes: fc.constantFrom(undefined, 3, 10, 45, 600),
  }),
  fc.constant({ kind: "same" as const }),
  fc.constant({ kind: "fails" as const }),
);

async function play(scene: Scene, turns: readonly { readonly turn: Turn; readonly force: boolean }[]): Promise<void> {
  const base = Math.ceil(Date.now() / 1000) * 1000;
  let changes = 0;
  let before: string | undefined;
  for (const { turn: next, force } of turns) {
    if (next.kind === "keys") await scene.home.write("keys.json", printed(next.id, next.minutes, base));
    if (next.kind === "fails") await scene.home.write("keys.json", "");
    const [file, inode] = await Promise.all([bytesOf(scene), inodeOf(scene)]);
    const world = testWorld({ argv: force ? ["--force"] : [], env: scene.env, home: scene.home.path });
    await main({ ...world, cwd: "/" });
    const after = await keysIn(scene);
    if (after !== before) changes += 1;
    if ((await bytesOf(scene)) === file) assert.equal(await inodeOf(scene), inode, "nothing changed, nothing written");
    before = after;
    const text = await readFile(`${scene.home.path}/hook`, "utf8").catch(() => "");
    assert.equal(text.split("\n").length - 1, changes, `${JSON.stringify(next)}\n${world.written.err}`);
  }
}

function printed(id: number, minutes: number | undefined, base: number): string {
  const expiry = minutes === undefined ? {} : { Expiration: new Date(base + minutes * 60_000).toISOString() };
  const names = { AccessKeyId: `ASIA${id}`, SecretAccessKey: `secret${id}`, SessionToken: `token${id}` };
  return JSON.stringify({ Version: 1, ...names, ...expiry });
}

async function keysIn(scene: Scene): Promise<string | undefined> {
  const file = await bytesOf(scene);
  if (file === undefined) return undefined;
  const { aws_access_key_id, aws_secret_access_key, aws_session_token, aws_security_token } = valuesOf(file, "legacy");
  return JSON.stringify([aws_access_key_id, aws_secret_access_key, aws_session_token, aws_security_token]);
}

const bytesOf = (scene: Scene): Promise<string | undefined> => scene.credentials().catch(() => undefined);

const inodeOf = (scene: Scene): Promise<number | undefined> =>
  stat(scene.home.credentials).then(
    ({ ino }) => ino,
    () => undefined,
  );

suite("hooks follow the keys", () => {
  test("hook runs == changes of the keys in the file, over any sequence of what the source does", async () => {
    const step = fc.record({ turn, force: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (turns) => {
        await using scene = await openScene(CONFIG);
        await scene.home.write(".aws/config", '[profile dev]\ncredential_process = cat "$HOME/keys.json"\n');
        await scene.home.write("keys.json", printed(0, undefined, Date.now()));
        await play(scene, turns);
      }),
      { numRuns: RUNS },
    );
  });
});

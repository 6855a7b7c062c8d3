import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

import { BEFORE, checkKeys, foreignBytes, leftovers, openFaultScene } from "../support/fault-scene.ts";
import { startRacer } from "../support/race-process.ts";
import { type Scene, valuesOf } from "../support/scene.ts";
import { toolMissing } from "../support/tool.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

const THEIRS = "[theirs]\naws_access_key_id = turn-0\n";

interface Foreign {
  /** Ends it; how often it wrote, and how many of its changes were gone when it looked again. */
  readonly stop: () => Promise<{ readonly writes: number; readonly lost: number }>;
}

/** A writer that takes no lock, at work on section [theirs] until it is stopped. */
export type StartForeign = (scene: Scene) => Promise<Foreign>;

/** Ours: reads all, changes a line, truncates, writes (`truncate`: at once, `chunks`: 512 bytes at a time). */
export const truncatingWriter =
  (how: "truncate" | "chunks"): StartForeign =>
  async (scene) => {
    const racer = await startRacer(how, scene.home.credentials);
    return {
      stop: async () => {
        const { tries, lost, missing } = await racer.stop();
        assert.equal(missing, 0, "section [theirs] was gone");
        return { writes: tries, lost };
      },
    };
  };

/** The real one. */
export const awsConfigureSet: StartForeign = async (scene) => {
  const over = new AbortController();
  let writes = 0;
  let lost = 0;
  const work = (async () => {
    while (!over.signal.aborted) {
      const { aws_access_key_id } = valuesOf(await settled(scene), "theirs");
      if (aws_access_key_id !== `turn-${writes}`) lost++;
      await setKey(scene.home.credentials, `turn-${++writes}`);
    }
  })();
  await Promise.resolve();
  return {
    stop: async () => {
      over.abort();
      await work;
      return { writes, lost };
    },
  };
};

async function setKey(file: string, value: string): Promise<void> {
  const env = { PATH: process.env["PATH"] ?? "", AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: "/dev/null" };
  const args = ["configure", "set", "aws_access_key_id", value, "--profile", "theirs"];
  const child = spawn("aws", args, { env, stdio: "ignore" });
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 0, "aws configure set");
}

/** The file when the other is not writing it: its own section is the last one. */
async function settled(scene: Scene): Promise<string> {
  for (;;) {
    const content = await scene.credentials();
    if (/turn-\d+\n$/.test(content)) return content;
    await new Promise(setImmediate);
  }
}

/**
 * Runs `refresh --force` again and again beside a writer that takes no lock, and counts whose changes were gone afterwards.
 * Nothing but the two changes that cross may ever be lost.
 */
export async function besideForeign(
  tally: Tally,
  start: StartForeign,
  rounds: number,
  { isOver }: Pick<TortureContext, "isOver">,
): Promise<string> {
  await using scene = await openFaultScene();
  const before = `${BEFORE}\n\n${THEIRS}`;
  await scene.home.write(".aws/credentials", before);
  const foreign = await start(scene);
  let reverted = 0;
  let refused = 0;
  for (let round = 1; round <= rounds && !isOver(); round++) {
    await tally.attempt(`round ${round}`, async () => {
      const { code, stdout } = await scene.run(["refresh", "--force", "--json", "--timeout", "20s"]);
      const { profiles } = JSON.parse(stdout) as { profiles: readonly { readonly access_key_id: string | null }[] };
      if (code !== 0) {
        assert.equal(code, 75, stdout);
        refused++;
        return;
      }
      const content = await settled(scene);
      isWhole(content);
      if (!content.includes(profiles[0]?.access_key_id ?? "none")) reverted++;
    });
  }
  const { writes, lost } = await foreign.stop();
  await tally.attempt("at the end", async () => {
    assert.equal((await scene.run(["refresh", "--force"])).code, 0);
    const content = await readFile(scene.home.credentials, "utf8");
    isWhole(content);
    checkKeys(scene.sandbox, content, "default");
    assert.deepEqual(await leftovers(scene), []);
  });
  return `of ${writes} writes of the other ${lost} were gone when it looked again; of ${tally.tried - 1} of ours it had put back older keys over ${reverted}; ${refused} times we gave up (exit 75)`;
}

/** Nothing of anybody else is lost, whoever wrote last. */
function isWhole(content: string): void {
  const strip = (text: string): string =>
    foreignBytes(text, ["default"])
      .replaceAll(/turn-\d+/g, "turn-N")
      .replaceAll(/\n+/g, "\n");
  assert.equal(strip(content).trimEnd(), strip(`${BEFORE}\n\n${THEIRS}`).trimEnd(), "something else was lost");
}

export const suite: TortureSuite = {
  title: "Races: writers that take no lock",
  weight: 2,
  run: async ({ say, budgetMs }): Promise<readonly TortureResult[]> => {
    const awsMissing = toolMissing("aws", ["--version"]);
    const writers: readonly (readonly [string, StartForeign | undefined])[] = [
      ["`aws configure set` in a loop", awsMissing === undefined ? awsConfigureSet : undefined],
      ["a writer that truncates and writes twice or thrice a second", truncatingWriter("truncate")],
      ["a writer that truncates and writes 512 bytes at a time, twice or thrice a second", truncatingWriter("chunks")],
    ];
    const results: TortureResult[] = [];
    for (const [name, start] of writers) {
      const tally = new Tally(`beside ${name}: nothing is lost but changes that cross in the same moment`, say);
      const until = performance.now() + budgetMs / writers.length;
      const isOver = (): boolean => performance.now() > until;
      results.push(tally.result(start ? await besideForeign(tally, start, 200, { isOver }) : awsMissing));
    }
    return results;
  },
};

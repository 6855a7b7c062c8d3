import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";

import { ageLocks, checkKeys, foreignBytes, leftovers } from "../support/fault-scene.ts";
import { inParallel } from "../support/in-parallel.ts";
import { expiringIn, GCP_ARN, openScene, type Scene } from "../support/scene.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

const FOREIGN = "# mine\n[q]\nregion = x\n; kept\n\n";

const profilesOf = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `team.${n}`);

async function openFleet(profiles: readonly string[]): Promise<Scene> {
  const section = (name: string): string =>
    `[${name}]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\nrole_session_name = {profile}\n`;
  const scene = await openScene(profiles.map(section).join("\n"));
  await scene.home.write(".aws/credentials", FOREIGN);
  return scene;
}

/** Every profile is due: what the next processes find. */
async function expire(scene: Scene, profiles: readonly string[]): Promise<void> {
  let file = await scene.credentials();
  for (const profile of profiles) if (file.includes(`[${profile}]`)) file = expiringIn(file, profile, -60_000);
  await writeFile(scene.home.credentials, file);
}

async function isRight(scene: Scene, profiles: readonly string[]): Promise<void> {
  const file = await scene.credentials();
  assert.ok(foreignBytes(file, profiles).startsWith(FOREIGN.trimEnd()), "bytes of others changed");
  for (const profile of profiles) checkKeys(scene.sandbox, file, profile);
  // One who was killed while taking a lock over leaves that too; it goes when it is a second old.
  const left = (await leftovers(scene)).filter((name) => !name.endsWith(".takeover"));
  assert.deepEqual(left, []);
}

/** Starts the processes at once on expired profiles: one call for each profile, and all of them succeed in silence. */
export async function startAtOnce(processes: number, profileCount: number): Promise<void> {
  const profiles = profilesOf(profileCount);
  await using scene = await openFleet(profiles);
  assert.equal((await scene.run([])).code, 0);
  await expire(scene, profiles);
  const calls = scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length;
  const runs = await Promise.all(Array.from({ length: processes }, () => scene.run(["refresh", "--timeout", "10m"])));
  for (const { code, signal, stdout, stderr } of runs)
    assert.deepEqual([code, signal, stdout, stderr], [0, null, "", ""]);
  const made = scene.sandbox.callsTo("AssumeRoleWithWebIdentity").slice(calls);
  assert.deepEqual(
    made.map(({ sessionName = "" }) => sessionName).toSorted((a, b) => a.localeCompare(b)),
    [...profiles].toSorted((a, b) => a.localeCompare(b)),
    "one STS call for each profile",
  );
  await isRight(scene, profiles);
}

/**
 * A round: three processes on expired profiles, each killed after a random time; then one that is not.
 *
 * @param isWaiting whether that last one waits for the locks of the dead as in life, or finds them aged.
 * @returns how many were killed, and how long the last run took, in milliseconds
 */
async function killRound(scene: Scene, profiles: readonly string[], isWaiting: boolean): Promise<[number, number]> {
  await expire(scene, profiles);
  const runs = await Promise.all(
    Array.from({ length: 3 }, () =>
      scene.run(["refresh"], {
        onSpawn: (child) => {
          setTimeout(() => child.kill("SIGKILL"), 100 + Math.random() * 600);
        },
      }),
    ),
  );
  for (const { code, signal, stderr } of runs)
    assert.ok(signal === "SIGKILL" || (code === 0 && stderr === ""), `${code} ${signal} ${stderr}`);
  const file = await scene.credentials();
  assert.ok(foreignBytes(file, profiles).startsWith(FOREIGN.trimEnd()), "bytes of others changed");
  if (!isWaiting) await ageLocks(scene.home.credentials);
  const startedAt = performance.now();
  const { code, stderr } = await scene.run(["refresh", "--force"]);
  assert.deepEqual([code, stderr], [0, ""], "the next run");
  const tookMs = performance.now() - startedAt;
  await isRight(scene, profiles);
  return [runs.filter(({ signal }) => signal !== null).length, tookMs];
}

/** When all is over, and a second later, a run leaves nothing of anybody. */
async function isTidy(scene: Scene): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 1100);
  });
  assert.equal((await scene.run(["refresh", "--force"])).code, 0);
  assert.deepEqual(await leftovers(scene), []);
}

/** Rounds of random SIGKILLs, several homes side by side; in one round of ten the locks are waited for. */
export async function killAtRandom(
  tally: Tally,
  rounds: number,
  { isOver }: Pick<TortureContext, "isOver">,
): Promise<string> {
  const profiles = profilesOf(5);
  let killed = 0;
  let longestMs = 0;
  let waited = 0;
  await inParallel([1, 2, 3, 4], 4, async (home) => {
    await using scene = await openFleet(profiles);
    for (let round = home; round <= rounds && !isOver(); round += 4) {
      const isWaiting = round % 10 === 0;
      await tally.attempt(`round ${round}`, async () => {
        const [died, tookMs] = await killRound(scene, profiles, isWaiting);
        killed += died;
        if (!isWaiting) return;
        waited++;
        longestMs = Math.max(longestMs, tookMs);
      });
    }
    await tally.attempt(`home ${home}, at the end`, () => isTidy(scene));
  });
  return `${killed} processes killed; in ${waited} rounds the next run waited for the locks of the dead, ${(longestMs / 1000).toFixed(1)} s at most`;
}

export const suite: TortureSuite = {
  title: "Races: fleets and random kills",
  weight: 3,
  run: async (context): Promise<readonly TortureResult[]> => {
    const together = new Tally(
      "50 processes started at once on 20 expired profiles: one STS call for each profile, all 50 succeed in silence, every key right",
      context.say,
    );
    for (let round = 1; round <= 2; round++) await together.attempt(`round ${round}`, () => startAtOnce(50, 20));
    const kills = new Tally(
      "3 processes on 5 expired profiles, killed (SIGKILL) at random: nothing of anybody is lost, and the next run heals",
      context.say,
    );
    const note = await killAtRandom(kills, 200, { isOver: () => false });
    return [together.result(), kills.result(note)];
  },
};

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fuzz } from "../fuzz/fuzz.ts";
import { livenessTarget, memoryDirectory } from "../fuzz/liveness-target.ts";
import { findPython, NO_PYTHON, startPythonReaders } from "../fuzz/python-readers.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

/** Whatever the time: the figure is the promise. */
const CASES = 200_000;
const EVERY = { file: 100, python: 10 };

/** Ordinary files and configs, which are to be written: the other suites only see that nothing is lost. */
export const suite: TortureSuite = {
  title: "liveness: ordinary files are written",
  weight: 3,
  run: async (context) => {
    const directory = await mkdtemp(join(memoryDirectory(), "rolefresh-liveness-"));
    try {
      return await writeAll(directory, context);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

async function writeAll(directory: string, { seed, say }: TortureContext): Promise<readonly TortureResult[]> {
  const executable = findPython();
  await using python = executable === undefined ? undefined : await startPythonReaders(executable);
  const target = livenessTarget(directory, python, EVERY);
  const written = new Tally(
    "a file that every reader reads is written for a config of 1 to 4 profiles, every reader finds all of ours and of theirs, and the second run changes nothing",
    say,
  );
  const { tried, broken } = await fuzz(target, { seed, documents: CASES });
  written.count(tried, broken.length);
  for (const line of broken) say(`BROKEN ${line}`);
  const { profiles = 0, files = 0, comparedByPython = 0 } = target.counts;
  const versions = Object.entries(python?.versions ?? {}).map((parts) => parts.join(" "));
  return [
    written.result(`${profiles} profiles`),
    {
      name: "on disk the first run writes the same, and the second keeps the inode",
      tried: files,
      failed: 0,
      note: "breaches count above",
    },
    {
      name: "botocore and boto2 find all of ours and of theirs",
      tried: comparedByPython,
      failed: 0,
      note: python ? `${versions.join(", ")}; breaches count above` : NO_PYTHON,
    },
  ];
}

import { fileSystemFaults, type FileSystemFault } from "../support/file-system-faults.ts";
import { Tally, type TortureResult, type TortureSuite } from "../support/torture.ts";

/** Tries one fault again and again; `rounds` at most. */
async function tryFault(
  fault: FileSystemFault,
  rounds: number,
  isOver: () => boolean,
  say: (line: string) => void,
): Promise<TortureResult> {
  const tally = new Tally(fault.name, say);
  const missing = await fault.missing();
  if (missing !== undefined) return tally.result(`not tried here: ${missing}`);
  for (let n = 0; n < rounds && !(n > 0 && isOver()); n++) await tally.attempt(`round ${n}`, fault.run);
  return tally.result();
}

export const suite: TortureSuite = {
  title: "Faults: full, read-only, immutable, mounted and limited",
  weight: 1,
  run: async ({ isOver, say }) => {
    const results: TortureResult[] = [];
    for (const fault of fileSystemFaults) results.push(await tryFault(fault, 5, isOver, say));
    return results;
  },
};

import { configTarget } from "../fuzz/config-target.ts";
import { credentialsTarget } from "../fuzz/credentials-target.ts";
import { fuzz, type FuzzTarget } from "../fuzz/fuzz.ts";
import { metadataTarget } from "../fuzz/metadata-target.ts";
import { findPython, NO_PYTHON, startPythonReaders } from "../fuzz/python-readers.ts";
import { startRawServer } from "../fuzz/raw-server.ts";
import { stsTarget } from "../fuzz/sts-target.ts";
import { tokenTarget } from "../fuzz/token-target.ts";
import { Tally, type TortureContext, type TortureResult, type TortureSuite } from "../support/torture.ts";

/** A million documents in sum, whatever the time: the figure is the promise. */
const DOCUMENTS = { credentials: 400_000, tokens: 300_000, configs: 200_000, metadata: 60_000, sts: 40_000 };
/** Python reads one file in a fifth of a millisecond, twice a document. */
const PYTHON_EVERY = 5;

/** Documents from grammars that know every reader's traps, mutated. Errors are foreseen by the ten thousands: no stacks. */
export const suite: TortureSuite = {
  title: "fuzz: a million hostile documents",
  weight: 6,
  run: async (context) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return [...(await fuzzCredentials(context)), ...(await fuzzAnswers(context))];
    } finally {
      Error.stackTraceLimit = limit;
    }
  },
};

async function fuzzCredentials(context: TortureContext): Promise<readonly TortureResult[]> {
  const executable = findPython();
  const python = executable === undefined ? undefined : await startPythonReaders(executable);
  try {
    const target = credentialsTarget(python, PYTHON_EVERY);
    const own = await count(
      "in a credentials file nothing crashes rolefresh or loses a byte of others, and the JavaScript SDK reads what rolefresh reads and writes",
      target,
      DOCUMENTS.credentials,
      context,
    );
    const { comparedByPython = 0 } = target.counts;
    const readers = Object.entries(python?.versions ?? {}).map((parts) => parts.join(" "));
    const same = {
      name: "botocore and boto2 read what rolefresh reads and writes, and cannot read what it warns about",
      tried: comparedByPython,
      failed: 0,
      note: python ? `${readers.join(", ")}; breaches count above` : NO_PYTHON,
    };
    return [own, same];
  } finally {
    await python?.[Symbol.asyncDispose]();
  }
}

async function fuzzAnswers(context: TortureContext): Promise<readonly TortureResult[]> {
  await using server = await startRawServer();
  return [
    await count(
      "an identity token is taken whole or refused in words that show none of it",
      tokenTarget(),
      DOCUMENTS.tokens,
      context,
    ),
    await count(
      "a configuration is taken to the letter or refused with file and line",
      configTarget(),
      DOCUMENTS.configs,
      context,
    ),
    await count(
      "an answer of the metadata server is believed with its flavor alone, and never shown",
      metadataTarget(server),
      DOCUMENTS.metadata,
      context,
    ),
    await count(
      "an answer of STS is fit for every reader or not believed, and its keys are never shown",
      stsTarget(server),
      DOCUMENTS.sts,
      context,
    ),
  ];
}

async function count<Document>(
  name: string,
  target: FuzzTarget<Document>,
  documents: number,
  { seed, say }: TortureContext,
): Promise<TortureResult> {
  const tally = new Tally(name, say);
  const { tried, broken } = await fuzz(target, { seed, documents });
  tally.count(tried, broken.length);
  for (const line of broken) say(`BROKEN ${line}`);
  say(`${target.name}: ${tried} documents`);
  const counts = Object.entries(target.counts).filter(([key]) => key !== "comparedByPython");
  return tally.result(counts.map(([key, value]) => `${value} ${key}`).join(", "));
}

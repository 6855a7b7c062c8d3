import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

/**
 * A process of its own for the races: does one thing again and again until its standard input ends, then prints its counts
 * as JSON. It says `started` first.
 *
 *     read PATH SHA…          reads the file as `cat` does; every content must be one of these
 *     sdk PATH PROFILE        reads it with the loader of the AWS SDK for JavaScript; keys that end alike belong together
 *     truncate PATH           writes the number of its turn into section [theirs] as `aws configure set` does: read all,
 *                             change a line, open with truncation, write; looks whether its last one is still there
 *     chunks PATH             likewise, in chunks of 512 bytes
 */
const [, , task = "", path = "", ...rest] = process.argv;
const over = new AbortController();
process.stdin.on("end", () => over.abort());
process.stdin.resume();

const counts = { tries: 0, torn: 0, empty: 0, missing: 0, lost: 0, last: 0 };

function countBad(content: string | undefined, isWhole: (content: string) => boolean): void {
  counts.tries++;
  if (content === undefined) counts.missing++;
  else if (content === "") counts.empty++;
  else if (!isWhole(content)) counts.torn++;
}

function readNow(): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function readWithSdk(profile: string): Promise<void> {
  const { credentialsFile } = await loadSharedConfigFiles({
    filepath: path,
    configFilepath: "/dev/null",
    ignoreCache: true,
  });
  const { aws_access_key_id = "", aws_secret_access_key = "", aws_session_token = "" } = credentialsFile[profile] ?? {};
  // The loader takes a file that it cannot read for an empty one.
  const end = aws_access_key_id.at(-1) ?? "none";
  countBad(aws_access_key_id, () => aws_secret_access_key.endsWith(end) && aws_session_token.endsWith(end));
}

const MINE = /^(\[theirs\]\naws_access_key_id = turn-)(\d+)$/m;

/** `configparser` and `aws configure set` work so: nothing of it is atomic. */
async function writeTurn(chunk: number): Promise<void> {
  const content = await readFile(path, "utf8");
  const found = MINE.exec(content);
  if (!found) {
    // Its own truncation never shows: only the other's doing could.
    counts.missing++;
    return;
  }
  if (Number(found[2]) !== counts.last) counts.lost++;
  counts.last++;
  counts.tries++;
  const bytes = Buffer.from(content.replace(MINE, `$1${counts.last}`));
  const file = await open(path, "w");
  for (let at = 0; at < bytes.length; at += chunk) await file.write(bytes, at, Math.min(chunk, bytes.length - at));
  await file.close();
  await wait(Math.random() * 600);
}

process.stdout.write("started\n");
while (!over.signal.aborted) {
  switch (task) {
    case "read":
      countBad(readNow(), (content) => rest.includes(createHash("sha256").update(content).digest("hex")));
      // Leaves the processor to the writer for a moment; and lets the end of standard input be seen.
      await wait(1);
      break;
    case "sdk":
      await readWithSdk(rest[0] ?? "");
      await wait(1);
      break;
    case "truncate":
      await writeTurn(1 << 30);
      break;
    case "chunks":
      await writeTurn(512);
      break;
    default:
      throw new Error(`no task ${task}`);
  }
}
process.stdout.write(`${JSON.stringify(counts)}\n`);

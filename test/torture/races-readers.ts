import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";

import { Secret } from "../../src/base/secret.ts";
import type { ManagedKeys } from "../../src/credentials-file/edit.ts";
import { updateCredentialsFile } from "../../src/refresh/update-credentials-file.ts";
import { clock, type FileHome, fileHome, pending, UID } from "../support/credentials-file-home.ts";
import { BEFORE } from "../support/fault-scene.ts";
import { type Racer, startBotocore, startCat, startRacer } from "../support/race-process.ts";
import { toolMissing } from "../support/tool.ts";
import type { TortureContext, TortureResult, TortureSuite } from "../support/torture.ts";

/** Keys of which all end in the same letter, so that a reader can tell whether they belong together. */
const keysEndingIn = (end: string): ManagedKeys => ({
  accessKeyId: `ASIA${end.repeat(16)}`,
  secretAccessKey: new Secret(`secret/${end.repeat(33)}`),
  sessionToken: new Secret(`token/${"+abc".repeat(300)}${end}`),
  principalArn: `arn:aws:sts::123412341234:assumed-role/R/${end}`,
  expiresAt: new Date("2026-11-23T10:00:00Z"),
});

async function rewrite(home: FileHome, end: string): Promise<void> {
  const edit = { kind: "write", keys: keysEndingIn(end) } as const;
  const { results } = await updateCredentialsFile(
    { file: home.file, edits: [pending("default", { edit })], writeMode: "atomic" },
    { clock, deadline: home.deadline, uid: UID },
  );
  if (results.get("default")?.kind !== "written") throw new Error("the rewrite failed");
}

/** A Python that has botocore. */
function pythonWithBotocore(): string | undefined {
  return ["python3", "/usr/bin/python3"].find((python) => toolMissing(python, ["-c", "import botocore"]) === undefined);
}

/** Rewrites a file so many times while four kinds of readers poll it. */
export async function pollThrough(
  rewrites: number,
  { isOver }: Pick<TortureContext, "isOver">,
): Promise<readonly TortureResult[]> {
  await using home = await fileHome(BEFORE, 3_600_000);
  const contents: string[] = [];
  for (const end of ["A", "B"]) {
    await rewrite(home, end);
    contents.push(await home.read());
  }
  const sums = (kind: string): readonly string[] =>
    contents.map((content) => createHash(kind).update(content).digest("hex"));
  const python = pythonWithBotocore();
  const readers: readonly (readonly [string, Promise<Racer> | undefined])[] = [
    ["a plain reader (open, read, close)", startRacer("read", home.path, ...sums("sha256"))],
    ["cat", startCat(home.path, sums("md5"))],
    ["the AWS SDK for JavaScript v3", startRacer("sdk", home.path, "default")],
    ["botocore", python === undefined ? undefined : startBotocore(python, home.path, "default")],
  ];
  for (const [, reader] of readers) await reader;
  let done = 0;
  for (; done < rewrites && !(done >= 200 && isOver()); done++) await rewrite(home, done % 2 === 0 ? "A" : "B");
  await writeFile(`${home.path}.stop`, "");
  const results: TortureResult[] = [];
  for (const [name, reader] of readers) {
    const promise = `${name} polls through ${done} rewrites: no read is torn, empty or without a file`;
    const counts = await (await reader)?.stop();
    if (counts === undefined) results.push({ name: promise, tried: 0, failed: 0, note: "not tried here: no botocore" });
    else {
      const { tries, torn, empty, missing } = counts;
      const note = `${torn} torn, ${empty} empty, ${missing} missing`;
      results.push({ name: promise, tried: tries, failed: torn + empty + missing, note });
    }
  }
  return results;
}

export const suite: TortureSuite = {
  title: "Races: readers",
  weight: 2,
  run: (context) => pollThrough(10_000, { ...context, isOver: () => false }),
};

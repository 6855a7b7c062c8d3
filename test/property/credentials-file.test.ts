import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseKnownFiles } from "@smithy/shared-ini-file-loader";
import { fc } from "../support/property.ts";
import { Failure } from "../../src/base/failure.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Edit } from "../../src/credentials-file/edit.ts";
import { ownershipOf } from "../../src/credentials-file/ownership.ts";
import { credentialsFile, PROFILES } from "../support/credentials-file-arbitrary.ts";
import { documentOf, NEW_KEYS, NEW_VALUES, REMOVE, WRITE } from "../support/credentials-file-keys.ts";
import { guardSplice, spliceProfiles } from "../support/credentials-file-splice.ts";

const RUNS = process.env["SLOW"] === "1" ? 20_000 : 1500;
const profile = fc.constantFrom(...PROFILES);
const edit = fc.constantFrom<Edit>(WRITE, WRITE, REMOVE, {
  kind: "write",
  keys: { ...NEW_KEYS, principalArn: undefined, expiresAt: undefined },
});

/** The spliced file, or undefined where it is refused; anything but a refusal is a bug. */
function splice(bytes: Buffer, edits: ReadonlyMap<string, Edit>): Buffer | undefined {
  try {
    return spliceProfiles(documentOf(bytes), edits);
  } catch (error) {
    if (error instanceof Failure && error.code === "FILE_UNSAFE") return undefined;
    throw error;
  }
}

const MANAGED_LINE =
  /^\s*(?:aws_access_key_id|aws_secret_access_key|aws_session_token|aws_security_token|x_principal_arn|x_security_token_expires|manager)\s*[=:]/i;

/** What is no managed key of anybody, line for line; those of other sections are the next test's. */
function linesOfOthers(bytes: Buffer, name: string): readonly string[] {
  const header = `[${Buffer.from(name).toString("latin1")}]`;
  return bytes
    .toString("latin1")
    .replace(/^\u00ef\u00bb\u00bf/, "")
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => !MANAGED_LINE.test(line) && line.trim() !== header && line.trim() !== "");
}

test("every line outside the managed keys of the profile comes out as it went in", () => {
  fc.assert(
    fc.property(credentialsFile, profile, edit, (bytes, name, change) => {
      const spliced = splice(bytes, new Map([[name, change]]));
      if (spliced) assert.deepEqual(linesOfOthers(spliced, name), linesOfOthers(bytes, name));
    }),
    { numRuns: RUNS },
  );
});

test("the bytes before and after the section come out as they went in", () => {
  fc.assert(
    fc.property(credentialsFile, profile, (bytes, name) => {
      const body = documentOf(bytes).body(name);
      const spliced = body && splice(bytes, new Map([[name, WRITE]]));
      if (!spliced) return;
      const end = body.next?.start ?? bytes.length;
      assert.ok(spliced.subarray(0, body.header.end).equals(bytes.subarray(0, body.header.end)));
      assert.ok(spliced.subarray(spliced.length - (bytes.length - end)).equals(bytes.subarray(end)));
    }),
    { numRuns: RUNS },
  );
});

test("the second splice changes nothing", () => {
  fc.assert(
    fc.property(credentialsFile, profile, edit, (bytes, name, change) => {
      const edits = new Map([[name, change]]);
      const once = splice(bytes, edits);
      // What the guard refuses is never written, and so never read again.
      if (once && passesGuard(bytes, once, name, change)) assert.equal(splice(once, edits), once);
    }),
    { numRuns: RUNS },
  );
});

test("splices of two profiles commute", () => {
  fc.assert(
    fc.property(credentialsFile, profile, profile, edit, (bytes, a, b, change) => {
      fc.pre(a !== b);
      const document = documentOf(bytes);
      // Sections that both are new come in the order of their splices.
      fc.pre(document.body(a) !== undefined && document.body(b) !== undefined);
      // A section at a cut-off end of the file takes the line end of the line above, which may be the other's.
      const text = bytes.toString("latin1");
      fc.pre(!text.includes("\r\n") || (!/(?<!\r)\n/.test(text) && text.endsWith("\n")));
      // A removal takes one of two blank lines that would meet: which of them is there to see may depend on the other.
      const textOf = (one: Buffer) =>
        one.toString("latin1").replace(change.kind === "remove" ? /^[\t ]*\r?\n/gm : /(?!)/, "");
      const ab = chain(bytes, [a, WRITE], [b, change]);
      const ba = chain(bytes, [b, change], [a, WRITE]);
      if (ab && ba) assert.equal(textOf(ab), textOf(ba));
      const both = splice(
        bytes,
        new Map([
          [a, WRITE],
          [b, change],
        ]),
      );
      if (both && ab) assert.equal(textOf(both), textOf(ab));
    }),
    { numRuns: RUNS },
  );
});

function chain(bytes: Buffer, ...edits: readonly (readonly [string, Edit])[]): Buffer | undefined {
  let current: Buffer | undefined = bytes;
  for (const [name, change] of edits) current = current && splice(current, new Map([[name, change]]));
  return current;
}

test("what is written is read back whole and is ours, and a removal leaves none of it", () => {
  fc.assert(
    fc.property(credentialsFile, profile, (bytes, name) => {
      const spliced = splice(bytes, new Map([[name, WRITE]]));
      if (!spliced) return;
      const section = documentOf(spliced).profile(name);
      // Where only the guard finds the trouble, the section may read as incomplete.
      if (!passesGuard(bytes, spliced, name, WRITE)) return;
      assert.ok(section?.isComplete);
      const removed = splice(spliced, new Map([[name, REMOVE]]));
      if (removed) assert.equal(documentOf(removed).profile(name)?.accessKeyId, undefined);
      assert.ok(["ours", "foreign"].includes(ownershipOf(section).kind));
    }),
    { numRuns: RUNS },
  );
});

function passesGuard(bytes: Buffer, spliced: Buffer, name: string, change: Edit): boolean {
  try {
    guardSplice("credentials", bytes, spliced, new Map([[name, change]]));
    return true;
  } catch {
    return false;
  }
}

test("the guard stops what a byte changed anywhere outside the managed keys would tell a reader", () => {
  fc.assert(
    fc.property(credentialsFile, profile, fc.nat(), (bytes, name, seed) => {
      const edits = new Map([[name, WRITE]]);
      const spliced = splice(bytes, edits);
      if (!spliced || !passesGuard(bytes, spliced, name, WRITE)) return;
      const text = spliced.toString("latin1");
      // Letters and digits: changing one of them changes a key, a value, a name or a comment.
      const places = [...text.matchAll(/[a-z0-9]/gi)].map(({ index }) => index);
      const at = places[seed % Math.max(1, places.length)];
      if (at === undefined) return;
      const spoilt = Buffer.from(`${text.slice(0, at)}${text[at] === "Z" ? "Y" : "Z"}${text.slice(at + 1)}`, "latin1");
      assert.throws(() => guardSplice("credentials", bytes, spoilt, edits), Failure);
    }),
    { numRuns: RUNS },
  );
});

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "rolefresh-smithy-"));
});
after(async () => {
  await rm(directory, { recursive: true });
});

const printable = fc.string({
  unit: fc.constantFrom(...Array.from("ABCxyz019+/=%:.,@_-")),
  minLength: 1,
  maxLength: 60,
});

test("the SDK's own loader reads back exactly what was written", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(credentialsFile, profile, printable, printable, async (bytes, name, secret, token) => {
      // The loader drops profiles with a blank in their name (GRAMMAR 9).
      fc.pre(!name.includes(" "));
      const edits = new Map<string, Edit>([
        [
          name,
          {
            kind: "write",
            keys: { ...NEW_KEYS, secretAccessKey: new Secret(secret), sessionToken: new Secret(token) },
          },
        ],
      ]);
      const spliced = splice(bytes, edits);
      if (!spliced || !tryGuard(bytes, spliced, edits)) return;
      const path = join(directory, `credentials-${++count}`);
      await writeFile(path, spliced);
      const profiles = await parseKnownFiles({ filepath: path, configFilepath: join(directory, "none") });
      const expected: Record<string, string> = {
        ...NEW_VALUES,
        aws_secret_access_key: secret,
        aws_session_token: token,
        aws_security_token: token,
      };
      for (const [key, value] of Object.entries(expected)) assert.equal(profiles[name]?.[key], value, key);
    }),
    { numRuns: RUNS / 5 },
  );
});

function tryGuard(bytes: Buffer, spliced: Buffer, edits: ReadonlyMap<string, Edit>): boolean {
  try {
    guardSplice("credentials", bytes, spliced, edits);
    return true;
  } catch {
    return false;
  }
}

test("50,000 profiles are written in one pass", () => {
  const sections = Array.from(
    { length: 50_000 },
    (_, n) =>
      `[profile-${n}]\naws_access_key_id = ASIAX${n}\naws_secret_access_key = ${"s".repeat(40)}\naws_session_token = ${"t".repeat(80)}\n`,
  );
  const bytes = Buffer.from(sections.join("\n"));
  const edits = new Map<string, Edit>([
    ["profile-49999", WRITE],
    ["new", WRITE],
  ]);
  const spliced = spliceProfiles(documentOf(bytes), edits);
  guardSplice("credentials", bytes, spliced, edits);
  assert.ok(documentOf(spliced).profile("profile-49999")?.isComplete);
});

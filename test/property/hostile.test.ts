import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { fc } from "../support/property.ts";

import { Failure } from "../../src/base/failure.ts";
import { profileNameProblem } from "../../src/base/profile-name.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Edit } from "../../src/credentials-file/edit.ts";
import { main } from "../../src/main.ts";
import { renderSessionName } from "../../src/plan/session-name.ts";
import { findPython, NO_PYTHON, type PythonReaders, startPythonReaders } from "../fuzz/python-readers.ts";
import { nameForSmithy, readWithSmithy } from "../fuzz/smithy-reader.ts";
import { documentOf, NEW_KEYS } from "../support/credentials-file-keys.ts";
import { HOSTILE_TEXTS } from "../support/hostile-texts.ts";
import { GCP_ARN, ONE_ROLE, openScene, valuesOf } from "../support/scene.ts";
import { testWorld } from "../support/test-world.ts";
import { guardSplice, spliceProfiles } from "../support/credentials-file-splice.ts";

// Nobody who can choose a name, or answer as STS, can make a line that another parser reads as a key or a section.

const BEFORE = "# mine\n[mine]\naws_access_key_id = AKIAMINE\naws_secret_access_key = mine\n";
const PYTHON = findPython();

const hostile = fc
  .tuple(fc.constantFrom("", "ASIA", "a"), fc.constantFrom(...HOSTILE_TEXTS), fc.constantFrom("", "b"))
  .map((parts) => parts.join(""));

/** The file with the profile written, or undefined where that is refused. */
function written(profile: string, edit: Edit): Buffer | undefined {
  const edits = new Map([[profile, edit]]);
  try {
    const after = spliceProfiles(documentOf(BEFORE), edits);
    guardSplice("credentials", Buffer.from(BEFORE), after, edits);
    return after;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return undefined;
  }
}

/** Every reader finds [mine] as it was, the profile with what was written, and nothing else. */
async function assertNothingElse(
  file: Buffer,
  profile: string,
  values: ReadonlyMap<string, string>,
  python: PythonReaders | undefined,
): Promise<void> {
  const readings = Object.entries({ smithy: await readWithSmithy(file), ...(await python?.read(file)) });
  for (const [reader, found] of readings) {
    const name = reader === "smithy" ? nameForSmithy(profile) : profile;
    const names = ["mine", ...(name === undefined ? [] : [name])];
    assert.deepEqual(Object.keys(found ?? {}).toSorted(), names.toSorted(), reader);
    assert.deepEqual({ ...found?.["mine"] }, { aws_access_key_id: "AKIAMINE", aws_secret_access_key: "mine" }, reader);
    if (name === undefined) continue;
    for (const [key, value] of values) assert.equal(found?.[name]?.[key], value, reader);
  }
}

suite("injection", () => {
  test("a profile's name is refused, or is one section to every reader", async (context) => {
    await using python = PYTHON === undefined ? undefined : await startPythonReaders(PYTHON);
    if (!python) context.diagnostic(`without botocore and boto2: ${NO_PYTHON}`);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(hostile, fc.string({ unit: "binary", maxLength: 6 })), async (name) => {
        const file = written(name, { kind: "write", keys: NEW_KEYS });
        assert.equal(file !== undefined, profileNameProblem(name) === undefined && name !== "mine", name);
        if (!file) return;
        accepted++;
        await assertNothingElse(file, name, new Map([["aws_access_key_id", NEW_KEYS.accessKeyId]]), python);
      }),
      { numRuns: 600 },
    );
    assert.ok(accepted > 40);
  });

  test("a key, a token or an ARN is refused, or is what every reader finds", async () => {
    await using python = PYTHON === undefined ? undefined : await startPythonReaders(PYTHON);
    const field = fc.constantFrom("accessKeyId", "secretAccessKey", "sessionToken", "principalArn");
    await fc.assert(
      fc.asyncProperty(field, hostile, async (name, text) => {
        const isSecret = name === "secretAccessKey" || name === "sessionToken";
        const keys = { ...NEW_KEYS, [name]: isSecret ? new Secret(text) : text };
        const file = written("p", { kind: "write", keys });
        if (!file) return;
        const key = {
          accessKeyId: "aws_access_key_id",
          secretAccessKey: "aws_secret_access_key",
          sessionToken: "aws_session_token",
          principalArn: "x_principal_arn",
        }[name];
        await assertNothingElse(file, "p", new Map([[key, text]]), python);
      }),
      { numRuns: 500 },
    );
  });

  test("a role session name is always one that STS takes", () => {
    fc.assert(
      fc.property(hostile, hostile, (template, hostname) => {
        const name = renderSessionName(`${template}{hostname}{profile}`, { profile: template, hostname });
        assert.match(name, /^[\w+=,.@-]{2,64}$/);
      }),
    );
  });
});

suite("an STS or a config that is hostile", () => {
  for (const field of ["accessKeyId", "secretAccessKey", "sessionToken", "arn"] as const) {
    test(`${field}: nothing is written, or what every reader finds`, async () => {
      await using scene = await openScene(ONE_ROLE);
      await scene.home.write(".aws/credentials", BEFORE);
      for (const text of HOSTILE_TEXTS) {
        const value = `${field === "arn" ? "arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/" : "ASIA0000000000000000"}${text}`;
        scene.sandbox.misbehave("sts", { kind: "hostile-field", field, text: value });
        const world = testWorld({ argv: ["refresh", "--force"], env: scene.env, home: scene.home.path });
        const code = await main(world);
        const file = await scene.credentials();
        const shown = JSON.stringify(text.slice(0, 40));
        if (code === 0) {
          const key = {
            accessKeyId: "aws_access_key_id",
            secretAccessKey: "aws_secret_access_key",
            sessionToken: "aws_session_token",
            arn: "x_principal_arn",
          }[field];
          // XML's own rules: a parser turns CR into LF and takes blanks at the ends off.
          assert.equal(valuesOf(file, "default")[key], value.trim(), shown);
          await assertNothingElse(Buffer.from(file), "default", new Map(), undefined);
          await writeFile(scene.home.credentials, BEFORE);
        } else {
          assert.equal(code, 76, `${shown}: ${world.written.err}`);
          assert.equal(file, BEFORE, shown);
          assert.equal(world.written.err.split("\n").length, 3, "one line for the error and one for the hint");
        }
      }
    });
  }

  test("an expiry is a time or is not believed", async () => {
    await using scene = await openScene(ONE_ROLE);
    await scene.home.write(".aws/credentials", BEFORE);
    for (const text of [
      ...HOSTILE_TEXTS,
      "2026-11-23",
      "1e400",
      "-1",
      "9999999999999",
      "+275760-09-13T00:00:00.001Z",
    ]) {
      scene.sandbox.misbehave("sts", { kind: "bad-expiry", text });
      const world = testWorld({ argv: ["refresh"], env: scene.env, home: scene.home.path });
      assert.equal(await main(world), 76, JSON.stringify(text.slice(0, 40)));
      assert.equal(await scene.credentials(), BEFORE);
    }
  });

  test("names in a config are refused with their line, or are one section each", async () => {
    await using scene = await openScene("");
    let accepted = 0;
    for (const text of HOSTILE_TEXTS) {
      // As it comes out of a file: a lone surrogate has no UTF-8 form.
      const name = Buffer.from(`a${text}`).toString();
      await scene.home.write(".aws/rolefresh.ini", `[${name}]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`);
      await scene.home.write(".aws/credentials", BEFORE);
      const world = testWorld({ argv: ["refresh"], env: scene.env, home: scene.home.path });
      const code = await main(world);
      const file = await scene.credentials();
      if (code === 0) {
        accepted++;
        assert.equal(file.replace(/\n\[a[^]*/, ""), BEFORE.trimEnd() + "\n", JSON.stringify(text.slice(0, 40)));
        assert.deepEqual(
          file.split("\n").filter((line) => line.startsWith("[")),
          ["[mine]", `[${name.trimEnd()}]`],
        );
      } else {
        assert.ok([78, 65].includes(code), `${code}: ${JSON.stringify(text.slice(0, 40))}: ${world.written.err}`);
        assert.equal(file, BEFORE);
      }
    }
    assert.ok(accepted > 5);
  });
});

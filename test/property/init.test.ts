import assert from "node:assert/strict";
import { test } from "node:test";

import { fc } from "../support/property.ts";

import { parseIniFile } from "../../src/config/ini-file.ts";
import { CONFIG_KEYS } from "../../src/config/keys.ts";
import { profileNameProblem } from "../../src/base/profile-name.ts";
import { Failure } from "../../src/base/failure.ts";
import { renderConfig } from "../../src/init/config-text.ts";

const piece = fc.oneof(
  fc.constantFrom(";", "#", '"', "'", "\\", "=", " ", "[", "]", "true", "null", "$", "é", "日"),
  fc.string(),
);
const value = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join("").trim());
const values = fc
  .dictionary(fc.constantFrom(...CONFIG_KEYS.map(({ name }) => name)), value, { maxKeys: 6 })
  .map((record) => new Map(CONFIG_KEYS.flatMap(({ name }) => (record[name] ? [[name, record[name]] as const] : []))));
const profile = fc
  .oneof(fc.constantFrom("default", "prod.admin", "a b", "x@y/z"), fc.string())
  .filter((name) => profileNameProblem(name) === undefined);

test("the config holds exactly what it was given, or says that it cannot", () => {
  let written = 0;
  fc.assert(
    fc.property(profile, values, (name, given) => {
      let text: string;
      try {
        text = renderConfig({ profile: name, values: given }, ["seen here: x."]);
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === "USAGE", String(error));
        return;
      }
      written++;
      const { sections, problems } = parseIniFile(text);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        sections.map((section) => [section.name, section.entries.length]),
        [[name, given.size]],
      );
      for (const entry of sections[0]?.entries ?? [])
        assert.equal(entry.value, new Map<string, string>(given).get(entry.key));
    }),
    { numRuns: 1000 },
  );
  assert.ok(written > 800, `only ${written} could be written`);
});

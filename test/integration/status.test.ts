import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { stripVTControlCharacters } from "node:util";

import { main } from "../../src/main.ts";
import { renderBar } from "../../src/output/time-bar.ts";
import { GCP_ARN } from "../support/scene.ts";
import { tempHome } from "../support/temp-home.ts";
import { testWorld } from "../support/test-world.ts";

const NOW = new Date("2026-11-23T10:00:00Z");

function section(profile: string, expires: string): string {
  return `[${profile}]
aws_access_key_id = ASIAEXAMPLEEXAMPLE12
aws_secret_access_key = s
aws_session_token = t
aws_security_token = t
x_principal_arn = arn:aws:sts::123412341234:assumed-role/my-gcp-role-20211031/p.i
x_security_token_expires = ${expires}
manager = rolefresh
`;
}

async function statusOn(terminal: boolean, env: Readonly<Record<string, string>>, columns = 120): Promise<string> {
  await using home = await tempHome();
  const profiles = ["fresh", "half", "old"];
  await home.write(
    ".aws/rolefresh.ini",
    profiles.map((name) => `[${name}]\nrole_arn = ${GCP_ARN}\nidentity = gcp-metadata\n`).join("\n"),
  );
  await home.write(
    ".aws/credentials",
    section("fresh", "2026-11-23T11:00:00Z") +
      section("half", "2026-11-23T10:30:00Z") +
      section("old", "2026-11-23T09:00:00Z"),
  );
  const world = testWorld({ argv: ["status"], home: home.path, now: NOW, isTTY: terminal, columns, env });
  assert.equal(await main(world), 0);
  assert.equal(world.written.err, "");
  return world.written.out;
}

suite("status", () => {
  test("a terminal shows the time left as a bar, in colour", async () => {
    const text = await statusOn(true, {});
    assert.ok(text.includes("\u001b[32mfresh\u001b[39m") && text.includes("\u001b[31mexpired\u001b[39m"), text);
    const plain = stripVTControlCharacters(text).split("\n");
    assert.match(plain[1] ?? "", /^fresh +\S+ +fresh +2026-11-23T11:00:00Z +59m +##########$/);
    assert.match(plain[2] ?? "", /^half +\S+ +due +2026-11-23T10:30:00Z +29m +#####-----$/);
    assert.match(plain[3] ?? "", /^old +\S+ +expired +2026-11-23T09:00:00Z +0s +----------$/);
  });

  test("NO_COLOR keeps the bar and drops the colour", async () => {
    const text = await statusOn(true, { NO_COLOR: "1" });
    assert.equal(text, stripVTControlCharacters(text));
    assert.match(text, /##########/);
  });

  test("a terminal that is too narrow for the bar gets none, rather than one on a line of its own", async () => {
    const width = "PROFILE".length + 2 + GCP_ARN.length + 2 + "expired".length + 2 + 20 + 2 + "LEFT".length + 2 + 10;
    assert.match(await statusOn(true, {}, width), /##########/);
    assert.doesNotMatch(await statusOn(true, {}, width - 1), /#/);
  });

  test("a pipe gets plain columns, whatever the colour settings say", async () => {
    const text = await statusOn(false, { FORCE_COLOR: "1" });
    assert.match(text, /^PROFILE +ROLE +STATE +EXPIRES +LEFT\nfresh .* 59m\n/);
    assert.ok(!text.includes("#"));
  });

  test("the bar is cut at both ends", () => {
    assert.deepEqual([-1, 0, 0.34, 1, 7].map(renderBar), [
      "----------",
      "----------",
      "###-------",
      "##########",
      "##########",
    ]);
  });
});

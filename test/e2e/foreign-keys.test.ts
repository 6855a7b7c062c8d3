import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { diagnose } from "../support/doctor-scene.ts";
import { expiringIn, openScene, THREE_ROLES } from "../support/scene.ts";

suite("keys of other tools that act on a section of ours", () => {
  const kept = "[default]\nexpiry_time = 2026-01-01T00:00:00Z\n\n[prod.admin]\nAWS_expiration = 0\nexpiration = 0\n";

  test("refresh writes, keeps them, and names each once, with its tool and what to delete", async () => {
    await using scene = await openScene(THREE_ROLES);
    // The last section is nobody's: its key is not looked at.
    await scene.home.write(".aws/credentials", `${kept}\n[theirs]\nexpiry_time = 1\n`);
    const { code, stderr } = await scene.run([]);
    assert.equal(code, 0);
    const told = stderr.trimEnd().split("\n").toSorted();
    assert.equal(told.length, 3, stderr);
    assert.match(
      told.join("\n"),
      /credentials:\d+: \[default\] has expiry_time: HTSlib \(samtools\) .*: delete this line/,
    );
    assert.match(told.join("\n"), /credentials:\d+: \[prod\.admin\] has aws_expiration: clisso .*: delete this line/);
    assert.match(told.join("\n"), /credentials:\d+: \[prod\.admin\] has expiration: awsume .*: delete this line/);
    const after = await scene.credentials();
    for (const line of ["expiry_time = 2026-01-01T00:00:00Z", "AWS_expiration = 0", "expiration = 0"])
      assert.ok(after.includes(line), line);
    // The line that is named is the one to delete.
    const [, number = ""] = /credentials:(\d+): \[prod\.admin\] has expiration/.exec(stderr) ?? [];
    assert.equal(after.split("\n")[Number(number) - 1], "expiration = 0");
    assert.deepEqual(await scene.run([]), { code: 0, signal: null, stdout: "", stderr: "" }, "nothing is due");
  });

  test("doctor warns of them as well, and not of a key in a nested block", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.home.write(".aws/credentials", `${kept}\n[billing]\ns3 =\n  expiration = 0\n`);
    await scene.run([]);
    const told = (await diagnose(scene)).of("readers").filter((message) => message.includes("delete this line"));
    assert.equal(told.length, 3, told.join("\n"));
    for (const message of told) assert.match(message, /^warning: /);
  });

  test("a refresh of one profile says nothing of another's", async () => {
    await using scene = await openScene(THREE_ROLES);
    await scene.home.write(".aws/credentials", kept);
    await scene.run([]);
    await scene.home.write(".aws/credentials", expiringIn(await scene.credentials(), "billing", 60_000));
    const { code, stderr } = await scene.run([]);
    assert.deepEqual([code, stderr], [0, ""]);
  });
});

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";

import { calendarGapMs, cronGapMs } from "../../src/doctor/calendar.ts";
import { cronLines, isCronRunning } from "../../src/doctor/cron-lines.ts";
import { CHECKS } from "../../src/doctor/checks.ts";
import { parseMountinfo } from "../../src/doctor/checks/mount.ts";
import { classifyNode, OLDEST_NODE } from "../../src/doctor/checks/node.ts";
import { finding, type Finding } from "../../src/doctor/finding.ts";
import { summary, toJson, toText } from "../../src/doctor/render.ts";
import { parseUnits } from "../../src/doctor/systemd-timer.ts";
import { shellWord } from "../../src/base/shell-word.ts";
import { tempHome } from "../support/temp-home.ts";

suite("doctor's view of mounts", () => {
  // proc_pid_mountinfo(5); the second line is how `mount --bind "a b" /h/credentials` shows.
  const line = (root: string, point: string) =>
    `42 27 254:0 ${root} ${point} rw,relatime shared:1 - ext4 /dev/vda rw\n`;

  test("a file that is a mount point is found, its name unescaped", () => {
    assert.deepEqual(parseMountinfo(line("/etc/a\\040b", "/h/my\\040creds"), "/h/my creds"), { isDetached: false });
    assert.equal(parseMountinfo(line("/etc", "/h"), "/h/credentials"), undefined);
    assert.equal(parseMountinfo("", "/h"), undefined);
    assert.equal(parseMountinfo("not a mountinfo", "/h"), undefined);
  });

  test("a source that was replaced is marked as deleted, and the last mount counts", () => {
    const text = line("/etc/creds", "/h/c") + line("/etc/creds//deleted", "/h/c");
    assert.deepEqual(parseMountinfo(text, "/h/c"), { isDetached: true });
  });
});

suite("doctor's view of schedules", () => {
  test("the longest time between two runs of a crontab line", () => {
    const table: readonly (readonly [string, number | undefined])[] = [
      ["* * * * *", 1],
      ["*/5 * * * *", 5],
      ["*/25 * * * *", 25],
      ["7,22,37,52 * * * *", 15],
      ["0 * * * *", 60],
      ["@hourly", 60],
      ["0 */2 * * *", 120],
      ["*/10 8-18 * * *", 13 * 60 + 10],
      ["@daily", 1440],
      ["*/5 * * * 1-5", undefined],
      ["@reboot", undefined],
      ["61 * * * *", undefined],
      ["*/0 * * * *", undefined],
      ["x y z", undefined],
    ];
    for (const [schedule, minutes] of table)
      assert.equal(cronGapMs(schedule), minutes === undefined ? undefined : minutes * 60_000, schedule);
  });

  test("calendar events are parsed in the form that systemd prints", () => {
    const table: readonly (readonly [string, number | undefined])[] = [
      ["*-*-* *:00/5:00 ", 5],
      ["*-*-* *:*:00", 1],
      ["*-*-* *:00:00", 60],
      ["*-*-* 00/2:00:00", 120],
      ["*-*-* 00:00:00", 1440],
      ["*-*-* *:07,37:00 Europe/Berlin", 30],
      ["Mon *-*-* 00:00:00", undefined],
    ];
    for (const [event, minutes] of table)
      assert.equal(calendarGapMs(event), minutes === undefined ? undefined : minutes * 60_000, event);
  });

  test("crontab lines are found with or without a user, comments and variables are not", () => {
    const text = [
      "# BEGIN rolefresh: written by 'rolefresh schedule cron --install'",
      "MAILTO=rolefresh@example.com",
      "*/5 * * * * TOKEN=sesame /usr/bin/node /opt/rolefresh/build/src/bin.js refresh",
      "0  */2 * * 1-5 root rolefresh",
      "@reboot rolefresh",
      "*/5 * * * * somebody-else",
    ].join("\n");
    assert.deepEqual(
      cronLines(text, "here").map(({ schedule }) => schedule),
      ["*/5 * * * *", "0 */2 * * 1-5", "@reboot"],
    );
    assert.doesNotMatch(JSON.stringify(cronLines(text, "here")), /sesame/, "a command may hold a secret");
  });

  test("a cron daemon is found by its name; with hidden processes the answer is unknown", async () => {
    await using home = await tempHome();
    const proc = join(home.path, "proc");
    assert.equal(await isCronRunning(proc), undefined);
    await mkdir(join(proc, "1"), { recursive: true });
    await writeFile(join(proc, "1", "comm"), "systemd\n");
    assert.equal(await isCronRunning(proc), false);
    await mkdir(join(proc, "77"));
    await writeFile(join(proc, "77", "comm"), "crond\n");
    assert.equal(await isCronRunning(proc), true);
  });

  test("the output of systemctl about two units is parsed", () => {
    const units = parseUnits("Id=a.timer\nTimersCalendar={ OnCalendar=x=y }\n\nId=a.service\nResult=exit-code\n");
    assert.equal(units.get("a.timer")?.get("TimersCalendar"), "{ OnCalendar=x=y }");
    assert.equal(units.get("a.service")?.get("Result"), "exit-code");
    assert.equal(parseUnits("garbage").size, 0);
  });
});

test("each check of the table is a file of its name", async () => {
  const files = await readdir(new URL("../../../src/doctor/checks", import.meta.url));
  assert.deepEqual(files.toSorted(), CHECKS.map(({ name }) => `${name}.ts`).toSorted());
});

suite("doctor's report", () => {
  const named = (check: string, found: Finding) => ({ ...found, check });
  const findings = [
    named("profile", finding("error", "expired\u001b[2J", { profile: "a b", hint: "rolefresh refresh 'a b'" })),
    named("timer", finding("warning", "no timer")),
    named("node", finding("ok", "Node v24.0.0")),
  ];

  test("findings are aligned, the hint below, a summary at the end", () => {
    assert.equal(
      toText(findings, { colour: false, quiet: false }),
      "error    profile  [a b] expired [2J\n         hint: rolefresh refresh 'a b'\nwarning  timer    no timer\n" +
        "ok       node     Node v24.0.0\n1 error, 1 warning\n",
    );
    const names = CHECKS.map(({ name }) => name);
    assert.deepEqual([...new Set(names)], names);
  });

  test("quiet prints only warnings and errors", () => {
    assert.doesNotMatch(toText(findings, { colour: false, quiet: true }), /^ok/m);
    assert.equal(toText(findings.slice(2), { colour: false, quiet: true }), "");
  });

  test("JSON has every field, null where there is nothing", () => {
    assert.deepEqual(JSON.parse(toJson(findings.slice(2))), {
      findings: [{ check: "node", level: "ok", profile: null, message: "Node v24.0.0", hint: null }],
    });
  });

  test("the summary counts errors and warnings", () => {
    const one = finding("error", "x");
    assert.equal(summary([]), "no errors, no warnings");
    assert.equal(summary([one, one]), "2 errors");
  });

  test("names with blanks and quotes are formatted for a shell", () => {
    assert.deepEqual(["a.b@c/d", "a b", "it's"].map(shellWord), ["a.b@c/d", "'a b'", "'it'\\''s'"]);
  });
});

test("the oldest Node is the one of package.json, and an older one is an error", async () => {
  const manifest = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8")) as {
    engines: { node: string };
  };
  assert.equal(manifest.engines.node, `>=${OLDEST_NODE}`);
  const levels = ["18.20.0", "20.18.3", "20.19.0", "26.0.0"].map((version) => classifyNode(version).level);
  assert.deepEqual(levels, ["error", "error", "ok", "ok"]);
});

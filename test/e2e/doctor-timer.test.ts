import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { suite, test } from "node:test";

import { diagnose, openHealthyScene } from "../support/doctor-scene.ts";
import { expiringIn, ONE_ROLE, type Scene } from "../support/scene.ts";

/** What `systemctl show` prints for the two units, as systemd 252 does, with some of it replaced. */
function units(changes: Readonly<Record<string, string>> = {}): string {
  const text = `Result=success
Id=rolefresh.timer
LoadState=loaded
ActiveState=active
UnitFileState=enabled
NextElapseUSecRealtime=Tue 2026-11-24 06:50:00 UTC
LastTriggerUSec=Tue 2026-11-24 06:45:03 UTC
TimersCalendar={ OnCalendar=*-*-* *:00/5:00 ; next_elapse=Tue 2026-11-24 06:50:00 UTC }

ExecMainStatus=0
Result=exec-condition
Id=rolefresh.service
LoadState=loaded
ActiveState=inactive
UnitFileState=static
`;
  return Object.entries(changes).reduce((all, [old, changed]) => all.replace(old, changed), text);
}

const NOT_FOUND = units({ "LoadState=loaded": "LoadState=not-found" }).replace(
  "LoadState=loaded",
  "LoadState=not-found",
);

/** Puts a `systemctl` on the PATH that answers for one manager and knows nothing of the other. */
async function systemctl(scene: Scene, scope: "user" | "system", answer: string): Promise<void> {
  const [user, system] = scope === "user" ? [answer, NOT_FOUND] : [NOT_FOUND, answer];
  const script = `#!/bin/sh\ncase " $* " in\n*" --user "*) /bin/cat <<'E'\n${user}E\n;;\n*) /bin/cat <<'E'\n${system}E\n;;\nesac\n`;
  await scene.home.write("bin/systemctl", script, 0o755);
}

async function crontab(scene: Scene, text: string): Promise<void> {
  await scene.home.write("bin/crontab", `#!/bin/sh\n/bin/cat <<'E'\n${text}E\n`, 0o755);
}

suite("doctor and the timer", () => {
  test("a systemd timer that runs is reported with its last run and the next", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await systemctl(scene, "system", units());
    const { of, wrong } = await diagnose(scene);
    assert.deepEqual(wrong, []);
    assert.deepEqual(of("timer"), [
      "ok: rolefresh.timer (system) is active: last run at 2026-11-24T06:45:03Z, next at 2026-11-24T06:50:00Z",
    ]);
    assert.deepEqual(of("refresh-window"), ["ok: the timer runs every 5m, often enough for every profile"]);
  });

  const broken: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      "its last run failed",
      { "Result=exec-condition": "Result=exit-code", "ExecMainStatus=0": "ExecMainStatus=78" },
      /^error: the last run of rolefresh\.service \(system\) failed: exit-code, status 78; .*06:45:03Z \| journalctl -u rolefresh\.service/,
    ],
    [
      "it was never started",
      { "ActiveState=active": "ActiveState=inactive" },
      /^error: rolefresh\.timer \(system\) is not active: nothing is refreshed \| systemctl enable --now rolefresh\.timer/,
    ],
    [
      "it is not enabled",
      { "UnitFileState=enabled": "UnitFileState=disabled" },
      /^warning: rolefresh\.timer \(system\) is not enabled: it does not start at boot/,
    ],
    [
      "there is a service and no timer",
      { "LoadState=loaded": "LoadState=not-found" },
      /^warning: rolefresh\.service \(system\) is installed without rolefresh\.timer: nothing starts it/,
    ],
    [
      "there is a timer and no service",
      { "rolefresh.service\nLoadState=loaded": "rolefresh.service\nLoadState=not-found" },
      /^warning: rolefresh\.timer \(system\) is installed without rolefresh\.service: it has nothing to start/,
    ],
  ];
  for (const [what, changes, expected] of broken) {
    test(`a systemd timer: ${what}`, async () => {
      await using scene = await openHealthyScene(ONE_ROLE);
      await systemctl(scene, "system", units(changes));
      const { of, wrong } = await diagnose(scene);
      assert.match(of("timer")[0] ?? "", expected);
      assert.equal(wrong.length, 1);
    });
  }

  test("the Debian package's timer that was never enabled is not a schedule", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    const packaged = "FragmentPath=/usr/lib/systemd/system/rolefresh.timer\nUnitFileState=disabled";
    await systemctl(
      scene,
      "system",
      units({ "ActiveState=active\nUnitFileState=enabled": `ActiveState=inactive\n${packaged}` }),
    );
    await crontab(scene, "*/10 * * * * rolefresh\n");
    const { of } = await diagnose(scene);
    assert.doesNotMatch(of("timer").join("\n"), /not active/);
    assert.match(of("timer").join("\n"), /crontab|cron/);
  });

  test("a user's timer that ends with the session is a warning", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await systemctl(scene, "user", units());
    const { of } = await diagnose(scene);
    // Where the developer's account lingers, the timer is in order.
    assert.match(
      of("timer")[0] ?? "",
      /^(warning: .*lingering is off \| loginctl enable-linger|ok: rolefresh\.timer \(user\))/,
    );
  });

  test("units without a running systemd are a warning", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await scene.home.write(".config/systemd/user/rolefresh.timer", "[Timer]\n");
    const { of } = await diagnose(scene);
    assert.match(
      of("timer")[0] ?? "",
      /^warning: .*user\/rolefresh\.timer exists, but systemd \(user\) does not respond/,
    );
  });

  test("a systemctl that hangs is a warning; the other checks still run", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await scene.home.write("bin/systemctl", "#!/bin/sh\nexec /bin/sleep 1000\n", 0o755);
    const { of } = await diagnose(scene);
    assert.match(of("timer").join("\n"), /warning: systemctl \(system\) timed out, so its timer cannot be checked/);
    assert.match(of("profile")[0] ?? "", /^ok/);
  });

  test("a timer that runs less often than a profile's refresh_before is a warning", async () => {
    await using scene = await openHealthyScene(`${ONE_ROLE}refresh_before = 10m\n`);
    await systemctl(scene, "system", units({ "*:00/5:00": "*:00/15:00" }));
    const { of } = await diagnose(scene);
    assert.match(
      of("refresh-window")[0] ?? "",
      /^warning: \[default\] the timer runs every 15m, but the profile is due only 10m before/,
    );
  });

  test("being due for longer than the timer's interval is a warning", async () => {
    await using scene = await openHealthyScene(`${ONE_ROLE}refresh_before = 25m\n`);
    await systemctl(scene, "system", units());
    await writeFile(scene.home.credentials, expiringIn(await scene.credentials(), "default", 16 * 60_000));
    assert.match(
      (await diagnose(scene)).of("profile")[0] ?? "",
      /^warning: \[default\] due for \d+m and not refreshed/,
    );
  });

  test("a crontab line is found, its command never printed; without a cron daemon it is an error", async () => {
    await using scene = await openHealthyScene(ONE_ROLE);
    await crontab(scene, "# rolefresh\n*/10 * * * * X=sesame rolefresh\n");
    const { of, findings } = await diagnose(scene);
    assert.match(
      of("timer")[0] ?? "",
      /^(ok: the user's crontab runs rolefresh at '\*\/10 \* \* \* \*'; cron mails failures|error: .*, but no cron daemon is running)/,
    );
    assert.doesNotMatch(JSON.stringify(findings), /sesame/);
  });
});

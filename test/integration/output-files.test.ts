import assert from "node:assert/strict";
import { lstat, readFile, symlink } from "node:fs/promises";
import { suite, test } from "node:test";

import { parse } from "yaml";

import { writeMetrics } from "../../src/refresh/run-metrics.ts";
import { parseSamples } from "../../src/output/prometheus-text.ts";
import { tempHome } from "../support/temp-home.ts";

const contrib = (name: string) => readFile(new URL(`../../../contrib/${name}`, import.meta.url), "utf8");

/** The metrics that a run really writes, by the program's own code. */
async function writtenNames(): Promise<ReadonlySet<string>> {
  await using home = await tempHome();
  const path = `${home.path}/rolefresh.prom`;
  const run = {
    profile: "p",
    roleArn: "r",
    expiresAt: new Date(),
    refreshed: true,
    attempted: true,
    failure: "TIMEOUT",
  } as const;
  await writeMetrics(
    path,
    { now: new Date(), durationMs: 1, profiles: [run], configured: [run.profile] },
    { pid: 1, uid: process.geteuid?.() },
  );
  return new Set(parseSamples(await readFile(path, "utf8")).keys());
}

function namesIn(text: string): readonly string[] {
  return text.match(/\brolefresh_[a-z_]+/g) ?? [];
}

suite("the files for monitoring", () => {
  test("every alert asks for metrics that are written", async () => {
    const names = await writtenNames();
    const rules = parse(await contrib("prometheus/rolefresh.rules.yml")) as {
      groups: { rules: { alert: string; expr: string }[] }[];
    };
    const alerts = rules.groups.flatMap((group) => group.rules);
    assert.deepEqual(
      alerts.map(({ alert }) => alert),
      ["RolefreshCredentialsExpired", "RolefreshCredentialsExpireSoon", "RolefreshFailing", "RolefreshNotRunning"],
    );
    for (const { alert, expr } of alerts) {
      assert.ok(namesIn(expr).length > 0, alert);
      for (const name of namesIn(expr)) assert.ok(names.has(name), `${alert}: ${name}`);
    }
  });

  test("every panel of the dashboard asks for metrics that are written, and all of them are shown", async () => {
    const names = await writtenNames();
    const dashboard = JSON.parse(await contrib("grafana/rolefresh.json")) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    const asked = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr)));
    for (const name of asked) assert.ok(names.has(name), name);
    for (const name of names)
      if (!name.endsWith("last_attempt_timestamp_seconds")) assert.ok(asked.includes(name), name);
  });

  test("what is written is read back: labels with quotes, backslashes and line ends too", async () => {
    await using home = await tempHome();
    const path = `${home.path}/x.prom`;
    const run = {
      profile: 'a"b\\c\nd',
      roleArn: "r",
      expiresAt: undefined,
      refreshed: false,
      attempted: true,
      failure: "TIMEOUT",
    } as const;
    for (let round = 0; round < 3; round++)
      await writeMetrics(
        path,
        { now: new Date(), durationMs: 1, profiles: [run], configured: [run.profile] },
        { pid: 1, uid: process.geteuid?.() },
      );
    const [sample] = parseSamples(await readFile(path, "utf8")).get("rolefresh_profile_failures_total") ?? [];
    assert.deepEqual(sample, { labels: { profile: 'a"b\\c\nd', code: "TIMEOUT" }, value: 3 });
  });

  test("a run of some profiles leaves the figures of the others, and drops those that are no longer configured", async () => {
    await using home = await tempHome();
    const path = `${home.path}/x.prom`;
    const run = (profile: string) =>
      ({
        profile,
        roleArn: "r",
        expiresAt: new Date(1_800_000_000_000),
        refreshed: true,
        attempted: true,
        failure: "TIMEOUT",
      }) as const;
    const report = { now: new Date(), durationMs: 1 };
    await writeMetrics(
      path,
      { ...report, profiles: [run("a"), run("b"), run("c")], configured: ["a", "b", "c"] },
      { pid: 1, uid: process.geteuid?.() },
    );
    await writeMetrics(
      path,
      { ...report, profiles: [run("a")], configured: ["a", "b"] },
      { pid: 1, uid: process.geteuid?.() },
    );
    const samples = parseSamples(await readFile(path, "utf8"));
    for (const [name, list] of samples) {
      if (name.startsWith("rolefresh_profile_"))
        assert.deepEqual(
          list.map(({ labels }) => labels["profile"]),
          ["a", "b"],
          name,
        );
    }
    assert.deepEqual(
      samples.get("rolefresh_profile_failures_total")?.map(({ value }) => value),
      [2, 1],
    );
  });

  test("a link in the place of the temporary file is not written through", async () => {
    await using home = await tempHome();
    const [path, victim] = [`${home.path}/x.prom`, await home.write("victim", "untouched")];
    await symlink(victim, `${path}.1.tmp`);
    const run = {
      profile: "a",
      roleArn: "r",
      expiresAt: new Date(),
      refreshed: true,
      attempted: true,
      failure: undefined,
    };
    await writeMetrics(
      path,
      { now: new Date(), durationMs: 1, profiles: [run], configured: ["a"] },
      { pid: 1, uid: process.geteuid?.() },
    );
    assert.equal(await home.read("victim"), "untouched");
    assert.ok((await lstat(path)).isFile());
  });
});

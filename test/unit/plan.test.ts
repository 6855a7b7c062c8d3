import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { ProfileSpec } from "../../src/config/config.ts";
import { fractionOf, refreshAt } from "../../src/plan/due.ts";
import { planRun } from "../../src/plan/plan.ts";
import { isStillValid, classifyProfile, type WrittenProfile } from "../../src/plan/profile-state.ts";
import { matchesTemplate, renderSessionName } from "../../src/plan/session-name.ts";

const NOW = new Date("2026-11-23T10:00:00Z");
const minutes = (count: number) => count * 60_000;
const inMinutes = (count: number) => new Date(NOW.getTime() + minutes(count));

function spec(profile: string, changes: Partial<ProfileSpec> = {}): ProfileSpec {
  return {
    profile,
    role: { arn: "arn:aws:iam::123412341234:role/path/R", partition: "aws", account: "123412341234", name: "R" },
    source: { kind: "web-identity", identity: { kind: "gcp-metadata", audience: "gcp", serviceAccount: "default" } },
    sessionName: undefined,
    durationSeconds: undefined,
    lifetimeMs: 3_600_000,
    policyArns: [],
    policyFile: undefined,
    endpoint: { region: "us-east-1", url: undefined },
    refreshBeforeMs: undefined,
    recheckMs: minutes(5),
    onRefresh: undefined,
    lenient: false,
    credentialsFile: "/h/.aws/credentials",
    overwrite: false,
    writeMode: "atomic",
    origin: "test",
    ...changes,
  };
}

/** What AssumeRole takes beside the role: nothing. */
const PLAIN = {
  externalId: undefined,
  tags: [],
  transitiveTagKeys: [],
  sourceIdentity: undefined,
  mfa: undefined,
} as const;

function chained(profile: string, source: string): ProfileSpec {
  return spec(profile, {
    source: { ...PLAIN, kind: "source-profile", sourceProfile: source },
  });
}

function written(changes: Partial<WrittenProfile> = {}): WrittenProfile {
  return {
    accessKeyId: "ASIAEXAMPLE",
    complete: true,
    principalArn: "arn:aws:sts::123412341234:assumed-role/R/demo-project.legacy-vm.c.demo-project.internal",
    expiresAt: inMinutes(60),
    foreign: undefined,
    isTakenOver: false,
    ...changes,
  };
}

suite("when a profile is due", () => {
  const cases: readonly (readonly [
    string,
    WrittenProfile | undefined,
    Partial<ProfileSpec>,
    state: string,
    reason: string,
  ])[] = [
    ["no section", undefined, {}, "missing", "missing"],
    ["a section without keys", written({ accessKeyId: undefined }), {}, "missing", "missing"],
    ["an unreadable expiry", written({ expiresAt: undefined }), {}, "due", "no-expiry"],
    ["an hour left", written(), {}, "fresh", "fresh"],
    ["more than half and the largest jitter left", written({ expiresAt: inMinutes(37) }), {}, "fresh", "fresh"],
    ["less than half left", written({ expiresAt: inMinutes(30) }), {}, "due", "expiring"],
    [
      "an unreadable expiry and another role",
      written({ expiresAt: undefined, principalArn: undefined }),
      {},
      "due",
      "role-changed",
    ],
    ["expired", written({ expiresAt: inMinutes(0) }), {}, "expired", "expired"],
    ["a stale or missing second token key", written({ complete: false }), {}, "due", "incomplete"],
    [
      "another account",
      written({ principalArn: "arn:aws:sts::111111111111:assumed-role/R/a.b" }),
      {},
      "due",
      "role-changed",
    ],
    [
      "another role",
      written({ principalArn: "arn:aws:sts::123412341234:assumed-role/Q/a.b" }),
      {},
      "due",
      "role-changed",
    ],
    ["no principal", written({ principalArn: undefined }), {}, "due", "role-changed"],
    ["another session", written(), { sessionName: "nightly" }, "due", "session-changed"],
    [
      "a session that cannot be the default",
      written({ principalArn: "arn:aws:sts::123412341234:assumed-role/R/nightly" }),
      {},
      "due",
      "session-changed",
    ],
    [
      "the configured session",
      written({ principalArn: "arn:aws:sts::123412341234:assumed-role/R/a-b" }),
      { sessionName: "{profile}-b" },
      "fresh",
      "fresh",
    ],
    ["a window of its own", written({ expiresAt: inMinutes(25) }), { refreshBeforeMs: minutes(10) }, "fresh", "fresh"],
    [
      "twelve hours asked for, five left",
      written({ expiresAt: inMinutes(300) }),
      { durationSeconds: 43_200, lifetimeMs: 43_200_000 },
      "due",
      "expiring",
    ],
    ["somebody else's section", written({ foreign: "it holds a long-lived access key" }), {}, "foreign", "foreign"],
    ["somebody else's section, to be taken over", written({ foreign: "x" }), { overwrite: true }, "due", "foreign"],
    [
      "somebody else's section, taken over before",
      written({ foreign: "x", isTakenOver: true }),
      { overwrite: true },
      "fresh",
      "fresh",
    ],
    [
      "somebody else's section, taken over, no longer allowed",
      written({ foreign: "x", isTakenOver: true }),
      {},
      "foreign",
      "foreign",
    ],
  ];
  for (const [title, file, changes, state, reason] of cases) {
    test(`${title} is ${state} (${reason})`, () => {
      const judged = classifyProfile(spec("a", changes), file, NOW, "host");
      assert.deepEqual([judged.state, judged.reason], [state, reason]);
    });
  }

  test("a profile is due exactly at the boundary and not a millisecond before, and expired likewise", () => {
    const [one, file] = [spec("a"), written()];
    const due = refreshAt(inMinutes(60), one, "host", "a").getTime();
    const states = [due - 1, due, inMinutes(60).getTime() - 1, inMinutes(60).getTime()].map(
      (ms) => classifyProfile(one, file, new Date(ms), "host").state,
    );
    assert.deepEqual(states, ["fresh", "due", "due", "expired"]);
  });

  test("keys that are handed on may lack an expiry and count as valid; those of STS may not", () => {
    const source = { ...PLAIN, kind: "credential-source", credentialSource: "Environment" } as const;
    const own = spec("a", { role: undefined, lifetimeMs: undefined, source });
    const file = written({ expiresAt: undefined, principalArn: undefined });
    assert.equal(classifyProfile(own, file, NOW, "host").reason, "no-expiry");
    assert.equal(isStillValid(own, file, NOW), true);
    assert.equal(isStillValid(own, { ...file, complete: false }, NOW), false);
    assert.equal(isStillValid(own, { ...file, foreign: "x" }, NOW), false);
    assert.equal(isStillValid(spec("a"), file, NOW), false);
    assert.deepEqual(
      [1, 0].map((ms) => isStillValid(spec("a"), written({ expiresAt: new Date(NOW.getTime() + ms) }), NOW)),
      [true, false],
    );
  });

  test("the jitter is the same for the same host and profile, always earlier, at most a tenth of the lifetime", () => {
    const window = { lifetimeMs: minutes(60), refreshBeforeMs: undefined };
    const plain = NOW.getTime() - minutes(30);
    const seen = new Set<number>();
    for (let host = 0; host < 1000; host++) {
      const at = refreshAt(NOW, window, `host-${host}`, "default").getTime();
      assert.equal(at, refreshAt(NOW, window, `host-${host}`, "default").getTime());
      assert.ok(at <= plain && at >= plain - minutes(6));
      seen.add(Math.floor((plain - at) / minutes(1)));
    }
    assert.deepEqual(
      [...seen].toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5],
      "a fleet is spread over all six minutes",
    );
  });

  test("a window that leaves little room is not widened over the whole lifetime by the jitter", () => {
    const window = { lifetimeMs: minutes(60), refreshBeforeMs: minutes(59) };
    for (let host = 0; host < 100; host++) assert.ok(refreshAt(inMinutes(60), window, `h${host}`, "p") > NOW);
  });

  test("an unknown lifetime is refreshed 20 to 22 minutes before its end", () => {
    const at = refreshAt(inMinutes(60), { lifetimeMs: undefined, refreshBeforeMs: undefined }, "h", "p").getTime();
    assert.ok(at <= inMinutes(40).getTime() && at >= inMinutes(38).getTime());
  });

  test("the fraction is evenly spread", () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 10_000; index++) {
      const bucket = Math.floor(fractionOf(`host-${index}\ndefault`) * 10);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(count > 850 && count < 1150, String(counts));
  });
});

suite("the plan", () => {
  const plan = (
    profiles: readonly ProfileSpec[],
    state: Readonly<Record<string, WrittenProfile>>,
    selected: readonly string[] = [],
    force = false,
  ) =>
    planRun({ profiles, selected, force, now: NOW, hostname: "host", written: (one) => state[one.profile] }).map(
      (step) => `${step.spec.profile}:${step.action}`,
    );
  const fresh = written();
  const freshChained = written({ principalArn: "arn:aws:sts::123412341234:assumed-role/R/host" });
  const old = written({ expiresAt: inMinutes(1) });

  test("sources come before those that call with their keys, whatever the order in the file", () => {
    assert.deepEqual(plan([chained("c", "b"), chained("b", "a"), spec("a")], {}), [
      "a:refresh",
      "b:refresh",
      "c:refresh",
    ]);
  });

  test("a source that was not asked for takes part only when it is due and needed", () => {
    const profiles = [spec("a"), chained("b", "a"), spec("z")];
    assert.deepEqual(plan(profiles, {}, ["b"]), ["a:refresh", "b:refresh"]);
    assert.deepEqual(plan(profiles, { a: fresh }, ["b"]), ["b:refresh"]);
    assert.deepEqual(plan(profiles, { a: old, b: freshChained }, ["b"]), ["b:keep"]);
  });

  test("--force refreshes what was asked for, its fresh source stays", () => {
    assert.deepEqual(plan([spec("a"), chained("b", "a")], { a: fresh, b: freshChained }, ["b"], true), ["b:refresh"]);
    assert.deepEqual(plan([spec("a")], { a: fresh }, [], true), ["a:refresh"]);
  });

  test("somebody else's section is refused, also with --force", () => {
    assert.deepEqual(plan([spec("a")], { a: written({ foreign: "x" }) }, [], true), ["a:refuse"]);
  });

  test("exactly the due profiles are refreshed", () => {
    assert.deepEqual(plan([spec("a"), spec("b"), spec("c")], { a: fresh, b: old, c: fresh }), [
      "a:keep",
      "b:refresh",
      "c:keep",
    ]);
  });
});

suite("the role session name", () => {
  const values = {
    profile: "x@y/z",
    hostname: "vm 1",
    project: "demo-project",
    instance: "legacy-vm.c.demo-project.internal",
  };

  test("the default for Google is that of janus: project, dot, hostname, cut to 64", () => {
    assert.equal(renderSessionName("{project}.{instance}", values), "demo-project.legacy-vm.c.demo-project.internal");
    assert.equal(
      renderSessionName("{project}.{instance}", { ...values, instance: "i".repeat(80) }),
      `demo-project.${"i".repeat(51)}`,
    );
    assert.equal(renderSessionName("{project}.{instance}", { ...values, instance: "unknown" }), "demo-project.unknown");
  });

  test("characters that STS refuses become dashes, a single one is filled up", () => {
    assert.equal(renderSessionName("{profile}+{hostname}", values), "x@y-z+vm-1");
    assert.equal(renderSessionName("{hostname}", { ...values, hostname: "a" }), "a-");
    assert.match(renderSessionName("{hostname}", { ...values, hostname: "" }), /^[\w+=,.@-]{2,64}$/);
  });

  test("a session matches its template as far as can be known offline", () => {
    assert.ok(matchesTemplate("{project}.{instance}", "demo-project.legacy-vm", values));
    assert.ok(!matchesTemplate("{project}.{instance}", "nightly", values));
    assert.ok(matchesTemplate("{profile}.{project}", "x@y-z.demo", values));
    assert.ok(!matchesTemplate("{profile}.{project}", "other.demo", values));
    assert.ok(matchesTemplate("{project}.{instance}", "p".repeat(64), values), "cut: anything may have stood there");
  });
});

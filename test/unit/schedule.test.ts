import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { suite, test } from "node:test";
import { fc } from "../support/property.ts";
import { parse as parsePlist } from "plist";

import { Failure } from "../../src/base/failure.ts";
import { carriedEnvironment } from "../../src/schedule/carried-environment.ts";
import { crontabBlock, cronLine, spliceCrontab } from "../../src/schedule/crontab.ts";
import { shellWord } from "../../src/base/shell-word.ts";
import { parseInterval, toCalendar, toCronFields } from "../../src/schedule/interval.ts";
import type { ScheduledJob } from "../../src/schedule/job.ts";
import { type KubernetesJob, kubernetesManifest } from "../../src/schedule/kubernetes-manifest.ts";
import { launchdPlist } from "../../src/schedule/launchd-plist.ts";
import {
  serviceUnit,
  type SystemdJob,
  timerUnit,
  toAssignment,
  toCommandLine,
} from "../../src/schedule/systemd-unit.ts";
import { validatedManifest } from "../support/schedule-kubernetes.ts";

const JOB: ScheduledJob = {
  program: ["/usr/bin/node", "/opt/role fresh/bin.js"],
  options: ["--config", "/etc/100%/$HOME's.ini"],
  environment: new Map([["HTTPS_PROXY", "http://proxy:3128"]]),
  interval: { minutes: 5 },
  timeoutMs: 60_000,
};

const UNIT: SystemdJob = {
  ...JOB,
  scope: "system",
  runAs: undefined,
  writablePaths: ["/home/a b/.aws"],
  optionalWritablePaths: [],
  needsTmp: false,
  runsCommands: true,
};

suite("the interval", () => {
  test("is said alike to cron and to systemd", () => {
    const said = ["1m", "5m", "60s", "30m", "1h", "6h", "1d"].map((text) => {
      const interval = parseInterval(text);
      assert.ok(interval, text);
      return [toCronFields(interval), toCalendar(interval)];
    });
    assert.deepEqual(said, [
      ["* * * * *", "*:*"],
      ["*/5 * * * *", "*:0/5"],
      ["* * * * *", "*:*"],
      ["*/30 * * * *", "*:0/30"],
      ["0 * * * *", "hourly"],
      ["0 */6 * * *", "0/6:00"],
      ["0 0 * * *", "daily"],
    ]);
  });

  for (const text of ["7m", "30s", "90m", "5h", "2d", "0m", "5", "often"]) {
    test(`${text} is refused: no calendar rule says it`, () => {
      assert.equal(parseInterval(text), undefined);
    });
  }
});

suite("the environment that goes along", () => {
  test("holds what reaches the network, and no password, token or key", () => {
    const { variables, left } = carriedEnvironment({
      HTTPS_PROXY: "http://user:hunter2@proxy:3128",
      NO_PROXY: "localhost,.internal",
      AWS_CA_BUNDLE: "/etc/ca.pem",
      AWS_REGION: "eu-west-1\nX=1",
      AWS_SECRET_ACCESS_KEY: "hunter2",
      AWS_PROFILE: "other",
      HTTP_PROXY: "user:hunter2@proxy",
    });
    assert.deepEqual(
      [...variables],
      [
        ["NO_PROXY", "localhost,.internal"],
        ["AWS_CA_BUNDLE", "/etc/ca.pem"],
      ],
    );
    assert.deepEqual(left, ["HTTPS_PROXY", "HTTP_PROXY", "AWS_REGION"]);
  });
});

suite("the crontab", () => {
  test("a line holds absolute paths, quotes for sh and escapes for cron", () => {
    assert.equal(
      cronLine(JOB),
      "*/5 * * * * HTTPS_PROXY=http://proxy:3128 /usr/bin/node '/opt/role fresh/bin.js' refresh --config '/etc/100\\%/$HOME'\\''s.ini'",
    );
  });

  test("sh reads every word back as it was", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", "")),
          { maxLength: 5 },
        ),
        (words) => {
          const script = `for word in ${words.map(shellWord).join(" ")}; do printf '%s\\0' "$word"; done`;
          const read = execFileSync("/bin/sh", ["-c", script]).toString("utf8");
          assert.equal(read, words.map((word) => `${word}\0`).join(""));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("other lines stay to the byte, twice is once, and uninstalling restores what was there", () => {
    const line = fc
      .string({ unit: "binary-ascii" })
      .map((text) => text.replaceAll("\n", "").replaceAll("rolefresh", ""));
    const block = crontabBlock(JOB);
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, after) => {
        const old = before.map((text) => `${text}\n`).join("");
        const installed = spliceCrontab(old, block);
        assert.equal(installed, old + block);
        const grown = installed + after.map((text) => `${text}\n`).join("");
        assert.equal(spliceCrontab(grown, block), grown);
        assert.equal(spliceCrontab(grown, undefined), old + after.map((text) => `${text}\n`).join(""));
      }),
    );
  });

  test("a last line without a newline is ended before ours", () => {
    assert.equal(spliceCrontab("@daily x", "block\n"), "@daily x\nblock\n");
  });

  test("a changed block stands where the old one stood", () => {
    const old = crontabBlock({ ...JOB, interval: { minutes: 1 } });
    assert.equal(spliceCrontab(`a\n${old}b\n`, crontabBlock(JOB)), `a\n${crontabBlock(JOB)}b\n`);
  });

  for (const [text, why] of [
    ["# BEGIN rolefresh\n* * * * * x\n", "an end is missing"],
    ["# END rolefresh\n", "a beginning is missing"],
    ["# END rolefresh\n# BEGIN rolefresh\n", "the wrong way round"],
    ["# BEGIN rolefresh\n# END rolefresh\n# BEGIN rolefresh\n# END rolefresh\n", "two blocks"],
  ] as const) {
    test(`marks that do not match are refused: ${why}`, () => {
      assert.throws(
        () => spliceCrontab(text, "x\n"),
        (error) => error instanceof Failure && error.code === "SCHEDULE_FOREIGN",
      );
    });
  }
});

suite("the systemd units", () => {
  test("words are quoted as systemd.service(5) reads them", () => {
    assert.equal(toCommandLine(["/opt/a b$/node", '50%"', "$x"]), '"/opt/a b$/node" "50%%\\"" "$$x"');
    assert.equal(toAssignment("A", 'b c"%'), '"A=b c\\"%%"');
  });

  test("refresh decides and acts, and a fault that heals is tried again", () => {
    const unit = serviceUnit(UNIT);
    const [node, script, rest] = ["/usr/bin/node", '"/opt/role fresh/bin.js"', `--config "/etc/100%%/$$HOME's.ini"`];
    assert.doesNotMatch(unit, /^ExecCondition=/m);
    assert.ok(unit.includes(`\nExecStart=${node} ${script} refresh ${rest}\n`), unit);
    for (const line of [
      "Type=oneshot",
      'Environment="HTTPS_PROXY=http://proxy:3128"',
      "Restart=on-failure",
      "RestartPreventExitStatus=1 64 65 66 70 77 78 203",
      "TimeoutStartSec=120",
      "ProtectSystem=strict",
      'ReadWritePaths="/home/a b/.aws"',
      "PrivateTmp=yes",
    ])
      assert.ok(unit.split("\n").includes(line), line);
    assert.doesNotMatch(unit, /^MemoryDenyWriteExecute/m, "V8 could not start");
  });

  test("a user's unit asks for nothing that a user's manager cannot do (systemd/systemd#25233)", () => {
    const unit = serviceUnit({ ...UNIT, scope: "user" });
    assert.doesNotMatch(unit, /^(?:Protect|Private|ReadWritePaths|CapabilityBoundingSet|User)[A-Za-z]*=/m);
    assert.match(unit, /^NoNewPrivileges=yes$/m);
  });

  test("another user's unit has no capabilities", () => {
    const unit = serviceUnit({ ...UNIT, runAs: "legacy" });
    assert.match(unit, /^User=legacy$/m);
    assert.match(unit, /^CapabilityBoundingSet=$/m);
  });

  test("PrivateTmp= does not hide what the job needs", () => {
    assert.doesNotMatch(serviceUnit({ ...UNIT, needsTmp: true }), /^PrivateTmp=/m);
  });

  test("the timer goes by the calendar, makes up for missed runs and spreads a fleet", () => {
    const unit = timerUnit(UNIT);
    for (const line of ["OnCalendar=*:0/5", "Persistent=true", "RandomizedDelaySec=60", "AccuracySec=15"])
      assert.ok(unit.split("\n").includes(line), line);
  });
});

suite("the launchd job", () => {
  test("is a property list that says what was meant, whatever the paths hold", () => {
    const text = launchdPlist({ ...JOB, options: ["--config", "/a&b/<c>.ini"], logFile: "/l", runAs: "legacy" });
    assert.deepEqual(parsePlist(text), {
      Label: "io.rolefresh.refresh",
      ProgramArguments: ["/usr/bin/node", "/opt/role fresh/bin.js", "refresh", "--config", "/a&b/<c>.ini"],
      EnvironmentVariables: { HTTPS_PROXY: "http://proxy:3128" },
      UserName: "legacy",
      RunAtLoad: true,
      StartInterval: 300,
      ProcessType: "Background",
      StandardErrorPath: "/l",
      Umask: 0o077,
    });
  });
});

const MANIFEST: KubernetesJob = {
  workload: "sidecar",
  image: "registry.example.com/rolefresh:1",
  appImage: "legacy:latest",
  serviceAccount: "rolefresh",
  namespace: "billing",
  tokenAudience: "sts.amazonaws.com",
  config: "[default]\nrole_arn = arn:aws:iam::123412341234:role/exporter\nidentity = kubernetes\n",
  interval: { minutes: 5 },
  timeoutMs: 90_000,
};

suite("the Kubernetes manifest", () => {
  test("the schemas used here refuse what Kubernetes does not know", () => {
    const text = kubernetesManifest(MANIFEST);
    assert.throws(() => validatedManifest(text.replace("periodSeconds", "periodSecond")), /periodSecond/);
    assert.throws(() => validatedManifest(text.replace("replicas: 1", "replicas: one")), /replicas/);
  });

  test("the sidecar is a native one, with its credentials in memory and shared with the app read-only", () => {
    const [, , deployment] = validatedManifest(kubernetesManifest(MANIFEST));
    const pod = at(deployment, "spec", "template", "spec");
    const sidecar = at(pod, "initContainers", "0");
    const app = at(pod, "containers", "0");
    assert.equal(at(sidecar, "restartPolicy"), "Always");
    assert.deepEqual(at(sidecar, "command"), ["rolefresh", "watch", "--timeout", "90s"]);
    assert.equal(at(sidecar, "securityContext", "readOnlyRootFilesystem"), true);
    assert.equal(at(pod, "securityContext", "runAsNonRoot"), true);
    assert.deepEqual(at(pod, "volumes", "0", "emptyDir"), { medium: "Memory", sizeLimit: "1Mi" });
    assert.deepEqual(at(app, "volumeMounts", "0"), {
      name: "credentials",
      mountPath: "/var/run/rolefresh/aws",
      readOnly: true,
    });
    assert.equal(
      at(pod, "volumes", "2", "projected", "sources", "0", "serviceAccountToken", "audience"),
      "sts.amazonaws.com",
    );
  });

  test("the CronJob is valid too", () => {
    const objects = validatedManifest(kubernetesManifest({ ...MANIFEST, workload: "cronjob" }));
    assert.deepEqual(
      objects.map((object) => object["kind"]),
      ["ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "CronJob"],
    );
    assert.equal(at(objects[3], "spec", "schedule"), "*/5 * * * *");
    assert.equal(at(objects[3], "spec", "concurrencyPolicy"), "Forbid");
  });

  test("any config and any name come out of the YAML as they went in", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("", " x", "\t", "a: b", "--- ", "\r", "x\\")),
        ),
        fc.constantFrom("", "\n", "\n\n"),
        fc.constantFrom("null", "12", "1e3", "a:5000/b:1.0", "x#y", "*", "yes", "2024-01-01", "sha@sha256:00"),
        (lines, end, image) => {
          const config = lines.join("\n") + end;
          const objects = validatedManifest(kubernetesManifest({ ...MANIFEST, config, image, appImage: image }));
          assert.equal(at(objects[1], "data", "rolefresh.ini"), config);
          assert.equal(at(objects[2], "spec", "template", "spec", "initContainers", "0", "image"), image);
        },
      ),
      { numRuns: 200 },
    );
  });
});

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);
}

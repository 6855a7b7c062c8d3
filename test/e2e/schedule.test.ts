import assert from "node:assert/strict";
import { chmod, rm, stat } from "node:fs/promises";
import { suite, test } from "node:test";

import { GCP_ROLE } from "../sandbox/sandbox.ts";
import { BIN, runBin, runProgram, type RunResult } from "../support/run-bin.ts";
import { fakeCrontab, fakeSystemctl, unlessThere } from "../support/schedule-tools.ts";
import { type TempHome, tempHome } from "../support/temp-home.ts";
import { OTHER_USER, otherUserMissing } from "../support/other-user.ts";

const CONFIG = `[default]\nrole_arn = ${GCP_ROLE.arn}\nidentity = gcp-metadata\n`;
const UNITS = ".config/systemd/user";

async function configured(): Promise<TempHome> {
  const home = await tempHome();
  await home.write(".aws/rolefresh.ini", CONFIG);
  return home;
}

function run(home: TempHome, args: string, env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return runBin(["schedule", ...args.split(" ").filter((word) => word !== "")], {
    env: { HOME: home.path, PATH: "/usr/bin:/bin", ...env },
  });
}

function failed(result: RunResult, code: number, stderr: RegExp): void {
  assert.match(result.stderr, stderr);
  assert.deepEqual([result.code, result.stdout], [code, ""]);
}

/** Ours must pass on any machine: a manager that runs here would be asked otherwise. */
async function written(home: TempHome, args: string): Promise<{ service: string; timer: string }> {
  const result = await run(home, `systemd --json ${args}`);
  assert.deepEqual([result.code, result.stderr], [0, ""]);
  const { files } = JSON.parse(result.stdout) as { files: readonly { path: string; content: string }[] };
  const [service, timer] = files;
  assert.ok(service && timer);
  return {
    service: await home.write("rolefresh.service", service.content, 0o644),
    timer: await home.write("rolefresh.timer", timer.content, 0o644),
  };
}

suite("systemd", () => {
  const skip = unlessThere("systemd-analyze");
  const skipOfSystem = process.geteuid?.() === 0 ? skip : "needs root: a system unit takes only root's config";

  for (const scope of ["--system", "--user"]) {
    test(
      `systemd-analyze verify has nothing to say about the units (${scope})`,
      { skip: scope === "--system" ? skipOfSystem : skip },
      async () => {
        await using home = await configured();
        const { service, timer } = await written(home, scope);
        const manager = scope === "--user" ? ["--user"] : [];
        const env = { HOME: home.path, PATH: "/usr/bin:/bin", XDG_RUNTIME_DIR: home.path };
        const result = await runProgram("systemd-analyze", [...manager, "verify", service, timer], { env });
        assert.deepEqual([result.code, result.stdout, result.stderr], [0, "", ""]);
      },
    );
  }

  test("systemd-analyze security scores the system's unit 3.0 or better", { skip: skipOfSystem }, async () => {
    await using home = await configured();
    const { service } = await written(home, "--system");
    const args = ["security", "--offline=true", "--threshold=30", "--no-pager", service];
    const result = await runProgram("systemd-analyze", args, { env: { PATH: "/usr/bin:/bin" } });
    assert.equal(result.code, 0, result.stdout + result.stderr);
  });

  test("the calendar rules are those of systemd.time(7)", { skip }, async () => {
    await using home = await configured();
    for (const interval of ["1m", "5m", "1h", "6h", "1d"]) {
      const { stdout } = await run(home, `systemd --interval ${interval}`);
      const rule = /^OnCalendar=(.*)$/m.exec(stdout)?.[1] ?? "";
      const result = await runProgram("systemd-analyze", ["calendar", rule], { env: { PATH: "/usr/bin:/bin" } });
      assert.equal(result.code, 0, `${interval}: ${rule}: ${result.stderr}`);
    }
  });

  test("--install writes both units, enables the timer, and twice is once; --uninstall takes all of it away", async () => {
    await using home = await configured();
    const systemctl = await fakeSystemctl(home);
    const env = { PATH: systemctl.path };
    for (let time = 0; time < 2; time++) {
      const result = await run(home, "systemd --user --install", env);
      assert.deepEqual([result.code, result.stderr], [0, ""]);
      assert.match(result.stdout, /^installed in .*rolefresh\.service and .*rolefresh\.timer: runs every 5m\n$/);
    }
    assert.deepEqual((await systemctl.asked()).slice(0, 3), [
      "--user --version",
      "--user daemon-reload",
      "--user enable --now rolefresh.timer",
    ]);
    const service = await home.read(`${UNITS}/rolefresh.service`);
    assert.ok(service.includes(`ExecStart=${process.execPath} ${BIN} refresh --config ${home.config}\n`), service);
    assert.equal((await stat(`${home.path}/${UNITS}/rolefresh.timer`)).mode & 0o777, 0o644);
    const gone = await run(home, "systemd --user --uninstall", env);
    assert.deepEqual([gone.code, gone.stderr], [0, ""]);
    assert.match(gone.stdout, /^removed from .*rolefresh\.timer and .*rolefresh\.service\n$/);
    await assert.rejects(stat(`${home.path}/${UNITS}/rolefresh.timer`), { code: "ENOENT" });
    assert.equal((await run(home, "systemd --user --uninstall", env)).stdout, "nothing was installed\n");
  });

  test("a half-installed timer is told, and --install repairs it", async () => {
    await using home = await configured();
    const env = { PATH: (await fakeSystemctl(home)).path };
    await run(home, "systemd --user --install", env);
    await rm(`${home.path}/${UNITS}/rolefresh.service`);
    const shown = await run(home, "systemd --user", env);
    assert.equal(shown.code, 0);
    assert.match(
      shown.stderr,
      /^rolefresh: warning: half installed: .*rolefresh\.service is missing, so the timer starts nothing\nrolefresh: hint: repair it with 'rolefresh schedule systemd --user --install'\n$/,
    );
    assert.equal((await run(home, "systemd --user --install", env)).code, 0);
    assert.equal((await run(home, "systemd --user", env)).stderr, "");
  });

  test("a systemctl that refuses: what was written, and what to type", async () => {
    await using home = await configured();
    const systemctl =
      '#!/bin/sh\n[ "$2" = --version ] || { echo "Failed to connect to bus: No medium found" >&2; exit 1; }\n';
    await home.write("bin/systemctl", systemctl, 0o755);
    failed(
      await run(home, "systemd --user --install", { PATH: `${home.path}/bin:/usr/bin:/bin` }),
      69,
      /^rolefresh: error: rolefresh\.service and rolefresh\.timer are in .*\/systemd\/user, but the timer does not run: 'systemctl --user daemon-reload' failed: Failed to connect to bus: No medium found\nrolefresh: hint: log in to the machine as this user, then run: systemctl --user daemon-reload && systemctl --user enable --now rolefresh\.timer\n$/,
    );
  });

  test("without systemctl nothing is written", async () => {
    await using home = await configured();
    await home.write("bin/x", "");
    const result = await run(home, "systemd --user --install", { PATH: `${home.path}/bin` });
    failed(result, 69, /^rolefresh: error: the program 'systemctl' is not installed\n/);
    await assert.rejects(stat(`${home.path}/.config`), { code: "ENOENT" });
  });

  test("a unit of the same name that somebody else wrote is left alone", async () => {
    await using home = await configured();
    const env = { PATH: (await fakeSystemctl(home)).path };
    await home.write(`${UNITS}/rolefresh.service`, "[Service]\nExecStart=/mine\n");
    const result = await run(home, "systemd --user --install", env);
    failed(result, 65, /^rolefresh: error: refusing to change .*rolefresh\.service: rolefresh did not write it\n/);
    assert.equal(await home.read(`${UNITS}/rolefresh.service`), "[Service]\nExecStart=/mine\n");
  });

  test("only root may install for the system", async (t) => {
    const missing = otherUserMissing();
    if (missing !== undefined) return t.skip(missing);
    await using home = await configured();
    await chmod(home.path, 0o755);
    const result = await runBin(["schedule", "systemd", "--system", "--install"], {
      env: { HOME: home.path, PATH: "/usr/bin:/bin" },
      uid: OTHER_USER,
    });
    failed(result, 77, /^rolefresh: error: only root can --install a system job\nrolefresh: hint: use sudo/);
  });
});

suite("cron", () => {
  test("--install keeps every other line, twice is once, and --uninstall restores what was there", async () => {
    await using home = await configured();
    const env = { PATH: await fakeCrontab(home), AWS_REGION: "eu-west-1" };
    const mine = 'MAILTO=""\n# caf\u00e9\n*/5 * * * * date +\\%s\n';
    await home.write("crontab", Buffer.from(mine, "latin1"));
    for (let time = 0; time < 2; time++) {
      const result = await run(home, "cron --user --install", env);
      assert.deepEqual(
        [result.code, result.stdout, result.stderr],
        [0, "installed in the crontab: runs every 5m\n", ""],
      );
    }
    const [before, line] = (await home.read("crontab")).split(/^# BEGIN rolefresh.*\n#.*\n/m);
    assert.equal(before?.length, mine.length);
    assert.equal(
      line,
      `*/5 * * * * AWS_REGION=eu-west-1 ${process.execPath} ${BIN} refresh --config ${home.config}\n# END rolefresh\n`,
    );
    assert.equal((await run(home, "cron --user --uninstall", env)).stdout, "removed from the crontab\n");
    const inode = await home.inode("crontab");
    assert.equal((await run(home, "cron --user --uninstall", env)).stdout, "nothing was installed\n");
    assert.equal(await home.inode("crontab"), inode);
    assert.equal(
      await runProgram("cat", [`${home.path}/crontab`], { env: {} }).then((cat) => cat.stdout.length),
      mine.length,
    );
  });

  test("a user without a crontab gets one", async () => {
    await using home = await configured();
    assert.equal((await run(home, "cron --user --install", { PATH: await fakeCrontab(home) })).code, 0);
    assert.match(await home.read("crontab"), /^# BEGIN rolefresh/);
  });

  test("a crontab that cannot be read is never taken for an empty one", async () => {
    await using home = await configured();
    await home.write(
      "bin/crontab",
      '#!/bin/sh\necho "You (test) are not allowed to use this program (crontab)" >&2\nexit 1\n',
      0o755,
    );
    const result = await run(home, "cron --user --install", { PATH: `${home.path}/bin:/usr/bin:/bin` });
    failed(
      result,
      77,
      /^rolefresh: error: 'crontab -l' failed: You \(test\) are not allowed .*\nrolefresh: hint: check \/etc\/cron\.allow/,
    );
  });

  test("without crontab: what to install instead", async () => {
    await using home = await configured();
    await home.write("bin/x", "");
    const result = await run(home, "cron --user --install", { PATH: `${home.path}/bin` });
    failed(
      result,
      69,
      /^rolefresh: error: cron is not installed: there is no program 'crontab'\nrolefresh: hint: install it/,
    );
  });
});

suite("whatever the scheduler", () => {
  test("a config with a window shorter than the interval is warned of", async () => {
    await using home = await tempHome();
    await home.write(".aws/rolefresh.ini", `${CONFIG}refresh_before = 2m\n`);
    const result = await run(home, "cron");
    assert.equal(result.code, 0);
    assert.match(
      result.stderr,
      /^rolefresh: warning: profile 'default' is due 2m before it expires, but checked only every 5m/,
    );
  });

  test("a proxy's password goes nowhere", async () => {
    await using home = await configured();
    for (const scheduler of ["systemd", "cron", "launchd"]) {
      const result = await run(home, scheduler, { HTTPS_PROXY: "http://u:hunter2@proxy:3128" });
      assert.ok(!(result.stdout + result.stderr).includes("hunter2"));
      assert.match(result.stderr, /^rolefresh: warning: HTTPS_PROXY is not passed to the job/);
    }
  });

  test("relative paths of the command line become absolute", async () => {
    await using home = await configured();
    const { stdout } = await runBin(
      [
        "schedule",
        "cron",
        "--config",
        ".aws/rolefresh.ini",
        "--credentials-file",
        "other/credentials",
        "--timeout",
        "30s",
      ],
      { env: { HOME: home.path, PATH: "/usr/bin:/bin" }, cwd: home.path },
    );
    assert.ok(
      stdout.includes(` --config ${home.config} --credentials-file ${home.path}/other/credentials --timeout 30s\n`),
      stdout,
    );
  });

  test("a config that runs programs takes the PATH along, which is /usr/bin:/bin under cron", async () => {
    await using home = await configured();
    const env = { PATH: "/opt/google-cloud-sdk/bin:/usr/bin:/bin" };
    assert.doesNotMatch((await run(home, "cron", env)).stdout, /PATH=/);
    await home.write(".aws/rolefresh.ini", CONFIG.replace("gcp-metadata", "gcloud"));
    assert.match(
      (await run(home, "cron", env)).stdout,
      /^\*\/5 .* PATH=\/opt\/google-cloud-sdk\/bin:\/usr\/bin:\/bin \S+node/m,
    );
  });

  test("a job has the variables that the config's paths are made with", async () => {
    await using home = await configured();
    const paths = "credentials_file = $KEYS/creds\npolicy_file = ${HOME}/policy.json\n";
    await home.write(".aws/rolefresh.ini", `${CONFIG}${paths}`);
    const env = { KEYS: "/srv/keys", OTHER: "/other" };
    assert.match((await run(home, "cron", env)).stdout, /^\*\/5 .* KEYS=\/srv\/keys \S+node/m);
    const { stdout } = await run(home, "systemd", env);
    assert.match(stdout, /^Environment="?KEYS=\/srv\/keys"?$/m);
    assert.match(stdout, /^ReadWritePaths=.*\/srv\/keys/m);
    assert.doesNotMatch(stdout, /OTHER|HOME=/);
  });

  test("AWS_SHARED_CREDENTIALS_FILE goes into a job expanded: cron has no variables", async () => {
    await using home = await configured();
    const env = { AWS_SHARED_CREDENTIALS_FILE: "$KEYS/creds", KEYS: "/srv/keys" };
    assert.match((await run(home, "cron", env)).stdout, / AWS_SHARED_CREDENTIALS_FILE=\/srv\/keys\/creds /);
  });

  test("kubernetes takes the config that every other command finds", async () => {
    await using home = await configured();
    const found = await run(home, "kubernetes");
    assert.match(found.stdout, /my-gcp-role/);
    assert.equal(found.stderr, "");
    await home.write("other.ini", CONFIG.replace("my-gcp-role", "another"));
    assert.match((await run(home, `kubernetes --config ${home.path}/other.ini`)).stdout, /another/);
    const env = { ROLEFRESH_CONFIG: `${home.path}/other.ini` };
    assert.match((await run(home, "kubernetes", env)).stdout, /another/);
  });

  test("kubernetes without any config prints nothing (78)", async () => {
    await using home = await configured();
    await rm(home.config);
    const { code, stdout, stderr } = await run(home, "kubernetes");
    assert.equal(code, 78);
    assert.equal(stdout, "");
    assert.match(stderr, /no config found: .*\nrolefresh: hint: create one with 'rolefresh init'/);
  });

  test("kubernetes checks the config as the pod reads it, and warns of what the pod lacks", async () => {
    await using home = await configured();
    const extra = "credentials_file = ~/keys\npolicy_file = policy.json\n";
    await home.write(".aws/rolefresh.ini", `${CONFIG}${extra}`);
    const { code, stdout, stderr } = await run(home, "kubernetes");
    assert.equal(code, 0);
    assert.match(stderr, /\/tmp\/keys is outside the volume shared with the app\n/);
    assert.match(stderr, /does not mount \/etc\/rolefresh\/policy\.json in the pod\n/);
    assert.ok(stdout.includes("policy_file = policy.json"));
    await home.write(".aws/rolefresh.ini", `${CONFIG}credentials_file = $KEYS/creds\n`);
    const unset = await run(home, "kubernetes", { KEYS: "/keys" });
    assert.equal(unset.code, 78);
    assert.match(unset.stderr, /rolefresh\.ini:\d+: .*the variable \$KEYS is not set/);
  });

  test("the projected token has the audience of the config, unless a flag says another", async () => {
    await using home = await configured();
    const config = CONFIG.replace("identity = gcp-metadata", "identity = kubernetes\naudience = sts.amazonaws.com.cn");
    await home.write(".aws/rolefresh.ini", config);
    assert.match((await run(home, "kubernetes")).stdout, /^ +audience: sts\.amazonaws\.com\.cn$/m);
    assert.match((await run(home, "kubernetes --token-audience mine")).stdout, /^ +audience: mine$/m);
  });

  const wrong: readonly (readonly [string, number, RegExp])[] = [
    ["", 64, /no scheduler given\nrolefresh: hint: choose one of systemd, cron, launchd, kubernetes\n$/],
    ["systemctl", 64, /unknown scheduler 'systemctl'\nrolefresh: hint: did you mean 'systemd'\?\n$/],
    ["windows", 64, /unknown scheduler 'windows'\nrolefresh: hint: choose one of/],
    ["cron --interval 7m", 64, /--interval 7m is not supported: it must divide an hour or a day/],
    ["cron --install --uninstall", 64, /--install and --uninstall cannot be used together/],
    ["cron --user --system", 64, /--user and --system cannot be used together/],
    ["cron --run-as x\ny", 64, /--run-as is not a user name/],
    ["systemd --run-as nobody-at-all", 64, /the user 'nobody-at-all' does not exist/],
    ["cron --image x", 64, /--image is only available for kubernetes/],
    ["kubernetes --install", 64, /--install is not available for kubernetes\nrolefresh: hint: .*kubectl apply -f -/],
    ["kubernetes --credentials-file x", 64, /--credentials-file is not available for kubernetes/],
    ["kubernetes --namespace A_B", 64, /--namespace A_B is not a valid name in Kubernetes/],
    ["kubernetes --workload cronjobs", 64, /unknown workload 'cronjobs'\nrolefresh: hint: did you mean 'cronjob'\?/],
    ["kubernetes --config /nonexistent.ini", 78, /the config \/nonexistent\.ini does not exist/],
  ];
  for (const [args, code, stderr] of wrong) {
    test(`'schedule ${args.replace("\n", "\\n")}' is refused`, async () => {
      await using home = await configured();
      failed(await run(home, args), code, new RegExp(`^rolefresh: error: ${stderr.source}`));
    });
  }

  for (const scheduler of ["systemd", "cron", "launchd"]) {
    test(`nothing configured: ${scheduler} is given nothing to do`, async () => {
      await using home = await tempHome();
      failed(
        await run(home, scheduler, { ROLEFRESH_CONFIG: `${home.path}/none.ini` }),
        78,
        /^rolefresh: error: the config .*none\.ini does not exist/,
      );
    });

    test(`a broken config is not scheduled: ${scheduler}`, async () => {
      await using home = await tempHome();
      await home.write(".aws/rolefresh.ini", "[default]\nrole_arn = x\n");
      failed(await run(home, `${scheduler} --install --user`), 78, /^rolefresh: error: .*rolefresh\.ini:1: /);
    });
  }
});

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";

import { BIN } from "../support/run-bin.ts";
import { ONE_ROLE, openScene } from "../support/scene.ts";
import { type TempHome, tempHome } from "../support/temp-home.ts";
import { toolMissing } from "../support/tool.ts";

// The unit under a systemd that is booted for the test, as PID 1 of namespaces of its own.

const SYSTEMD = "/lib/systemd/systemd";
const NAMESPACES = ["--pid", "--mount", "--fork", "--mount-proc", "--cgroup", "--ipc", "--uts", "--kill-child"];

/** Only a hang takes longer. */
const BOOT_MS = 60_000;

/** Everything that a unit needs of a real machine's targets. */
const TARGET = "[Unit]\nDefaultDependencies=no\n";

/** Tells through a FIFO how the units have ended, when they all have: `After=` a oneshot waits for its end. */
function reporter(fifo: string, units: readonly string[]): string {
  const show = `systemctl show ${units.join(" ")} --property=Id,Result,ActiveState,ExecMainStatus`;
  return `[Unit]\nDefaultDependencies=no\nAfter=${units.join(" ")}\n[Service]\nType=oneshot\nExecStart=/bin/sh -c "${show} > ${fifo}"\n`;
}

type State = Readonly<Record<string, string>>;

/** Boots systemd with these units alone and starts them; undefined when it does not boot. */
async function boot(
  home: TempHome,
  units: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, State> | undefined> {
  const names = Object.keys(units);
  const fifo = join(home.path, "report");
  execFileSync("mkfifo", [fifo]);
  await home.write("console", "");
  for (const target of ["sysinit", "basic", "shutdown", "network-online", "time-sync"])
    await home.write(`units/${target}.target`, TARGET);
  await home.write("units/test.target", `${TARGET}Wants=${names.join(" ")} report.service\n`);
  await home.write("units/report.service", reporter(fifo, names));
  for (const [name, content] of Object.entries(units)) await home.write(`units/${name}`, content);
  const script = await home.write(
    "boot.sh",
    `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount --bind ${home.path}/console /dev/console
export container=test SYSTEMD_UNIT_PATH=${home.path}/units
exec ${SYSTEMD} --system --unit=test.target
`,
  );
  const ended = new AbortController();
  const machine = spawn("unshare", [...NAMESPACES, "/bin/sh", script], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdio: "ignore",
  });
  machine.on("exit", () => ended.abort());
  const timer = setTimeout(() => ended.abort(), BOOT_MS);
  // Opened for reading and writing it would never end; so a child waits for the writer and is killed when none comes.
  const reader = spawn("cat", [fifo], { stdio: ["ignore", "pipe", "ignore"], signal: ended.signal });
  let report = "";
  reader.stdout.setEncoding("utf8").on("data", (chunk: string) => (report += chunk));
  await new Promise<void>((resolve) => {
    reader.on("error", () => undefined).on("close", () => resolve());
  });
  clearTimeout(timer);
  const gone = new Promise<void>((resolve) => {
    if (machine.exitCode !== null || machine.signalCode !== null) resolve();
    else machine.on("exit", () => resolve());
  });
  machine.kill("SIGKILL");
  await gone;
  return report === "" ? undefined : parse(report);
}

function parse(report: string): ReadonlyMap<string, State> {
  const blocks = report.trim().split(/\n\s*\n/);
  const states = blocks.map((block): State => Object.fromEntries(block.split("\n").map((line) => line.split("=", 2))));
  return new Map(states.map((state) => [state["Id"] ?? "", state]));
}

/** Why systemd cannot be booted here, or undefined. */
async function bootMissing(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return "needs root";
  if (!existsSync(SYSTEMD)) return `there is no ${SYSTEMD}`;
  if (readFileSync("/proc/1/comm", "utf8").trim() === "systemd")
    return "systemd runs this machine: it is not to be disturbed";
  const missing = toolMissing("unshare", [...NAMESPACES, "true"]);
  if (missing !== undefined) return missing;
  await using home = await tempHome();
  const states = await boot(home, { "probe.service": `${TARGET}[Service]\nType=oneshot\nExecStart=/bin/true\n` });
  return states?.get("probe.service")?.["Result"] === "success"
    ? undefined
    : "systemd does not boot in namespaces here";
}

suite("the unit under a booted systemd", async () => {
  const missing = await bootMissing();

  test("refreshes, has nothing to do, and fails where the program or Node.js itself is gone", async (t) => {
    if (missing !== undefined) return t.skip(missing);
    await using scene = await openScene(ONE_ROLE);
    await using home = await tempHome();
    await chmod(home.path, 0o755);
    const printed = await scene.run(["schedule", "systemd", "--system"]);
    assert.equal(printed.code, 0, printed.stderr);
    const [, service = ""] = printed.stdout.split(/^# \/etc\/systemd\/system\/.*\n/m);
    // The sandbox's addresses, which a user would not have; /tmp is where this test lives.
    const environment = Object.entries(scene.env).map(([name, value]) => `Environment="${name}=${value}"\n`);
    const works = service.replace("[Service]\n", `[Service]\n${environment.join("")}`);
    const second = works.replace("[Unit]\n", "[Unit]\nAfter=due.service\n");
    assert.ok(works.includes(process.execPath) && works.includes(BIN));
    const states = await boot(home, {
      "due.service": works,
      "nothing-due.service": second,
      "no-node.service": works.replaceAll(process.execPath, "/vanished/node"),
      "no-program.service": works.replaceAll(BIN, "/vanished/rolefresh.cjs"),
      "old-condition.service": works.replace("ExecStart=", "ExecCondition=/vanished/node check\nExecStart="),
    });
    const judged = [...(states ?? [])].map(([name, state]) => [
      name,
      state["ActiveState"],
      state["Result"],
      state["ExecMainStatus"],
    ]);
    assert.deepEqual(judged, [
      ["due.service", "inactive", "success", "0"],
      ["nothing-due.service", "inactive", "success", "0"],
      ["no-node.service", "failed", "exit-code", "203"],
      ["no-program.service", "failed", "exit-code", "1"],
      // What the units once had: nobody would have heard of it.
      ["old-condition.service", "inactive", "exec-condition", "0"],
    ]);
    assert.match(await scene.credentials(), /^manager = rolefresh$/m);
    assert.equal(scene.sandbox.callsTo("AssumeRoleWithWebIdentity").length, 1);
  });
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { watch } from "node:fs";
import { test } from "node:test";

import { GCP_ROLE, startSandbox } from "../sandbox/sandbox.ts";
import { BIN } from "../support/run-bin.ts";
import { unlessThere } from "../support/schedule-tools.ts";
import { tempHome } from "../support/temp-home.ts";

/*
 * Debian's cron, for real: in a mount namespace of its own, where the crontabs and the jobs of this machine are hidden and
 * nothing that the test does is left behind.
 */
const SCRIPT = `
set -eu
mount -t tmpfs -o mode=1730 tmpfs /var/spool/cron/crontabs
chgrp crontab /var/spool/cron/crontabs
mount -t tmpfs tmpfs /etc/cron.d
mount --bind /dev/null /etc/crontab
mount -t tmpfs tmpfs /run
printf '# mine\\n5 4 * * * /bin/true' | sed -e '$a\\' | crontab -
"$NODE" "$BIN" schedule cron --install --interval 1m
"$NODE" "$BIN" schedule cron --install --interval 1m
crontab -l
echo ready
exec cron -f
`;

function skipReason(): string | false {
  if (process.geteuid?.() !== 0) return "needs root: cron runs in a mount namespace of its own";
  return unlessThere("cron", "crontab", "unshare", "mount");
}

test("a real cron daemon refreshes under its bare environment", { skip: skipReason(), timeout: 600_000 }, async () => {
  await using box = await startSandbox();
  await using home = await tempHome();
  // A blank, a quote and a per cent sign: what crontab(5) and sh trip over.
  const config = await home.write(
    "50% of it's/role fresh.ini",
    `[default]\nrole_arn = ${GCP_ROLE.arn}\nidentity = gcp-metadata\n`,
  );
  await home.write(".aws/credentials", "[other]\nregion = eu-west-1\n");
  const called = box.nextCall("AssumeRoleWithWebIdentity");
  const replaced = new Promise<void>((resolve) => {
    const watcher = watch(`${home.path}/.aws`, (_event, name) => {
      if (name !== "credentials") return;
      watcher.close();
      resolve();
    });
  });
  const daemon = spawn("unshare", ["--mount", "--kill-child", "/bin/sh", "-c", SCRIPT], {
    env: {
      ...box.env,
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: home.path,
      NODE: process.execPath,
      BIN,
      ROLEFRESH_CONFIG: config,
      AWS_SHARED_CREDENTIALS_FILE: home.credentials,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    let printed = "";
    const ended = new Promise<never>((_resolve, reject) => {
      daemon.stderr.setEncoding("utf8").on("data", (chunk: string) => (printed += chunk));
      daemon.stdout.setEncoding("utf8").on("data", (chunk: string) => (printed += chunk));
      daemon.once("exit", (code) => reject(new Error(`cron ended with ${code}: ${printed}`)));
    });
    await Promise.race([called, ended]);
    await Promise.race([replaced, ended]);
    assert.match(printed, /^# mine\n5 4 \* \* \* \/bin\/true\n# BEGIN rolefresh/m);
    assert.equal(printed.match(/^\* \* \* \* \* /gm)?.length, 1);
    const text = await readFile(home.credentials, "utf8");
    assert.match(text, /^\[other\]\nregion = eu-west-1\n/);
    assert.match(text, /^aws_session_token = /m);
    assert.equal(box.callsTo("AssumeRoleWithWebIdentity").length, 1);
  } finally {
    daemon.removeAllListeners("exit");
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const gone = new Promise((resolve) => daemon.once("exit", resolve));
      daemon.kill("SIGKILL");
      await gone;
    }
  }
});

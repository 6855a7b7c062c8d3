import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

import { BIN, runProgram } from "../support/run-bin.ts";
import { ONE_ROLE, valuesOf } from "../support/scene.ts";
import { tempHome } from "../support/temp-home.ts";

// A Google VM without IPv4: 169.254.169.254 cannot be reached, metadata.google.internal leads to fd20:ce::254
// (https://cloud.google.com/compute/docs/metadata/querying-metadata). In a network namespace of the test's own.

const MACHINE = fileURLToPath(new URL("../support/ipv6-only-machine.js", import.meta.url));
const NAMESPACE = "ip link set lo up && ip -6 addr add fd20:ce::254/128 dev lo nodad";

function whyNoNamespace(): string | false {
  const { status, stderr } = spawnSync("unshare", ["-n", "-m", "sh", "-c", NAMESPACE], { encoding: "utf8" });
  return status === 0 ? false : `needs root and a network namespace with IPv6: ${stderr?.trim() ?? "no unshare"}`;
}

suite("a Google VM with IPv6 alone", { skip: whyNoNamespace() }, () => {
  for (const [name, env] of [
    ["is asked by name", {}],
    ["is asked at a bare IPv6 address in GCE_METADATA_HOST", { GCE_METADATA_HOST: "fd20:ce::254" }],
  ] as const) {
    test(name, async () => {
      await using home = await tempHome();
      await home.write(".aws/rolefresh.ini", ONE_ROLE);
      const hosts = await home.write("hosts", "127.0.0.1 localhost\nfd20:ce::254 metadata.google.internal\n");
      const script = `${NAMESPACE} && mount --bind "$1" /etc/hosts && shift && exec "$@"`;
      const command = ["sh", "-c", script, "sh", hosts, process.execPath, MACHINE, process.execPath, BIN];
      const { code, stdout, stderr } = await runProgram("unshare", ["-n", "-m", ...command], {
        env: { HOME: home.path, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
      });
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), { code: 0, stdout: "", stderr: "" });
      assert.equal(valuesOf(await home.read(".aws/credentials"), "default")["manager"], "rolefresh");
    });
  }
});

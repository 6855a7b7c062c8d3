import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { isReadOnlyAmong, parseMounts } from "../../src/safe-file/read-only-mount.ts";

// Lines as a container sees them (proc_pid_mountinfo(5)): a ConfigMap of Kubernetes, a Secret, a file of the host.
const POD = parseMounts(
  [
    "1 0 0:300 / / rw,relatime - overlay overlay rw,lowerdir=/a",
    "2 1 0:301 / /proc rw,nosuid - proc proc rw",
    "3 1 8:1 /var/lib/kubelet/pods/u/volumes/kubernetes.io~configmap/c /etc/rolefresh ro,relatime - ext4 /dev/sda1 rw",
    "4 1 0:302 / /var/run/secrets/google ro,relatime - tmpfs tmpfs rw,size=1k",
    "5 1 8:1 /home/dev/rolefresh.ini /etc/rolefresh.ini ro,relatime - ext4 /dev/sda1 rw",
    "6 1 8:1 /home/dev /srv rw,relatime - ext4 /dev/sda1 rw",
    "7 1 8:1 /var/lib/docker/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw",
    "8 1 0:303 / /mnt/a\\040b rw - iso9660 /dev/sr0 ro",
    "",
  ].join("\n"),
);

suite("a place on a read-only mount", () => {
  for (const [path, expected] of [
    ["/etc/rolefresh/..data", true],
    ["/etc/rolefresh", true],
    ["/var/run/secrets/google/key.json", true],
    ["/mnt/a b/file", true],
    // The same file can be written through /srv.
    ["/etc/rolefresh.ini", false],
    ["/etc/rolefreshed", false],
    ["/etc/hosts", false],
    ["/srv/rolefresh.ini", false],
    ["/root/.aws/rolefresh.ini", false],
  ] as const) {
    test(`${path}: ${expected}`, () => assert.equal(isReadOnlyAmong(POD, path), expected));
  }

  test("a later mount hides an earlier one", () => {
    const later = parseMounts("1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /c ro - ext4 b rw\n3 2 8:3 / /c rw - ext4 d rw");
    assert.equal(isReadOnlyAmong(later, "/c/x"), false);
    assert.equal(isReadOnlyAmong([], "/c/x"), false);
  });
});

import assert from "node:assert/strict";
import { dirname, join } from "node:path";

import { configFromSource } from "../../src/config/read.ts";
import type { Config } from "../../src/config/config.ts";
import type { DocsMachine } from "./docs-machine.ts";
import { BIN, runProgram } from "./run-bin.ts";
import { validatedManifest } from "./schedule-kubernetes.ts";
import { valuesOf } from "./scene.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Does what a cluster would do with a guide's manifest: the config is that of the guide, and rolefresh's container writes
 * the role's keys with it, with the container's own environment, to the file that the app reads.
 *
 * @param guideConfig the guide's own `rolefresh.ini`
 */
export async function refreshAsInPod(machine: DocsMachine, manifest: string, guideConfig: string): Promise<void> {
  const objects = validatedManifest(await machine.home.read(manifest));
  const config = at(
    objects.find(({ kind }) => kind === "ConfigMap"),
    "data",
    "rolefresh.ini",
  );
  assert.ok(typeof config === "string");
  const [meant, found] = [parse(guideConfig), parse(config)];
  assert.deepEqual(found.profiles.map(toComparable), meant.profiles.map(toComparable));

  const pod = at(
    objects.find(({ kind }) => kind === "Deployment"),
    "spec",
    "template",
    "spec",
  );
  const container = at(pod, "initContainers", "0");
  const env = environmentOf(container);
  const appEnv = environmentOf(at(pod, "containers", "0"));
  assert.equal(env["AWS_SHARED_CREDENTIALS_FILE"], appEnv["AWS_SHARED_CREDENTIALS_FILE"]);
  const mounts = at(container, "volumeMounts");
  assert.ok(Array.isArray(mounts));
  // Every path of the container is below one of its mounts, and stands here below a directory of the test.
  const inside = (path: string): string => {
    const { mountPath } =
      (mounts as { mountPath: string }[]).find((mount) => path.startsWith(`${mount.mountPath}/`)) ?? {};
    assert.ok(mountPath !== undefined, `${path} is in none of the container's volumes`);
    return join(machine.home.path, "pod", path);
  };
  const { ROLEFRESH_CONFIG = "", AWS_SHARED_CREDENTIALS_FILE = "" } = env;
  await machine.home.write(join("pod", ROLEFRESH_CONFIG), config);
  const credentials = inside(AWS_SHARED_CREDENTIALS_FILE);
  const result = await runProgram(process.execPath, [BIN, "refresh"], {
    env: {
      ...machine.env,
      HOME: await machine.home.write("pod/tmp/.keep", "").then((path) => dirname(path)),
      ROLEFRESH_CONFIG: inside(ROLEFRESH_CONFIG),
      AWS_SHARED_CREDENTIALS_FILE: credentials,
    },
  });
  assert.deepEqual([result.code, result.stdout, result.stderr], [0, "", ""]);
  for (const { profile, role } of found.profiles) {
    const { x_principal_arn: principal = "" } = valuesOf(
      await machine.home.read(join("pod", AWS_SHARED_CREDENTIALS_FILE)),
      profile,
    );
    assert.ok(principal.includes(`:assumed-role/${role?.name}/`), principal);
  }
}

function parse(text: string): Config {
  const source = { file: "/etc/rolefresh/rolefresh.ini", directory: "/etc/rolefresh", text, untrusted: undefined };
  return configFromSource(source, { env: {}, home: "/tmp", cwd: "/" }, undefined);
}

function toComparable({ profile, role, source }: Config["profiles"][number]): unknown {
  return { profile, role, source };
}

function environmentOf(container: unknown): Readonly<Record<string, string>> {
  const env = at(container, "env");
  assert.ok(Array.isArray(env));
  return Object.fromEntries((env as { name: string; value: string }[]).map(({ name, value }) => [name, value]));
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Fields | undefined)?.[key], value);
}

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../sandbox/main.js", import.meta.url));

test("the program prints what to export, can be told to misbehave, and ends on SIGTERM", async () => {
  const child = spawn(process.execPath, [MAIN, "--fault", "metadata:status:503"], {
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exports = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "ready") break;
    const [, name = "", value = ""] = /^export ([A-Z_0-9]+)=(\S+)$/.exec(line) ?? assert.fail(line);
    exports.set(name, value);
  }
  const stsUrl = exports.get("AWS_ENDPOINT_URL_STS") ?? "";
  const project = `http://${exports.get("GCE_METADATA_HOST")}/computeMetadata/v1/project/project-id`;
  const headers = { "Metadata-Flavor": "Google" };
  const post = (path: string, body: unknown) =>
    fetch(`${stsUrl}/_sandbox/${path}`, { method: "POST", body: JSON.stringify(body) });

  assert.equal((await fetch(project, { headers })).status, 503);
  assert.equal((await post("fault", { target: "metadata", fault: null })).status, 200);
  assert.equal(await (await fetch(project, { headers })).text(), "demo-project");
  assert.equal((await post("fault", { target: "metadata", fault: "no-such-fault" })).status, 400);
  assert.match(await (await post("token", { aud: "x" })).text(), /^ey[\w-]+\.[\w-]+\.[\w-]+$/);
  const calls: unknown = await (await fetch(`${stsUrl}/_sandbox/calls`)).json();
  assert.ok(Array.isArray(calls));
  assert.equal(calls.length, 2);

  child.kill("SIGTERM");
  const [code, signal]: unknown[] = await once(child, "exit");
  assert.deepEqual([code, signal], [0, null]);
});
